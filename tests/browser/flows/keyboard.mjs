/** The whole path without a mouse. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

export function keyboard({ test, sources, server, engine }) {
  const focused = (page) =>
    page.evaluate(() => {
      const element = document.activeElement;
      return element.id || element.className || element.tagName;
    });
  const tabTo = async (page, id, modifiers) => {
    const passed = [];
    for (let step = 0; step < 60; step += 1) {
      await page.press('Tab', modifiers);
      passed.push(await focused(page));
      if (passed.at(-1) === id) return passed;
    }
    throw new assert.AssertionError({ message: `Tab never reached ${id}: ${passed.join(' → ')}` });
  };

  test('Tab, type, arrow, Enter, read', async (page) => {
    await page.open(sources.http());
    await tabTo(page, 'params');
    await page.type('7');
    await page.press('Tab');
    // The explanation of "precision" may come first; then the radio group is one stop.
    if (!(await focused(page)).startsWith('precision-')) await tabTo(page, 'precision-FP16');
    await page.press('ArrowRight');
    await page.press('ArrowRight');
    assert.equal(await focused(page), 'precision-INT8');
    await tabTo(page, 'calculate');
    await page.press('Enter');
    await page.shows('6.52 GiB', '7.00 GB');
  });

  test('the focus is always visible and never on something hidden', async (page) => {
    await page.open(sources.http());
    for (let step = 0; step < 30; step += 1) {
      await page.press('Tab');
      const state = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === document.body) return null;
        // A visually hidden radio shows its focus on its label.
        const candidates = [element, ...(element.labels ?? []), element.parentElement, element.nextElementSibling].filter(Boolean);
        const ringed = candidates.some((one) => {
          const style = getComputedStyle(one);
          return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
        });
        return { what: element.outerHTML.slice(0, 120), ringed, shown: element.getClientRects().length > 0 };
      });
      if (!state) continue;
      assert.ok(state.shown, JSON.stringify(state));
      // Without a window manager WebKit's window is never the active one and draws no focus.
      if (engine !== 'webkit') assert.ok(state.ringed, JSON.stringify(state));
    }
  });

  test('language and theme answer to the keyboard and keep the focus', async (page) => {
    await page.open(server().site);
    await tabTo(page, 'lang-toggle');
    await page.press('Enter');
    await eventually('English', async () => (await page.attribute('html', 'lang')) === 'en');
    assert.equal(await focused(page), 'lang-toggle');
    const before = await page.attribute('#theme-toggle', 'aria-label');
    await page.press('Tab');
    await page.press(' ');
    await eventually('another theme', async () => (await page.attribute('#theme-toggle', 'aria-label')) !== before);
    assert.equal(await focused(page), 'theme-toggle');
  });

  test('a dialog takes the focus and gives it back on Escape', async (page) => {
    await page.open(server().site);
    await page.calculated('7');
    await page.shows('13.04 GiB');
    await page.evaluate(() => document.querySelector('#vram-gib').closest('button').focus());
    await page.press('Enter');
    await eventually('the focus inside the dialog', () => page.evaluate(() => document.activeElement.closest('dialog[open]') !== null));
    await page.press('Escape');
    await eventually('the focus back', () => page.evaluate(() => document.activeElement === document.querySelector('#vram-gib').closest('button')));
  });

  test('a dialog of the menu gives the focus back to the button of the menu', async (page) => {
    await page.open(server().site);
    await tabTo(page, 'menu-toggle');
    await page.press('Enter');
    await tabTo(page, 'menu-keys');
    await page.press('Enter');
    await eventually('the dialog', () => page.evaluate(() => document.querySelector('#key-list')?.open));
    await page.press('Escape');
    await eventually('the focus back', async () => (await focused(page)) === 'menu-toggle');
  });

  test('single keys can be switched off, and on again from the menu', async (page) => {
    await page.open(server().site);
    const onQuick = () => page.isVisible('#panel-quick');
    await page.press('?');
    await eventually('the list', () => page.evaluate(() => document.querySelector('#key-list')?.open));
    await page.click('#keys-on');
    await page.press('Escape');
    await page.press('2');
    await page.press('?');
    await tabTo(page, 'menu-toggle');
    assert.ok((await onQuick()) && !(await page.evaluate(() => document.querySelector('#key-list').open)), 'no key does anything');
    await page.press('Enter');
    await tabTo(page, 'menu-keys');
    await page.press('Enter');
    await page.click('#keys-on');
    await page.press('Escape');
    await page.press('2');
    await eventually('the second tab', async () => !(await onQuick()));
  });

  test('with Alt an arrow on a tab goes back in the browser, and to no other tab', async (page) => {
    await page.open(`${server().site}#v1;tab=train`);
    const left = await page.evaluate(() => {
      const arrow = new KeyboardEvent('keydown', { key: 'ArrowLeft', altKey: true, bubbles: true, cancelable: true });
      return document.getElementById('tab-train').dispatchEvent(arrow);
    });
    assert.equal(left, true, 'the key is left to the browser');
    assert.equal(await page.isVisible('#panel-train'), true);
  });

  test('what is drawn anew keeps the focus', async (page) => {
    await page.open(`${server().site}#v1;tab=infer`);
    await eventually('charts and maps', () => page.evaluate(() => document.querySelector('#panel-infer')?.dataset.settled));
    await page.evaluate(() => document.getElementById('runtime-ollama').focus());
    await page.press('Enter');
    await eventually('the other runtime', async () => (await page.attribute('#runtime-ollama', 'aria-pressed')) === 'true');
    assert.equal(await focused(page), 'runtime-ollama');
  });

  test('the shortest length of a training text is left with the arrow keys', async (page) => {
    await page.open(`${server().site}#v1;tab=train;sq=64`);
    await page.evaluate(() => document.getElementById('train-slider').focus());
    for (const length of ['128', '192', '256']) {
      await page.press('ArrowRight');
      assert.equal(await page.value('#train-sq'), length);
    }
    await page.press('ArrowLeft');
    assert.equal(await page.value('#train-sq'), '192');
  });

  test('Escape puts back what a field held', async (page) => {
    await page.open(server().site);
    await page.calculated('7');
    await page.fill('#params', '70');
    await page.shows('130.4 GiB');
    await page.press('Escape');
    assert.equal(await page.value('#params'), '7');
    await page.shows('13.04 GiB');
  });

  test('the answer is announced in one sentence', async (page) => {
    await page.open(server().site);
    await page.calculated('7');
    const said = () =>
      page.evaluate(() => [...document.querySelectorAll('[aria-live=polite], [role=status]')].map((one) => one.textContent).join('\n'));
    await eventually('13.04 in a live region', async () => (await said()).includes('13.04'));
  });
}
