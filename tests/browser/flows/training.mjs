/** The tab 学習: does a step fit, what makes up its peak, known cases, what cannot be. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

/**
 * The example of the guide: Llama-3.1-8B, 2,048 tokens and batch 1 on an RTX 4090, and what is changed
 * of it. The rows of its table are the terms of the tab.
 */
const GUIDE_CASE = 'm=meta-llama/Llama-3.1-8B;sq=2048;bs=1;g=rtx-4090';
const GUIDE_METHODS = ['full', 'lora', 'qlora'];
const GUIDE_TERMS = ['weights', 'gradients', 'optimizer_states', 'activations', 'logits'];
const GUIDE_CHANGES = ['tm=lora;ck=none', 'tm=qlora;lo=cce', 'tm=qlora;bs=4', 'tm=full;op=adamw_8bit'];

export function training({ alike, test, sources, engine }) {
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

  if (engine === 'chromium')
    test('the numbers in the guide are those of this tab', async (page) => {
      const guides = [];
      for (const language of ['ja', 'en']) {
        await page.open(`${sources.file()}#v1;lang=${language}`);
        guides.push(
          await page.evaluate(() => {
            const topic = document.querySelector('#guide-training');
            const rows = [...topic.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent));
            return { rows, text: topic.textContent };
          }),
        );
      }
      /** Terms at the peak as the tab writes them, in GiB; the total last. */
      const shown = async (settings) => {
        await open(page, `${GUIDE_CASE};${settings}`);
        const terms = await page.evaluate(
          (names) => names.map((name) => document.querySelector(`#term-gpu0-${name} .term-amount`)?.textContent.match(/^([\d.]+)\s*GiB/)?.[1] ?? ''),
          GUIDE_TERMS,
        );
        return [...terms, (await page.text('#train-answer .stats strong')).match(/[\d.]+/)[0]];
      };
      for (const [at, method] of GUIDE_METHODS.entries()) {
        const wanted = await shown(`tm=${method}`);
        for (const { rows } of guides) {
          const column = rows.map((row) => row[at].replace(/^[―–]$/, ''));
          // The rest of the table is what is left to the total.
          assert.deepEqual([...column.slice(0, GUIDE_TERMS.length), column.at(-1)], wanted, method);
          const sum = column.slice(0, -1).reduce((total, cell) => total + Number(cell), 0);
          assert.ok(Math.abs(sum - Number(column.at(-1))) < 0.11, `${method}: ${sum}`);
        }
      }
      for (const settings of GUIDE_CHANGES) {
        const total = (await shown(settings)).at(-1);
        for (const { text } of guides) assert.ok(text.includes(`${total} GiB`), `${settings}: ${total}`);
      }
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

  test('too little RAM: its shortage is the answer, and SSD terms are in the export', async (page) => {
    await open(page, 'tm=full;of=nvme;dpm=zero3;g=rtx-4090;ram=32');
    const short = /不足 ([\d.]+ GiB)/.exec(await page.text('#train-verdict'))[1];
    assert.match(await page.text('#train-answer .verdict-margin'), new RegExp(`足りない量 ${short}`));
    await page.click('#menu-toggle');
    await page.click('#menu-export');
    assert.match(await page.text('.export-card'), new RegExp(`不足 ${short}`));
    assert.match(await page.text('.export-card'), /SSD/);
  });

  alike('what cannot be gets its sentence beside the field, the last answer stays', async (page) => {
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
