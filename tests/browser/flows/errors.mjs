/** What cannot be calculated gets a sentence beside the field; the answer before it stays, greyed. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

const sentences = [
  ['', /数を入れてください/, /Enter a number/],
  ['0', /0 より大きい/, /above 0/],
  ['-1', /0 より大きい/, /above 0/],
  ['abc', /数として読めません/, /not a number/],
  ['NaN', /数として読めません/, /not a number/],
  ['Infinity', /数として読めません/, /not a number/],
  // On the way there "1e9" and "200000" were readable: theirs is the answer that stays.
  ['1e99', /大きすぎます/, /Too large/, '1.86 GiB'],
  ['2000000', /大きすぎます/, /Too large/, '372,529 GiB'],
  ['7 8', /数として読めません/, /not a number/],
  ['<b>7</b>', /数として読めません/, /not a number/],
];

export function errors({ alike, test, sources, server }) {
  for (const language of ['ja', 'en']) {
    const run = language === 'ja' ? test : alike;
    run(`a sentence for each unusable input, in ${language}; the answer before it stays, marked stale`, async (page) => {
      await page.open(server().site);
      await page.language(language);
      await page.calculated('7');
      for (const [typed, japanese, english, last = '13.04 GiB'] of sentences) {
        await page.fill('#params', '7');
        await page.shows('13.04 GiB', '14.00 GB');
        await page.fill('#params', typed);
        await page.press('Enter');
        const said = await eventually(`a sentence for "${typed}"`, () => page.error());
        assert.match(said, language === 'ja' ? japanese : english, `for "${typed}"`);
        assert.equal(await page.text('#vram-gib'), last, `"${typed}" leaves the last answer`);
        assert.equal(await page.isStale(), true, `"${typed}" marks it stale`);
        assert.equal(await page.attribute('#params', 'aria-invalid'), 'true');
        assert.match(await page.attribute('#params', 'aria-describedby'), /params-error/);
      }
      await page.fill('#params', '70');
      await page.shows('130.4 GiB', '140.0 GB');
      assert.notEqual(await page.attribute('#params', 'aria-invalid'), 'true');
    });
  }

  test('an error is in view before any answer was calculated', async (page) => {
    await page.open(sources.file());
    await page.fill('#params', 'abc');
    await page.calculate();
    assert.match(await eventually('a sentence', () => page.error()), /数として読めません/);
  });

  test('the error line is reserved: showing it moves nothing', async (page) => {
    await page.open(server().site);
    await page.calculated('7');
    const top = () => page.evaluate(() => Math.round(document.querySelector('#calculate').getBoundingClientRect().top + scrollY));
    await page.shows('13.04 GiB');
    const before = await top();
    await page.fill('#params', 'abc');
    await page.press('Enter');
    await eventually('a sentence', () => page.error());
    assert.equal(await top(), before);
  });

  test('bits and factor of the rule of thumb refuse nonsense in place', async (page) => {
    await page.open(server().site);
    await page.calculated('70');
    for (const field of ['#rule-bits', '#rule-factor']) {
      await page.fill(field, '-3');
      await page.press('Enter');
      await eventually(`${field} is marked`, async () => (await page.attribute(field, 'aria-invalid')) === 'true');
      await page.fill(field, field === '#rule-bits' ? '16' : '1.2');
      await eventually(`${field} is well again`, async () => (await page.attribute(field, 'aria-invalid')) !== 'true');
    }
    await page.showsText('#rule-gb', '168.0 GB');
  });

  test('a core that breaks off says so; a new start keeps what was typed', async (page) => {
    await page.open(server().site);
    await page.calculated('70', 'INT4');
    await page.shows('32.60 GiB');
    await eventually('the link', () => page.evaluate(() => location.hash.includes('p=70')));
    // Chromium tells the page nothing of rejections in the driver's own scripts.
    await page.evaluate(() => {
      const reason = new WebAssembly.RuntimeError('unreachable');
      dispatchEvent(new PromiseRejectionEvent('unhandledrejection', { promise: Promise.resolve(), reason }));
    });
    await eventually('the sentence', async () => (await page.visibleText()).includes('計算が途中で止まりました'));
    await page.evaluate(() => (window.before = true));
    await page.click('#start-again');
    await eventually('a new start', () => page.evaluate(() => !window.before && document.documentElement.hasAttribute('data-ready')));
    await page.shows('32.60 GiB');
    assert.equal(await page.isVisible('#start-again'), false);
  });
}
