/**
 * A hosted page opens with little and loads the rest when it is touched: which files, that nothing is
 * lost or moves meanwhile, and what happens when they do not come.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { eventually, Meyasu } from '../lib/meyasu.mjs';

const budget = JSON.parse(readFileSync(new URL('../../../scripts/size-budget.json', import.meta.url), 'utf8'));
/** What browsers ask for when they feel like it. */
const optional = ['manifest.webmanifest', 'icon.svg'];

export function firstView({ test, rawTest, server, engine }) {
  const isWhole = (page) => page.evaluate(() => 'whole' in document.documentElement.dataset);
  const whole = (page) => eventually('the rest of the page', () => isWhole(page));
  const fetched = async (page) =>
    (await page.raw.requests()).filter((url) => url.startsWith(server().site)).map((url) => new URL(url).pathname.slice(1) || 'index.html');
  const patterns = budget['first view'].files.map((name) => ({ name, matches: new RegExp(`^${name.replaceAll('.', '\\.').replace('*', '\\w+')}$`) }));
  /** The address of the whole core, which the page of now would load. */
  const coreOf = (page) => page.evaluate(() => fetch('index.html').then((answer) => answer.text())).then((html) => /\bcore-[0-9a-f]+\.js/.exec(html)[0]);
  const idle = (page) => page.evaluate(() => new Promise((resolve) => (globalThis.requestIdleCallback ?? setTimeout)(() => resolve(null))));

  /** Answers for the whole core only when told to; each test gets an address of its own. */
  async function holdCore(page, name) {
    const core = await coreOf(page);
    const state = { answer: /** @type {'hold' | 'refuse' | 'give'} */ ('hold'), waiting: /** @type {(() => void)[]} */ ([]) };
    const text = readFileSync(new URL(`../../../dist/site/${core}`, import.meta.url));
    /** What the page asked for, other than its service worker. @type {string[]} */
    const asked = [];
    const note = (file, { headers }) => headers.referer?.endsWith('/sw.js') || asked.push(file);
    server().route(`/${name}/${core}`, (request, response) => {
      note(core, request);
      const give = () => response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' }).end(text);
      if (state.answer === 'give') give();
      else if (state.answer === 'refuse') response.writeHead(503).end();
      else state.waiting.push(give);
    });
    // Everything else below this address is the site itself.
    server().route(`/${name}/`, async (request, response, rest) => {
      const file = rest || 'index.html';
      note(file, request);
      const type = file.endsWith('.css') ? 'text/css' : file.endsWith('.html') ? 'text/html' : file.endsWith('.svg') ? 'image/svg+xml' : file.endsWith('.webmanifest') ? 'application/manifest+json' : 'text/javascript';
      try {
        response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(readFileSync(new URL(`../../../dist/site/${file}`, import.meta.url)));
      } catch {
        response.writeHead(404).end();
      }
    });
    return {
      address: `${server().site}${name}/`,
      asked,
      give() {
        state.answer = 'give';
        for (const give of state.waiting.splice(0)) give();
      },
      refuse() {
        state.answer = 'refuse';
      },
      hold() {
        state.answer = 'hold';
      },
    };
  }

  test('before anybody touches it the page fetches the files of the first view and no others', async (page) => {
    await page.open(server().site);
    await page.showsText('#vram-gib', '13.04');
    await idle(page);
    const first = await fetched(page);
    for (const name of first) assert.ok(patterns.some(({ matches }) => matches.test(name)), `${name} is not in the budget`);
    for (const { name, matches } of patterns) assert.ok(optional.includes(name) || first.some((file) => matches.test(file)), `${name} is in the budget and not fetched`);
    assert.equal(await isWhole(page), false);
    assert.equal(await page.evaluate(() => document.querySelectorAll('iframe, dialog[id]').length), 0);

    await page.press('Tab');
    await whole(page);
    assert.ok((await fetched(page)).some((name) => /^core-[0-9a-f]+\.js$/.test(name)));
    await page.fill('#name-input', 'Meta-Llama-3-8B-Instruct-Q4_K_M.gguf');
    await eventually('the catalog', () => page.isVisible('#name-catalog'));
    await page.click('#tab-infer');
    await eventually('another tab', () => page.isVisible('#panel-infer'));
  });

  test('a link to another tab brings what it needs', async (page) => {
    await page.open(`${server().site}#v1;tab=off`);
    assert.equal(await isWhole(page), true);
    assert.ok(!(await fetched(page)).includes('core-quick.js'), 'and not what it does not need');
  });

  // Firefox asks again for what it may not store; WebKit, where these flows do not run, does not.
  if (engine === 'chromium')
    test('a server that forbids to store its files is asked once for each', async (page) => {
      await page.open(server().site);
      const held = await holdCore(page, 'unstored');
      held.give();
      await page.open(held.address);
      await page.press('Tab');
      await whole(page);
      await page.click('#tab-train');
      await eventually('another tab', () => page.isVisible('#panel-train'));
      const scripts = held.asked.filter((file) => file.endsWith('.js') && file !== 'sw.js');
      for (const part of ['rest', 'core', 'first-ja', 'later-ja']) assert.ok(scripts.some((file) => new RegExp(`^${part}-\\w+\\.js$`).test(file)), part);
      assert.deepEqual(scripts.sort(), [...new Set(scripts)].sort());
    });

  test('the form works while the rest comes, and its arrival loses and moves nothing', async (page) => {
    await page.open(server().site);
    const held = await holdCore(page, 'slow');
    await page.open(held.address);
    await page.fill('#name-input', 'half a na');
    await page.calculated('70', 'INT8');
    await page.shows('65.19 GiB', '70.00 GB');
    assert.equal(await isWhole(page), false);
    if (engine === 'chromium')
      await page.evaluate(async () => {
        // What the typing itself moves is painted by then.
        for (let frames = 0; frames < 3; frames += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
        window.__shifts = [];
        new PerformanceObserver((list) => window.__shifts.push(...list.getEntries().map(({ value }) => value))).observe({ type: 'layout-shift' });
      });
    held.give();
    await whole(page);
    await idle(page);
    await page.shows('65.19 GiB', '70.00 GB');
    assert.deepEqual([await page.value('#params'), await page.value('#name-input'), await page.isChecked('precision-INT8')], ['70', 'half a na', true]);
    if (engine === 'chromium') assert.deepEqual(await page.evaluate(() => window.__shifts), [], 'no layout shift');
    await page.click('#tab-train');
    await eventually('another tab', () => page.isVisible('#panel-train'));
    await page.click('#tab-quick');
    await page.shows('65.19 GiB');
  });

  test('a link that is followed while the rest comes is not lost to the first touch', async (page) => {
    await page.open(server().site);
    const held = await holdCore(page, 'followed');
    await page.open(held.address);
    await page.evaluate(() => (location.hash = '#v1;tab=off'));
    await page.press('Tab');
    held.give();
    await eventually('the tab of the link', () => page.isVisible('#panel-off'));
  });

  // The console has what went wrong, so the promises of the page do not hold.
  rawTest('without even the words of a language, the page itself says that it could not be loaded', async (raw) => {
    const page = new Meyasu(raw);
    server().route('/wordless/', (_request, response, rest) => {
      const file = rest || 'index.html';
      if (file.startsWith('first-')) return response.writeHead(503).end();
      const type = { html: 'text/html', js: 'text/javascript', css: 'text/css' }[file.split('.').pop()] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(readFileSync(new URL(`../../../dist/site/${file}`, import.meta.url)));
    });
    await raw.open(`${server().site}wordless/`);
    await eventually('the sentence', async () => (await page.isVisible('#no-words')) && /読み込めませんでした.*Could not be loaded/s.test(await page.text('#no-words')));
  });

  test(
    'files that do not come: a sentence and another try, with the form still working; the tab that was asked for opens then',
    async (page) => {
      await page.open(server().site);
      const held = await holdCore(page, 'broken');
      held.refuse();
      await page.open(held.address);
      await page.click('#tab-off');
      await eventually('the sentence', async () => (await page.isVisible('#load-again')) && /読み込めませんでした/.test(await page.text('#load-place')));
      await page.calculated('7');
      await page.shows('13.04 GiB');
      held.hold();
      await page.click('#load-again');
      await eventually('a quiet word', async () => /読み込んでいます/.test(await page.text('#load-place')));
      held.give();
      await eventually('the tab', () => page.isVisible('#panel-off'));
      assert.equal(await page.isVisible('#load-again'), false);
    },
    { refusals: true },
  );
}
