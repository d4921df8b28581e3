/** The tab 推論: expected numbers are those of a real load log of llama.cpp, not our own output. */
import assert from 'node:assert/strict';
import { ggufFile } from '../lib/gguf.mjs';
import { eventually } from '../lib/meyasu.mjs';

/**
 * Llama-3.1-8B Q4_K_M, -c 8192 -ngl 99 in CUDA logs: "CUDA0 model buffer size = 4403.49 MiB",
 * "CPU_Mapped model buffer size = 281.81 MiB", "KV buffer size = 1024.00 MiB".
 */
const LOGGED = { weights: '4,403.5 MiB', mapped: '281.8 MiB', kv: '1,024.0 MiB' };

export function inference({ alike, test, server, sources }) {
  const open = (page, fragment = '', options) => page.open(`${server().site}#v1;tab=infer${fragment && `;${fragment}`}`, options);
  const settled = (page) => eventually('charts and maps', () => page.evaluate(() => document.querySelector('#panel-infer')?.dataset.settled));
  const term = (page, id) => page.text(`#term-${id}`);
  const shows = (page, id, text) => eventually(`${text} in ${id}`, async () => (await term(page, id)).includes(text));
  const pick = (page, id, value) =>
    page.evaluate(
      (where, chosen) => {
        const select = document.getElementById(where);
        select.value = chosen;
        select.dispatchEvent(new Event('change', { bubbles: true }));
      },
      id,
      value,
    );

  for (const [name, source] of Object.entries(sources))
    test(`the first view is a worked example with the numbers of a load log (${name})`, async (page) => {
      await page.open(`${source()}#v1;tab=infer`);
      assert.match(await term(page, 'gpu0-weights'), new RegExp(LOGGED.weights));
      assert.match(await term(page, 'host-weights_mapped'), new RegExp(LOGGED.mapped));
      assert.match(await term(page, 'gpu0-kv_cache'), new RegExp(LOGGED.kv));
      await settled(page);
    });

  test('context, KV type and quantization change the numbers, and the link keeps them', async (page) => {
    await open(page);
    await page.fill('#infer-c', '16384');
    await shows(page, 'gpu0-kv_cache', '2,048.0 MiB');
    // q8_0 stores 34 bytes where f16 stores 64.
    await page.choose('infer-kv-q8_0');
    await shows(page, 'gpu0-kv_cache', '1,088.0 MiB');
    await pick(page, 'infer-w', 'Q8_0');
    await eventually('other weights', async () => !(await term(page, 'gpu0-weights')).includes(LOGGED.weights));
    const weights = await term(page, 'gpu0-weights');
    const link = await eventually('the link', () =>
      page.evaluate(() => (/c=16384/.test(location.hash) && /k=q8_0/.test(location.hash) && /w=Q8_0/.test(location.hash) ? location.href : '')),
    );
    await page.open(link);
    await shows(page, 'gpu0-kv_cache', '1,088.0 MiB');
    assert.equal(await term(page, 'gpu0-weights'), weights);
  });

  test('the slider and the field are one value; keys move it in steps of the runtime', async (page) => {
    await open(page);
    await page.evaluate(() => document.querySelector('#infer-slider').focus());
    await page.press('PageUp');
    await eventually('16384', async () => (await page.value('#infer-c')) === '16384');
    await page.press('ArrowRight');
    const next = Number(await page.value('#infer-c'));
    assert.ok(next > 16384 && next % 256 === 0, String(next));
  });

  test('quantized V without flash attention: the sentence of the runtime, the last answer stale', async (page) => {
    await open(page, 'k=q8_0;fa=off');
    await eventually('a sentence', async () => /Flash Attention/.test(await page.text('#infer-k-error')));
    await pick(page, 'infer-fa', 'auto');
    await eventually('no sentence', async () => !(await page.isVisible('#infer-k-error')));
    await shows(page, 'gpu0-kv_cache', '544.0 MiB');
  });

  alike('bad numbers get a sentence each, and never a number that looks fine', async (page) => {
    await open(page);
    for (const [field, typed, wanted] of [
      ['c', '0', /文脈長は 1〜/],
      ['c', '1000000000000', /文脈長は 1〜/],
      ['u', '0', /人数は 1〜/],
      ['u', 'x', /数として/],
    ]) {
      const before = await page.value(`#infer-${field}`);
      await page.fill(`#infer-${field}`, typed);
      await page.press('Enter');
      await eventually(`${field}=${typed}`, async () => wanted.test(await page.text(`#infer-${field}-error`)));
      assert.ok(await page.evaluate(() => 'stale' in document.querySelector('#infer-answer').dataset));
      await page.fill(`#infer-${field}`, before);
      await page.press('Enter');
      await eventually('a fresh answer', () => page.evaluate(() => !('stale' in document.querySelector('#infer-answer').dataset)));
    }
    await page.fill('#infer-c', '262144');
    await eventually('the doubt', async () => /学習した長さ 131,072/.test(await page.text('#infer-c-hint')));
  });

  alike('every setting that the runtime refuses or corrects has its own sentence', async (page) => {
    for (const [fragment, field, wanted] of [
      ['c=262144', 'c-hint', /学習した長さ 131,072 を超えています/],
      ['k=f16;v=q8_0;fa=off', 'v-error', /Flash Attention が必要/],
      ['m=deepseek-ai/DeepSeek-V2-Lite;k=f16;v=q8_0', 'k-error', /K と V を同じ型/],
      ['m=meta-llama/Llama-3.1-8B;ngl=999', 'ngl-hint', /層は 33 なので全部/],
      ['b=256;ub=512', 'ub-error', /ubatch は batch 以下/],
      ['g=rtx-3090*2;ts=0,0', 'ts-error', /割り当てが空/],
      ['ot=exps', 'ot-error', /名前の形=置き場所/],
      ['ot=exps%3DCUDA7', 'ot-error', /CUDA7 という置き場所はありません/],
      ['ot=(%3DCPU', 'ot-error', /文字目が読めません/],
      ['m=meta-llama/Llama-3.1-8B;dr=meta-llama/Llama-3.2-1B;nd=-1', 'nd-error', /0〜1,024/],
      ['lr=99999', 'lr-error', /0〜4,096/],
    ]) {
      await open(page, fragment);
      await eventually(fragment, async () => wanted.test(await page.text(`#infer-${field}`)));
    }
  });

  alike('-ot, experts on the CPU, a draft model, LoRA and mmproj each move or add their bytes', async (page) => {
    const rows = () => page.evaluate(() => [...document.querySelectorAll('.term')].map(({ id }) => id));
    await open(page, 'm=Qwen/Qwen3-30B-A3B;w=Q4_K_M');
    const whole = await term(page, 'gpu0-weights');
    for (const way of ['cmoe=1', 'nmoe=48', 'ot=exps%3DCPU']) {
      await open(page, `m=Qwen/Qwen3-30B-A3B;w=Q4_K_M;${way}`);
      const moved = await term(page, 'gpu0-weights');
      assert.notEqual(moved, whole, way);
      await settled(page);
      assert.match(await page.text('#command'), way === 'cmoe=1' ? /--cpu-moe/ : way === 'nmoe=48' ? /--n-cpu-moe 48/ : /-ot .?exps=CPU/);
    }
    await open(page, 'm=meta-llama/Llama-3.1-8B;dr=meta-llama/Llama-3.2-1B;mp=800;lr=16;ln=2');
    assert.ok((await rows()).includes('term-gpu0-draft_kv_cache'));
    assert.match(await term(page, 'gpu0-mmproj_weights'), /800\.0 MiB/);
    assert.match(await term(page, 'gpu0-lora_weights'), /160\.0 MiB/); // 2 x 41,943,040 parameters of 2 bytes
    await settled(page);
    assert.match(await page.text('#command'), /-md draft\.gguf/);
  });

  test('Transformers and ExLlama stand beside the others, with terms and a program', async (page) => {
    await open(page);
    await settled(page);
    await page.click('#runtime-exllamav3');
    await eventually('ExLlamaV3', async () => (await page.value('#infer-r')) === 'exllamav3');
    // 4 B x 32 layers x 8 heads x 128 x 8192 tokens.
    assert.match(await term(page, 'gpu0-kv_cache'), /1,024\.0 MiB/);
    await eventually('its program', async () => /max_num_tokens=8192/.test(await page.text('#command')));
    await page.click('#runtime-transformers');
    await eventually('Transformers', async () => (await page.value('#infer-r')) === 'transformers');
    assert.match(await term(page, 'gpu0-activations'), /864\.0 MiB/); // 8192 x 2 B x 3 x (14336 + 4096)
    await settled(page);
    assert.match(await page.text('#command'), /load_in_4bit=True/);
    assert.equal(await page.text('#runtime-transformers .runtime-name strong'), 'Transformers');
  });

  alike('how far it goes: applying an answer fits, and the users at each context never grow', async (page) => {
    for (const runtime of ['llama-server', 'vllm', 'exllamav3']) {
      await open(page, `r=${runtime};g=rtx-4090`);
      await settled(page);
      const counts = await page.evaluate(() =>
        [...document.querySelectorAll('#users-by-context tbody td')].map((cell) => Number(cell.textContent.replace(/[^\d]/g, ''))),
      );
      assert.ok(counts[0] > 0 && counts.every((count, at) => at === 0 || count <= counts[at - 1]), `${runtime}: ${counts}`);
      await page.click('#limit-users-apply');
      await eventually('it fits', async () => !/足りません|しか/.test(await page.text('#infer-verdict')));
    }
  });

  test('a cell of a map applies its setting', async (page) => {
    await open(page);
    await settled(page);
    await page.click('#map-quant-1-2');
    await eventually('Q8_0', async () => (await page.value('#infer-w')) === 'Q8_0' && (await page.value('#infer-c')) === '16384');
    await shows(page, 'gpu0-kv_cache', '2,048.0 MiB');
    await eventually('the cell is the current one', async () => (await page.attribute('#map-quant-1-2', 'aria-pressed')) === 'true');
  });

  test('the chart and the maps are of the chosen runtime, servers and libraries too', async (page) => {
    for (const [runtime, name, field, tokenBytes] of [
      ['vllm', 'vLLM', 'wf', 131072], // bf16: 2 x 32 layers x 8 heads x 128 x 2 bytes a token
      ['exllamav3', 'ExLlamaV3', 'lf', 131072],
    ]) {
      await open(page, `r=${runtime};m=meta-llama/Llama-3.1-8B;g=rtx-4090`);
      await settled(page);
      const rows = await page.evaluate(() => [...document.querySelectorAll('#infer-chart tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent)));
      const number = (text) => Number(text.replace(/[^\d.]/g, ''));
      const [before, after] = rows.slice(-2).map(([context, most]) => [number(context), number(most)]);
      const grown = (after[1] - before[1]) / (((after[0] - before[0]) * tokenBytes) / 2 ** 30);
      assert.ok(grown > 0.98 && grown < 1.05, `${runtime}: a token of the chart takes ${grown} of its KV cache`);
      assert.ok((await page.text('#panel-infer')).includes(name));
      const wanted = await page.text('#map-quant tbody tr:nth-child(2) th');
      await page.click('#map-quant-1-1');
      await eventually('the format', async () => (await page.evaluate((id) => document.getElementById(id).selectedOptions[0].textContent, `infer-${field}`)).includes(wanted));
      assert.equal(await page.value('#infer-c'), '8192');
    }
  });

  alike('a cell of the map of users says what the answer says when it is applied', async (page) => {
    for (const runtime of ['llama-server', 'vllm', 'transformers']) {
      await open(page, `r=${runtime};m=meta-llama/Llama-3.1-8B;g=rtx-4090;w=F16`);
      await settled(page);
      for (const [shown, said] of [
        ['over', /足りません|起動しません/],
        ['fits', /収まります/],
      ]) {
        const cell = await page.evaluate((kind) => [...document.querySelectorAll(`#map-users .cell-${kind}`)].pop()?.id, shown);
        assert.ok(cell, `${runtime}: a cell that is ${shown}`);
        const before = await page.attribute('#panel-infer', 'data-settled');
        await page.click(`#${cell}`);
        await eventually(`${runtime} ${cell}: ${shown}`, async () => said.test(await page.text('#infer-verdict')));
        await eventually('the maps again', async () => (await page.attribute('#panel-infer', 'data-settled')) !== before);
      }
    }
  });

  alike('what each layer keeps and weighs is shown as the chosen runtime stores it', async (page) => {
    // DeepSeek-V2-Lite, 8192 tokens of 16 bit: the latent of 512 + 64 values, or 16 heads of 128 + 64 + 128.
    for (const [runtime, kept] of [
      ['llama-server', '9.0 MiB'],
      ['vllm', '9.0 MiB'],
      ['transformers', '80.0 MiB'],
    ]) {
      await open(page, `r=${runtime};m=deepseek-ai/DeepSeek-V2-Lite;g=h100-sxm;c=8192;w=F16`);
      const layers = await eventually(`${runtime}: layers`, async () => page.text('#infer-layers'));
      assert.match(layers, new RegExp(`MLA.*27 層.*${kept}`), runtime);
      await settled(page); // what is drawn anew is closed again
      await page.click('#infer-layers summary');
      const rows = await eventually('the table', () => page.evaluate(() => document.querySelectorAll('#infer-layers tbody tr').length));
      assert.equal(rows, 27 + 1, 'a row for each layer, one for what is outside');
    }
    // Llama-3.1-8B with ExLlama: K and V of 8 heads of 128, 16 bit.
    await open(page, 'r=exllamav3;m=meta-llama/Llama-3.1-8B;g=rtx-4090;c=8192;w=F16');
    await eventually('32 layers', async () => /32 層.*32\.0 MiB/.test(await page.text('#infer-layers')));
  });

  test("a projector's file is measured where it lies; another file is refused in words", async (page) => {
    const choose = (bytes) =>
      page.evaluate((base64) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], 'mmproj.gguf'));
        const input = document.querySelector('#infer-mp-file');
        input.files = data.files;
        input.dispatchEvent(new Event('change'));
      }, Buffer.from(bytes).toString('base64'));
    const file = (architecture) => ggufFile([['general.architecture', 'string', architecture]], [{ name: 'v.patch_embd.weight', ne: [1024, 1000] }]).header;
    await open(page);
    await settled(page);
    await choose(file('clip')); // F16: 2 048 000 bytes
    await eventually('the term', () => page.evaluate(() => document.querySelector('#term-gpu0-mmproj_weights') !== null));
    await shows(page, 'gpu0-mmproj_weights', '2.0 MiB');
    assert.equal(await page.value('#infer-mp'), '1.953125');
    await eventually('the link', () => page.evaluate(() => location.hash.includes('mp=1.953125')));
    await choose(file('llama'));
    await eventually('not a projector', async () => /mmproj の GGUF ではありません/.test(await page.text('#infer-mp-error')));
    await choose(Buffer.from('no header in here at all, only words'));
    await eventually('not a GGUF', async () => /GGUF ファイルではありません/.test(await page.text('#infer-mp-error')));
    assert.equal(await page.value('#infer-mp'), '1.953125', 'what was there stays');
  });

  test('too large: short by how much, and what makes it fit', async (page) => {
    await open(page, 'm=meta-llama/Llama-3.1-8B;w=F16;g=rtx-4060-ti-8gb');
    await page.showsText('#infer-verdict', '足りません');
    await settled(page);
    await page.click('#infer-advice');
    await eventually('another quantization', async () => (await page.value('#infer-w')) !== 'F16');
    await eventually('it fits', async () => (await page.text('#infer-verdict')).includes('収まります'));
  });

  test('every term opens its formula, also those of a server runtime', async (page) => {
    for (const [fragment, id] of [
      ['', 'gpu0-kv_cache'],
      ['r=vllm', 'gpu0-kv_pool'],
    ]) {
      await open(page, fragment);
      await page.click(`#term-${id}`);
      await eventually('a dialog', () => page.evaluate(() => document.querySelector('dialog[open]') !== null));
      assert.match(await page.text('dialog[open]'), /式/);
      await page.press('Escape');
    }
  });

  test('how fast: a range, what limits it, and the formula behind it', async (page) => {
    await open(page);
    const words = await page.text('#infer-speed');
    assert.match(words, /[\d.]+ *tok\/s/);
    assert.match(words, /上限は GPU のメモリの帯域/);
    assert.match(words, /最初の1語まで/);
    await page.click('#infer-speed');
    assert.match(await page.text('dialog[open]'), /eta \* BW/);
  });

  test('comma groups are read and shown as the number they are', async (page) => {
    await open(page, 'c=131,072');
    await settled(page);
    assert.match(await page.visibleText(), /131,072 トークン/);
  });

  for (const runtime of ['llama-server', 'transformers'])
    test(`without a GPU and without a size of the RAM ${runtime} asks for it`, async (page) => {
      await open(page, `g=none;ram=;r=${runtime}`);
      await eventually('the sentence', async () => /RAM の大きさを入れてください/.test(await page.visibleText()));
    });

  test('another runtime is one press away', async (page) => {
    await open(page);
    await settled(page);
    await page.click('#runtime-vllm');
    await eventually('vLLM', async () => (await page.value('#infer-r')) === 'vllm');
    assert.match(await page.text('#term-gpu0-kv_pool'), /GiB/);
  });

  for (const width of [320, 360])
    test(`nothing scrolls sideways at ${width} px`, async (page) => {
      await open(page, '', { width, height: 780 });
      await settled(page);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    });
}
