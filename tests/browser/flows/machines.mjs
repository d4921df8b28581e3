/** What to change, what to type, what else runs: advice with undo, commands, devices, models. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';
import { violations } from './accessibility.mjs';

/** 32B in Q4_K_M does not fit into 16 GB. */
const SHORT = 'm=Qwen/Qwen3-32B;w=Q4_K_M;c=16384;g=rtx-4060-ti-16gb;ram=64';

export function machines({ alike, test, server, engine }) {
  const open = async (page, fragment = SHORT, options) => {
    await page.open(`${server().site}#v1;tab=infer;${fragment}`, options);
    await eventually('charts and maps', () => page.evaluate(() => document.querySelector('#panel-infer')?.dataset.settled));
  };
  const says = (page, selector, wanted) => page.showsText(selector, wanted);
  const command = (page) => page.text('#command pre');

  test('the first advice makes it fit with one press, and one more takes it back', async (page) => {
    await open(page);
    await says(page, '#infer-verdict', '足りません');
    const before = await page.evaluate(() => location.hash);
    await page.click('#advice-0');
    await eventually('it fits', async () => !(await page.text('#infer-verdict')).includes('足りません'));
    await says(page, '#toast', '適用しました');
    await page.click('#toast-undo');
    await says(page, '#infer-verdict', '足りません');
    await eventually('the old link', () => page.evaluate((hash) => location.hash === hash, before));
    assert.equal(await page.isVisible('#toast'), false);
  });

  test('placed automatically, it runs on GPU and RAM, and the command says how', async (page) => {
    await open(page);
    assert.match(await command(page), /-ngl 65/);
    await page.click('#plan-apply');
    await eventually('it fits', async () => !(await page.text('#infer-verdict')).includes('足りません'));
    const layers = await page.value('#infer-ngl');
    assert.ok(Number(layers) > 0 && Number(layers) < 65, layers);
    await eventually('fewer layers', async () => (await command(page)).includes(`-ngl ${layers}`));
    await eventually('the link', () => page.evaluate((n) => location.hash.includes(`ngl=${n}`), layers));
  });

  // The text is core's, the same in every engine.
  if (engine === 'chromium')
    test('commands of every runtime', async (page) => {
      for (const [runtime, expected] of [
        ['llama-cli', /^llama-cli/],
        ['ollama', /FROM \.\/Qwen3-32B-Q4_K_M\.gguf\s+PARAMETER num_ctx 16384/],
        ['vllm', /^vllm serve Qwen\/Qwen3-32B[^]*--max-model-len 16384/],
        ['sglang', /sglang\.launch_server[^]*--context-length 16384/],
        ['tensorrt-llm', /^trtllm-serve Qwen\/Qwen3-32B/],
        ['lm-studio', /^lms load Qwen3-32B-Q4_K_M\.gguf[^]*--context-length 16384/],
        ['koboldcpp', /^koboldcpp[^]*--contextsize 16384/],
        ['transformers', /from_pretrained\([^]*device_map="auto"/],
        ['exllamav2', /ExLlamaV2Cache\(model, max_seq_len=16384/],
        ['exllamav3', /from exllamav3 import/],
      ]) {
        await open(page, `${SHORT};r=${runtime}`);
        assert.match(await command(page), expected);
      }
    });

  alike('GPUs that run it: sorted by margin or speed, one chosen, taken back', async (page) => {
    await open(page);
    const first = () => page.text('#devices tbody th');
    const smallest = await first();
    await page.click('#devices-by-margin');
    await eventually('another order', async () => (await first()) !== smallest);
    assert.equal(await page.evaluate(() => document.querySelector('#devices-by-margin').closest('th').getAttribute('aria-sort')), 'descending');
    await page.click('#devices-by-tok_s');
    assert.equal(await page.evaluate(() => document.querySelector('#devices-by-tok_s').closest('th').getAttribute('aria-sort')), 'descending');
    const speeds = await page.evaluate(() => [...document.querySelectorAll('#devices tbody tr')].map((row) => Number.parseFloat(row.querySelectorAll('td')[2].textContent.replace(/,/g, ''))));
    assert.ok(speeds.length > 1 && speeds.every((speed, at) => at === 0 || speed <= speeds[at - 1]), String(speeds));
    for (const size of ['24 GB', '24gb']) {
      await page.fill('#devices-filter', size);
      await says(page, '#devices tbody', '24 GB');
    }
    await page.fill('#devices-filter', '4090');
    await says(page, '#devices tbody', 'RTX 4090');
    await page.click('#devices tbody button');
    await says(page, '#bar-machine-name', '4090');
    await page.click('#toast-undo');
    await says(page, '#bar-machine-name', '4060 Ti');
  });

  test('models that run on this machine: pressing one changes model, format and context', async (page) => {
    await open(page);
    await page.click('#fit-map-card summary');
    await eventually('rows', () => page.evaluate(() => document.querySelector('#fit-map tbody button') !== null));
    await page.fill('#fit-map-filter', 'Llama-3.1-8B');
    await eventually('one model', () => page.evaluate(() => [...document.querySelectorAll('#fit-map tbody th')].every((cell) => cell.textContent.includes('Llama-3.1-8B'))));
    await page.click('#fit-map tbody button');
    await says(page, '#bar-model-name', 'Llama-3.1-8B');
    await eventually('it fits', async () => !(await page.text('#infer-verdict')).includes('足りません'));
  });

  alike('taken back, the worked example is the model again', async (page) => {
    await open(page, 'g=rtx-4060-ti-16gb');
    await page.click('#fit-map-card summary');
    await eventually('rows', () => page.evaluate(() => document.querySelector('#fit-map tbody button') !== null));
    await page.click('#fit-map tbody button');
    await eventually('another model', async () => !(await page.text('#bar-model-name')).includes('例'));
    await page.click('#toast-undo');
    await says(page, '#bar-model-name', 'Llama-3.1-8B例');
  });

  test('the map of models is that of the last question, also when it is an earlier one', async (page) => {
    await open(page, 'g=rtx-4060-ti-16gb');
    const settledAgain = async (work) => {
      const before = await page.evaluate(() => document.querySelector('#panel-infer').dataset.settled);
      await work();
      await eventually('charts and maps', () => page.evaluate((round) => Number(document.querySelector('#panel-infer').dataset.settled) > Number(round), before));
    };
    const said = () => page.text('#fit-map-said');
    await page.click('#fit-map-card summary');
    const count = await eventually('the count', async () => /動きます/.test(await said()) && said());
    await settledAgain(() => page.fill('#infer-u', '64'));
    assert.match(await said(), /調べています/);
    await settledAgain(() => page.fill('#infer-u', '1'));
    assert.equal(await said(), count);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.equal(await said(), count, 'what was being calculated has ended');
  });

  alike('with settings that the next model refuses, the command card harms nothing', async (page) => {
    await open(page, 'm=Qwen/Qwen3-8B');
    await page.fill('#infer-c', 'x');
    await eventually('a stale answer', () => page.evaluate(() => 'stale' in document.querySelector('#infer-answer').dataset));
    await page.click('#bar-model');
    await page.fill('#pick-model-search', 'qwen3 32b');
    await page.press('Enter');
    await says(page, '#bar-model-name', 'Qwen3-32B');
    await page.choose('command-shell-powershell');
    await page.click('#plan-apply');
    await page.choose('command-shell-posix');
  });

  if (engine === 'chromium')
    for (const width of [360, 1440])
      test(`no barrier in advice, command and tables at ${width} px`, async (page) => {
        await open(page, SHORT, { width, height: 900 });
        assert.deepEqual(await violations(page), []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      });
}
