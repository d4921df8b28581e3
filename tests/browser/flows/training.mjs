/** The tab 学習: does a step fit, what makes up its peak, known cases, what cannot be. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

export function training({ test, sources }) {
  const open = (page, fragment) => page.open(`${sources.file()}#v1;tab=train;${fragment}`);
  const peak = async (page) => Number((await page.text('#train-answer .stats strong')).replace(/[^\d.]/g, ''));

  test('QLoRA of 8B fits 16 GB; a term opens its formula and source; the counter moves the peak', async (page) => {
    await open(page, 'tm=qlora;sq=2048;bs=1');
    assert.match(await page.text('#train-verdict'), /収まります/);
    await eventually('limits', async () => /tok/.test(await page.text('#train-answer .stats')));
    await page.click('#term-gpu0-logits');
    assert.match(await page.text('dialog[open]'), /bytes_per_logit/);
    assert.match(await page.text('dialog[open]'), /2410\.10989/);
    await page.press('Escape');
    const driver = await peak(page);
    await open(page, 'tm=qlora;sq=2048;bs=1;cw=allocated');
    assert.ok((await peak(page)) < driver, 'the allocator sees less than the driver');
  });

  test('the lesson: 1B in fp32 is 17 to 18 GB; it gives back what was there', async (page) => {
    await open(page, 'tm=lora;sq=1024;bs=3');
    await page.evaluate(() => {
      const select = document.getElementById('train-preset');
      select.value = 'lesson_1b';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await eventually('the case', async () => /pythia-1b/.test(await page.text('#train-answer')));
    assert.match(await page.text('#bar-machine-name'), /3090/);
    await page.click('#train-back');
    await eventually('mine again', async () => /Llama-3\.1-8B/.test(await page.text('#train-answer')));
    assert.equal(await page.evaluate(() => document.getElementById('train-bs').value), '3');
  });

  test('full training on a small card: advice with its price applies with one press and is taken back; the program follows', async (page) => {
    await open(page, 'tm=full;sq=2048;bs=1;g=rtx-3090');
    assert.match(await page.text('#train-verdict'), /足りません/);
    await eventually('advice', async () => /QLoRA/.test(await page.text('#train-advice')));
    assert.match(await page.text('#train-advice li:first-child'), /時間/);
    const before = await peak(page);
    await page.evaluate(() => [...document.querySelectorAll('#train-advice li')].find((row) => /QLoRA/.test(row.textContent)).querySelector('button').click());
    await eventually('it fits', async () => !/足りません/.test(await page.text('#train-verdict')));
    assert.ok((await peak(page)) < before);
    await eventually('the program', async () => /SFTTrainer/.test(await page.text('#train-config')));
    await page.click('#toast-undo');
    await eventually('undone', async () => (await peak(page)) === before);
    await eventually('ZeRO', async () => /31\.4/.test(await page.text('#zero')));
  });

  test('what cannot be gets its sentence beside the field, the last answer stays', async (page) => {
    await open(page, 'tm=lora;sq=1024;bs=1');
    await page.evaluate(() => (document.querySelector('#panel-train .advanced').open = true));
    for (const [id, text, sentence] of [
      ['rk', '0', /rank は 1〜/],
      ['bs', '0', /0 より大きい/],
      ['tp', '3', /分けられません/],
      ['pp', '33', /層 32 を超えて/],
      ['sq', '200000', /131,072 を超えて/],
    ]) {
      const was = await page.evaluate((key) => document.getElementById(`train-${key}`).value, id);
      await page.fill(`#train-${id}`, text);
      await page.press('Enter');
      await eventually(id, async () => sentence.test(await page.text(`#train-${id}-error`)));
      assert.ok(await page.evaluate(() => document.getElementById('train-answer').dataset.stale !== undefined), 'the answer before it stays, greyed');
      assert.ok((await peak(page)) > 0);
      await page.fill(`#train-${id}`, was);
      await page.press('Enter');
    }
  });
}
