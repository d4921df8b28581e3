/** A model's file name, typed, pasted or dropped, fills the form; only the name is read. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

const originals = [
  ['ELYZA-japanese-Llama-2-7b-fast-instruct.fp16', 7, 'FP16'],
  ['GPT-3-13b-accuracy.fp32', 13, 'FP32'],
  ['BERT-12b-optimized.int8', 12, 'INT8'],
  ['TinyBERT-4b-speed.q4', 4, 'INT4'],
  ['OptimizedGPT-6b-efficient.q8', 6, 'INT8'],
];

export function names({ alike, test, sources, server }) {
  const filled = async (page, billions, precision) => {
    await eventually(`${billions} in the form`, async () => parseFloat(await page.value('#params')) === billions);
    await eventually(`${precision} in the form`, () => page.isChecked(`precision-${precision}`));
  };

  alike('typed: the five examples of the original', async (page) => {
    await page.open(server().site);
    for (const [name, billions, precision] of originals) {
      await page.fill('#name-input', name);
      await filled(page, billions, precision);
      const chips = await page.text('#name-chips');
      assert.ok(chips.includes(String(billions)) && chips.includes(precision), `chips of ${name}: ${chips}`);
    }
  });

  test('typed, then Enter: the answer', async (page) => {
    await page.open(sources.file());
    await page.fill('#name-input', 'Mixtral-8x7B-Instruct-v0.1.Q5_K_S.gguf');
    await page.press('Enter');
    await eventually('46.7 in the form', async () => Math.abs(parseFloat(await page.value('#params')) - 46.7) < 0.05);
    await page.showsText('#vram-gib', 'GiB');
  });

  alike('every chip is a sentence, never the id of one', async (page) => {
    await page.open(server().site);
    for (const name of ['ELYZA-japanese-Llama-2-7b-fast-instruct.fp16', 'DeepSeek-R1-Distill-Qwen-32B-Q4_K_M-00001-of-00002.gguf', 'Qwen3-30B-A3B-UD-Q4_K_XL.gguf', 'gemma-3n-E4B-it']) {
      await page.fill('#name-input', name);
      const chips = await eventually('chips', () =>
        page.evaluate(() => {
          const all = [...document.querySelectorAll('#name-chips li')].map((chip) => [chip.dataset.note, chip.innerText.trim()]);
          return all.length ? all : null;
        }),
      );
      assert.deepEqual(chips.filter(([id, words]) => words === id || /[{}]|\[\[/.test(words)), [], name);
    }
  });

  test('pasted from the clipboard', async (page) => {
    await page.open(server().site);
    await page.evaluate((name) => {
      const field = document.createElement('textarea');
      field.id = 'clipboard-source';
      field.value = name;
      document.body.prepend(field);
    }, 'GPT-3-13b-accuracy.fp32');
    await page.click('#clipboard-source');
    await page.press('a', { control: true });
    await page.press('c', { control: true });
    await page.evaluate(() => document.querySelector('#clipboard-source').remove());
    await page.click('#name-input');
    await page.press('v', { control: true });
    await filled(page, 13, 'FP32');
  });

  const drop = (page, { file, text, on = 'body' }) =>
    page.evaluate(
      (fileName, words, where) => {
        const data = new DataTransfer();
        if (fileName) data.items.add(new File(['GGUF'], fileName));
        if (words) data.setData('text/plain', words);
        const target = document.querySelector(where);
        const accepted = (type) => !target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
        accepted('dragenter');
        return [accepted('dragover'), accepted('drop')];
      },
      file ?? null,
      text ?? null,
      on,
    );

  test('a file dropped anywhere gives its name; text too', async (page) => {
    await page.open(sources.file());
    assert.deepEqual(await drop(page, { file: 'BERT-12b-optimized.int8' }), [true, true], 'the page takes the drop, the browser does not open the file');
    await filled(page, 12, 'INT8');
    assert.equal(await page.value('#name-input'), 'BERT-12b-optimized.int8');
    await drop(page, { text: 'TinyBERT-4b-speed.q4' });
    await filled(page, 4, 'INT4');
  });

  alike('a name that says nothing leaves the form alone and says so', async (page) => {
    await page.open(server().site);
    await page.calculated('7', 'INT8');
    await page.fill('#name-input', 'Phi-3-mini-4k-instruct-q4.gguf');
    await eventually('the chip', async () => /名前に(は)?.*大きさ|大きさ.*(ない|なく|ありません)/.test(await page.text('#name-chips')));
    await page.fill('#name-input', 'my-favourite-model.gguf');
    await eventually('both doubts', async () => /精度がありません/.test(await page.text('#name-chips')));
    assert.match(await page.text('#name-chips'), /大きさがありません/);
  });

  test('markup in a name stays text', async (page) => {
    await page.open(server().site);
    await drop(page, { file: '<img src=x onerror=console.error(1)>-7b.fp16' });
    await filled(page, 7, 'FP16');
    await page.language('en');
    assert.equal(await page.evaluate(() => document.querySelectorAll('main img').length), 0);
  });

  test('a name of a hundred thousand characters is no trouble', async (page) => {
    await page.open(server().site);
    await drop(page, { text: `${'x'.repeat(100_000)}-7b.fp16` });
    await filled(page, 7, 'FP16');
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  });
}
