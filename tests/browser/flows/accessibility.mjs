/** axe-core finds no violation: phone and desktop, light and dark, a language each, every state. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { eventually } from '../lib/meyasu.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const violations = async (page, rules = {}) => {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  return page.evaluate(async (chosen) => {
    const { violations: found } = await window.axe.run(document, { resultTypes: ['violations'], rules: chosen });
    return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.target.join(' ')} (${node.any.concat(node.all, node.none).map((check) => check.message)[0] ?? ''})`).join(' | ')}`);
  }, rules);
};

const states = {
  'the first view': async () => {},
  'an answer and an open guide': async (page) => {
    await page.fill('#name-input', 'Qwen3-30B-A3B-UD-Q4_K_XL.gguf');
    await page.press('Enter');
    await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
  },
  'an error': async (page) => {
    await page.fill('#params', 'abc');
    await page.press('Enter');
    await eventually('a sentence', () => page.error());
  },
  'an open explanation': async (page) => {
    await page.calculated('7');
    await page.shows('13.04 GiB');
    await page.click('#vram-gib');
    await eventually('a dialog', () => page.evaluate(() => document.querySelector('dialog[open]') !== null));
    await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  },
};

/** Tabs that draw charts a little after the answer, and say when they are done. */
const chartTabs = ['infer', 'train', 'off'];

export function accessibility({ alike, test, server }) {
  // Colours depend neither on the language nor on the width: each of them once.
  const views = [['ja', 'light', 1440], ['en', 'dark', 360]];
  for (const [language, theme, width] of views)
    alike(`axe-core: ${language}, ${theme}, ${width} px`, async (page) => {
      await page.open(server().site, { width, height: 900 });
      await page.language(language);
      await page.theme(theme);
      for (const [name, reach] of Object.entries(states)) {
        await reach(page);
        assert.deepEqual(await violations(page), [], name);
      }
    });

  for (const [, theme, width] of views)
    alike(`axe-core: tabs with charts, ${theme}, ${width} px`, async (page) => {
      for (const tab of chartTabs) {
        await page.open(`${server().site}#v1;tab=${tab};theme=${theme}`, { width, height: 900 });
        await eventually('charts and maps', () => page.evaluate((id) => document.querySelector(`#panel-${id}`).dataset.settled !== undefined, tab));
        await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
        assert.deepEqual(await violations(page), [], tab);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${tab} scrolls sideways`);
      }
    });

  test('axe-core: the embedded calculator', async (page) => {
    await page.open(`${server().site}embed.html#v1;p=7;q=fp16`, { width: 480, height: 700 });
    // Inside a blog's page it is the blog that has the first heading.
    assert.deepEqual(await violations(page, { 'page-has-heading-one': { enabled: false } }), []);
  });
}
