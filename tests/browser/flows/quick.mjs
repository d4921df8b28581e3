/** Fill, press, read: the reason the page exists. Every engine, from a server and from disk. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

// 7e9 parameters × bytes, in GiB (÷ 2^30) and GB (÷ 10^9), rounded as the page prints them.
const sevenBillion = {
  FP32: ['26.08', '28.00'],
  FP16: ['13.04', '14.00'],
  BF16: ['13.04', '14.00'],
  INT8: ['6.52', '7.00'],
  INT4: ['3.26', '3.50'],
};

const accepted = [
  ['7', '13.04'],
  ['7B', '13.04'],
  ['7b', '13.04'],
  ['７Ｂ', '13.04'],
  ['７', '13.04'],
  ['70億', '13.04'],
  ['7,000,000,000', '13.04'],
  ['0.5B', '0.93'],
  ['135M', '0.25'],
  ['1.1T', '2,049'],
  ['1兆', '1,863'],
  [' 7 ', '13.04'],
];

export function quick({ test, sources, server }) {
  // The single file is UTF-16, whatever a server says.
  const hostedFile = () => `${server().site}meyasu.html`;
  for (const [source, url] of Object.entries({ ...sources, 'file on a server of UTF-8': hostedFile })) {
    test(`7 × FP16 = 13.04 GiB = 14.00 GB, over ${source}`, async (page) => {
      await page.open(url());
      await page.calculated('7', 'FP16');
      await page.shows('13.04 GiB', '14.00 GB');
      await page.showsText('#ram-gib', '13.04 GiB');
      const formula = await page.text('#formula');
      assert.match(formula, /7 × 2 × .*10.*13\.0385/, 'the formula carries the visitor’s numbers');
    });
  }

  test('all five precisions, followed live after the first press', async (page) => {
    await page.open(server().site);
    await page.calculated('7');
    for (const [name, [gib, gb]] of Object.entries(sevenBillion)) {
      await page.precision(name);
      await page.shows(`${gib} GiB`, `${gb} GB`);
    }
    await page.precision('FP16');
    await page.fill('#params', '70');
    await page.shows('130.4 GiB', '140.0 GB');
    await page.fill('#params', '405');
    await page.precision('FP32');
    await page.shows('1,509 GiB', '1,620 GB');
    await page.fill('#params', '0.5');
    await page.precision('INT4');
    await page.showsText('#formula', '0.2328');
  });

  test('before the first press nothing changes but the example, which says that it is one', async (page) => {
    await page.open(server().site);
    assert.match(await page.text('#result'), /例/);
    await page.fill('#params', '70');
    await page.precision('INT4');
    await page.showsText('#vram-gib', '13.04 GiB');
    await page.calculate();
    await page.shows('32.60 GiB', '35.00 GB');
    assert.doesNotMatch(await page.text('#result-notice'), /例/);
  });

  test('Enter in the field calculates', async (page) => {
    await page.open(server().site);
    await page.fill('#params', '13');
    await page.press('Enter');
    await page.shows('24.21 GiB', '26.00 GB');
  });

  test('numbers as people type them', async (page) => {
    await page.open(server().site);
    await page.calculated('1');
    for (const [typed, wanted] of accepted) {
      await page.fill('#params', typed);
      await page.showsText('#vram-gib', wanted);
      assert.equal(await page.error(), '', `"${typed}" is accepted`);
    }
  });

  test('the rule of thumb: 70B at 16 and at 4 bit, its cards, and another factor', async (page) => {
    const cards = async (name) => {
      const row = await page.evaluate((start) => {
        const found = [...document.querySelectorAll('#gpu-table tr')].find((line) => line.cells[0].innerText.replace(/\s/g, ' ').includes(start));
        return [...found.cells].map((cell) => cell.innerText.trim());
      }, name);
      return row.slice(1).map((cell) => Number(/\d+/.exec(cell)[0]));
    };
    const [byRule, forWeights] = [0, 1];
    await page.open(server().site);
    await page.calculated('70', 'FP16');
    await page.showsText('#rule-gb', '168.0 GB');
    assert.equal((await cards('A100 80'))[byRule], 2);
    await page.fill('#rule-bits', '4');
    await page.showsText('#rule-gb', '42.00 GB');
    assert.equal((await cards('L4'))[byRule], 2);
    await page.fill('#rule-factor', '1');
    await page.showsText('#rule-gb', '35.00 GB');
    await page.fill('#params', '176');
    await page.fill('#rule-bits', '16');
    await page.showsText('#rule-gb', '352.0 GB');
    assert.equal((await cards('A6000'))[forWeights], 8);
  });

  test('every number opens its formula and its source', async (page) => {
    await page.open(server().site);
    await page.calculated('7');
    await page.shows('13.04 GiB');
    for (const number of ['#vram-gib', '#ram-gib', '#rule-gb', '#ram-installed']) {
      await page.click(number);
      await eventually(`a dialog for ${number}`, () => page.evaluate(() => document.querySelector('dialog[open]') !== null));
      const text = await page.text('dialog[open]');
      assert.match(text, /式/);
      assert.match(text, /\d/);
      await page.press('Escape');
      await eventually('the dialog to close', () => page.evaluate(() => document.querySelector('dialog[open]') === null));
    }
  });
}
