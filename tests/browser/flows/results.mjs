/** What a visitor takes from the page: exports, a card, comparisons, links that know their answer, logs, offline. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';
import { violations } from './accessibility.mjs';

const infer = '#v1;tab=infer;m=meta-llama/Meta-Llama-3-8B;w=Q4_K_M;c=8192';

/** log001 of tests/truth/llamacpp_wild.csv, with nvidia-smi below it. */
const log = `main: build = 2843 (e8496488)
llm_load_print_meta: n_layer          = 32
llm_load_print_meta: model ftype      = Q4_K - Medium
llm_load_print_meta: general.name     = Meta-Llama-3-8B
llm_load_tensors: offloaded 33/33 layers to GPU
llm_load_tensors:        CPU buffer size =   281.81 MiB
llm_load_tensors:      CUDA0 buffer size =  4403.49 MiB
llama_new_context_with_model: n_ctx      = 8192
llama_new_context_with_model: flash_attn = 0
llama_kv_cache_init:      CUDA0 KV buffer size =  1024.00 MiB
llama_new_context_with_model:      CUDA0 compute buffer size =   560.00 MiB
|   0  NVIDIA GeForce RTX 3090        Off |   00000000:01:00.0 Off |                  N/A |
|    0   N/A  N/A      4242      C   ./llama-server                               6300MiB |
`;

export function results({ test, server, engine }) {
  /** Runs `press` and gives the text of the file that it saves. */
  const saved = (page, id) =>
    page.evaluate(
      (button) =>
        new Promise((resolve) => {
          const make = URL.createObjectURL;
          URL.createObjectURL = (blob) => {
            URL.createObjectURL = make;
            blob.text().then((text) => resolve(text));
            return make(blob);
          };
          const click = HTMLAnchorElement.prototype.click;
          HTMLAnchorElement.prototype.click = () => (HTMLAnchorElement.prototype.click = click);
          document.getElementById(button).click();
        }),
      id,
    );
  const menu = async (page, id) => {
    await page.click('#menu-toggle');
    await page.click(`#${id}`);
  };

  test('the answer is exported with formula, inputs, evidence, source, version and dates', async (page) => {
    await page.open(server().site + infer);
    await menu(page, 'menu-export');
    const terms = await page.evaluate(() => document.querySelectorAll('#infer-terms button[data-bytes]').length);
    const json = JSON.parse(await saved(page, 'export-json'));
    assert.equal(json.places.flatMap((place) => place.terms).length, terms, 'every term of the page');
    assert.match(json.meyasu.catalog, /^\d{4}-\d{2}-\d{2}$/);
    const weights = json.places.flatMap((place) => place.terms).find(({ id, device }) => id === 'weights' && device === 'gpu0');
    assert.ok(weights.formula.expression && weights.source && weights.evidence);
    const csv = await saved(page, 'export-csv');
    assert.equal(csv.trim().split('\r\n').length, terms + 1);
    assert.ok(csv.includes(`,${weights.bytes},`));
    const markdown = await saved(page, 'export-markdown');
    assert.ok(markdown.includes(weights.bytes.toLocaleString('en-US')) && markdown.includes(json.meyasu.catalog));
    const svg = await saved(page, 'export-svg');
    assert.ok(svg.includes(json.headline.split(' ')[0].slice(0, 4)) && !/NaN|undefined|var\(/.test(svg));
    const png = await saved(page, 'export-png');
    assert.match(png.slice(1, 4), /PNG/);
    assert.deepEqual(await violations(page), []);
  });

  test('two setups side by side: what differs is marked, and the comparison is a link', async (page) => {
    await page.open(server().site + infer);
    await menu(page, 'menu-compare-add');
    await eventually('one column', () => page.evaluate(() => document.querySelectorAll('.compare-table thead tr:first-child th').length === 2));
    await page.click('#tab-infer');
    await page.evaluate(() => {
      const select = document.getElementById('infer-w');
      select.value = 'Q8_0';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await eventually('the other mix in the link', () => page.evaluate(() => location.hash.includes('w=Q8_0')));
    await menu(page, 'menu-compare-add');
    const rows = () =>
      page.evaluate(() => [...document.querySelectorAll('.compare-table tbody tr')].map((row) => ({ cells: [...row.cells].map((cell) => cell.innerText.trim()), differs: row.classList.contains('differs') })));
    const seen = await eventually('two columns', async () => {
      const list = await rows();
      return list[0]?.cells.length === 3 ? list : null;
    });
    assert.deepEqual(await violations(page), []);
    for (const { cells, differs } of seen) assert.equal(differs, cells[1] !== cells[2], cells.join(' | '));
    assert.ok(seen.some(({ cells }) => cells[1] === 'Q4_K_M' && cells[2] === 'Q8_0'));
    const link = await page.evaluate(() => location.hash);
    await page.open(`${server().site}?again${link}`);
    await eventually('the same table', async () => JSON.stringify(await rows()) === JSON.stringify(seen));
    await page.evaluate(() => document.querySelector('.compare-table button').focus());
    await page.press('Enter');
    await eventually('one column', async () => (await rows())[0]?.cells.length === 2);
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'the button is gone, the focus is not');
  });

  test('a link whose answer is another one now says so; one with the same says nothing', async (page) => {
    await page.open(`${server().site}#v1;p=7;q=fp16;a=0.0.1~12.50GiB`);
    await page.shows('13.04 GiB');
    await eventually('the notice', async () => (await page.visibleText()).includes('12.50'));
    await page.open(`${server().site}?same#v1;p=7;q=fp16;a=0.0.1~13.04GiB`);
    await page.shows('13.04 GiB');
    assert.equal(await page.isVisible('.banner'), false);
  });

  test('a log beside the estimate, with the log’s settings; its overhead is kept on this device', async (page) => {
    await page.open(`${server().site}#v1;tab=log;m=meta-llama/Meta-Llama-3-8B;g=rtx-3090`);
    await page.evaluate((text) => {
      const area = document.getElementById('log-text');
      area.value = text;
      area.dispatchEvent(new Event('input', { bubbles: true }));
    }, log);
    const reasons = await eventually('the table', async () => {
      const list = await page.evaluate(() => [...document.querySelectorAll('#log-table tbody tr')].map((row) => row.dataset.reason));
      return list.length > 0 ? list : null;
    });
    assert.ok(reasons.filter((reason) => reason === 'equal').length >= 3, reasons.join());
    assert.ok(!reasons.includes('other_model'), reasons.join());
    assert.deepEqual(await violations(page), []);
    await page.click('.log-overhead-use');
    await eventually('the measured overhead in use', async () => (await page.text('#log-kept')) !== '');
    await page.evaluate(() => document.querySelector('#log-kept button').focus());
    await page.press('Enter');
    await eventually('no overhead in use', async () => (await page.text('#log-kept')) === '');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'log-kept', 'the button is gone, the focus is not');
    await page.click('.log-overhead-use');
    await eventually('the measured overhead in use again', async () => (await page.text('#log-kept')) !== '');
    await page.click('#tab-infer');
    await eventually('one term for all beside the buffers', () =>
      page.evaluate(() => !document.querySelector('#infer-terms')?.innerText.includes('CUDA コンテキスト') && !document.querySelector('#infer-terms')?.innerText.includes('CUDA context')),
    );
    await page.evaluate(() => localStorage.clear());
  });

  test('one press takes model and settings of a log to the inference tab', async (page) => {
    await page.open(`${server().site}#v1;tab=log;g=rtx-3090`);
    await page.evaluate((text) => {
      const area = document.getElementById('log-text');
      area.value = text;
      area.dispatchEvent(new Event('input', { bubbles: true }));
    }, log.replace('n_ctx      = 8192', 'n_ctx      = 4096'));
    await eventually('the button', () => page.isVisible('#log-apply'));
    await page.click('#log-apply');
    await eventually('the tab', () => page.isVisible('#panel-infer'));
    const hash = await eventually('the settings in the link', async () => {
      const link = await page.evaluate(() => location.hash);
      return link.includes('c=4096') ? link : '';
    });
    for (const part of ['m=meta-llama/Meta-Llama-3-8B', 'w=Q4_K_M', 'ngl=33', 'fa=off', 'rel=2025-05']) assert.ok(decodeURIComponent(hash).includes(part), `${part} in ${hash}`);
    assert.equal(await page.value('#infer-c'), '4096');
  });

  if (engine === 'chromium') {
    test('a hosted copy is kept for use without a network', async (page) => {
      await page.open(server().site);
      await page.evaluate(async () => {
        for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
        for (const name of await caches.keys()) await caches.delete(name);
      });
      await page.open(`${server().site}?new`);
      assert.equal(await page.evaluate(async () => (await caches.keys()).filter((key) => key.startsWith('meyasu-')).length), 0, 'not before somebody touches it');
      await page.press('Tab');
      const names = await eventually('the files in the cache', () =>
        page.evaluate(async () => {
          await navigator.serviceWorker.ready;
          const [name] = (await caches.keys()).filter((key) => key.startsWith('meyasu-'));
          const kept = name ? await (await caches.open(name)).keys() : [];
          return kept.length > 0 ? kept.map(({ url }) => new URL(url).pathname.split('/').pop()) : null;
        }),
      );
      const needed = await page.evaluate(async () => (await (await fetch('index.html')).text()).match(/[\w-]+\.(?:js|css)\b/g));
      assert.ok(needed.some((file) => /^core-[0-9a-f]+\.js$/.test(file)), 'the page names its parts');
      for (const file of ['', 'index.html', 'core-quick.js', ...needed]) assert.ok(names.includes(file), file);
      assert.equal(await page.evaluate(async () => (await (await fetch(document.querySelector('link[rel=manifest]').href)).json()).short_name), '目安');
    });
  }
}
