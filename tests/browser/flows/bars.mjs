/** The model and the machine that all tabs share: bars, pickers, link. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';
import { violations } from './accessibility.mjs';

export function bars({ alike, test, server }) {
  const open = (page, fragment = '', options) => page.open(`${server().site}#v1;tab=infer${fragment && `;${fragment}`}`, options);
  const says = (page, selector, wanted) => page.showsText(selector, wanted);
  const hashHas = (page, part) => eventually(part, () => page.evaluate((text) => decodeURIComponent(location.hash).includes(text), part));
  const still = (page) => page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  const openMachine = async (page) => {
    await page.click('#bar-machine');
    await eventually('a dialog', () => page.evaluate(() => document.querySelector('#machine-picker').open));
    await still(page);
  };

  test('a model and a machine are four words away; the answer follows and the link keeps them', async (page) => {
    await open(page);
    await says(page, '#bar-model-name', '例');
    await page.click('#bar-model');
    await still(page);
    await page.fill('#pick-model-search', 'qwen3 32b');
    await page.press('Enter');
    await says(page, '#bar-model-name', 'Qwen3-32B');
    await says(page, '#infer-verdict', '足りません');
    await openMachine(page);
    await page.fill('#machine-search', '2x l40s');
    await page.press('Enter');
    await says(page, '#bar-machine-name', '2 × L40S');
    await says(page, '#infer-verdict', '収まります');
    await hashHas(page, ';m=Qwen/Qwen3-32B');
    await hashHas(page, ';g=l40s*2');
    const link = await page.evaluate(() => location.href);
    await page.open(link);
    await says(page, '#bar-machine-name', '2 × L40S');
    await says(page, '#bar-model-name', 'Qwen3-32B');
  });

  alike('links of earlier versions name one kind of GPU, its number, usable memory, RAM and system', async (page) => {
    await open(page, 'm=meta-llama/Llama-3.1-8B;g=rtx-3090;ng=2;gu=20;ram=64;os=windows;dt=1');
    await says(page, '#bar-machine-name', '2 × RTX 3090 24 GB');
    await says(page, '#bar-machine-note', '2 × 20.00 GiB');
    await says(page, '#bar-machine-note', 'RAM 64 GB');
    await says(page, '#infer-assumptions', 'Windows');
    await says(page, '#infer-assumptions', '画面表示にも使う');
    await open(page, 'g=none;ram=16');
    await says(page, '#bar-machine-name', 'GPU なし');
  });

  alike('unequal devices, each with what is held back', async (page) => {
    await open(page, 'g=rtx-4090');
    const usable = () => page.text('#bar-machine-note');
    const before = await usable();
    await openMachine(page);
    await page.click('#machine-add');
    await page.fill('#machine-search', '3060 12gb');
    await page.press('Enter');
    await says(page, '#machine-1-capacity', '使える');
    await page.click('#machine-picker .machine-device:nth-of-type(2) summary');
    await page.fill('#machine-1-reserve', '2');
    await page.press('Enter');
    await hashHas(page, 'g=rtx-4090,rtx-3060~r2');
    await page.press('Escape');
    await says(page, '#bar-machine-name', 'RTX 4090 24 GB ＋ RTX 3060 12 GB');
    await eventually('another amount', async () => (await usable()) !== before);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'bar-machine', 'the focus goes back');
  });

  test('a GPU nobody knows: its size is enough, and is asked for in words', async (page) => {
    await open(page);
    await openMachine(page);
    await page.fill('#machine-search', 'かいぞくばん');
    await page.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'machine-own-size', 'it is reached without a mouse');
    await page.press('Enter');
    await says(page, '#machine-0-total-error', 'メモリの大きさを入れてください');
    await page.fill('#machine-0-total', '49140');
    await says(page, '#machine-0-capacity', '使える');
    await page.press('Enter');
    await page.press('Escape');
    await says(page, '#bar-machine-name', 'かいぞくばん');
    // The address follows a moment after the typing.
    const link = await eventually('the size in the link', () => page.evaluate(() => /t49140/.test(location.href) && location.href));
    await page.open(link);
    await says(page, '#bar-machine-name', 'かいぞくばん');
    await says(page, '#infer-verdict', '収まります');
  });

  test('a machine without a GPU: the button is gone and the focus stays in the picker', async (page) => {
    await open(page);
    await openMachine(page);
    await page.click('#machine-none');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'machine-search');
    await says(page, '#bar-machine-name', 'GPU なし');
  });

  alike('bad numbers get their sentence and stale answers, never a number that looks fine', async (page) => {
    await open(page);
    await openMachine(page);
    for (const [field, typed, wanted] of [
      ['ram', 'x', /数として/],
      ['ram', '0', /0 より大きい/],
      ['0-count', '99', /1〜16/],
      ['0-count', '1.5', /整数/],
    ]) {
      const before = await page.value(`#machine-${field}`);
      await page.fill(`#machine-${field}`, typed);
      await page.press('Enter');
      await eventually(`${field}=${typed}`, async () => wanted.test(await page.text(`#machine-${field}-error`)));
      await eventually('a stale answer', () => page.evaluate(() => 'stale' in document.querySelector('#infer-answer').dataset));
      await page.fill(`#machine-${field}`, before);
      await page.press('Enter');
      await eventually('a fresh answer', () => page.evaluate(() => !('stale' in document.querySelector('#infer-answer').dataset)));
    }
    // More than any card has left.
    await page.click('#machine-picker .advanced summary');
    await page.fill('#machine-0-reserve', '400');
    await eventually('a sentence', async () => /残りません/.test(await page.text('#machine-0-capacity')));
  });

  test('a model or a device that the catalogs lack is said, and the example used', async (page) => {
    await open(page, 'm=nobody/nothing');
    await says(page, '.banner', 'm=nobody/nothing');
    await says(page, '#bar-model-name', 'Llama-3.1-8B');
    await open(page, 'g=warp-drive');
    await says(page, '#bar-machine-note', 'warp-drive');
  });

  test('keys: model, machine, tabs, the largest term, and the list of them; none while typing', async (page) => {
    const opened = () => page.evaluate(() => document.querySelector('dialog[open]')?.id ?? '');
    const opens = (id) => eventually(`dialog ${id}`, async () => (await opened()) === id);
    const tab = (id) => eventually(`tab ${id}`, () => page.evaluate((name) => document.querySelector(`#panel-${name}`) !== null, id));
    await open(page);
    for (const [key, id] of [['/', 'model-picker'], ['m', 'machine-picker'], ['?', 'key-list']]) {
      await page.press(key);
      await opens(id);
      await page.press('Escape');
      await opens('');
    }
    await page.press('e');
    await eventually('the largest term', async () => /重み/.test(await page.text('dialog[open] h2')));
    await page.press('Escape');
    await page.press('1');
    await tab('quick');
    await page.press('2');
    await tab('infer');
    await page.click('#infer-u');
    await page.type('1m');
    assert.equal(await opened(), '');
    assert.match(await page.value('#infer-u'), /1m/);
    await page.evaluate(() => history.back());
    await tab('quick');
  });

  test('the bars stay in sight from 721 px and hide nothing that has the focus', async (page) => {
    await open(page, '', { width: 1000, height: 700 });
    await page.evaluate(() => scrollTo(0, 900));
    await eventually('bars on top', () => page.evaluate(() => Math.round(document.querySelector('#bars').getBoundingClientRect().top) === 0));
    await open(page, '', { width: 720, height: 700 });
    await page.evaluate(() => scrollTo(0, 900));
    await eventually('scrolled away', () => page.evaluate(() => document.querySelector('#bars').getBoundingClientRect().bottom < 0));
  });

  for (const width of [320, 1440])
    for (const picker of ['model', 'machine'])
      alike(`axe-core and width: the ${picker} picker at ${width} px`, async (page) => {
        await open(page, 'g=m4-max-40,rtx-4090~d1;os=macos', { width, height: 800 });
        await page.click(`#bar-${picker}`);
        await still(page);
        assert.deepEqual(await violations(page), []);
        assert.ok((await page.evaluate((id) => document.querySelector(id).scrollWidth - document.querySelector(id).clientWidth, `#${picker}-picker`)) <= 0);
      });
}
