#!/usr/bin/env node
/**
 * A long run of random interactions with the built page in Chromium: no error in the console, no raw
 * value, nothing that grows. See README.md.
 *
 *   node tests/browser/monkey.mjs [STEPS] [SEED]      default 10000, a seed of its own, printed
 *
 * Alive objects are counted after a forced collection, always in the same state of the page, a fifth
 * of the way and at the end.
 */
import { fileURLToPath } from 'node:url';
import { eventually, Meyasu } from './lib/meyasu.mjs';
import { Monkey, seeded } from './lib/monkey.mjs';
import { launch } from './lib/puppeteer.mjs';
import { startServer } from './lib/server.mjs';

const steps = Number(process.argv[2] ?? 10_000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
console.log(`${steps} interactions, seed ${seed}`);

/**
 * How much more may be alive at the end. The browser keeps a former page or two for its undo and history
 * (some 4,000 nodes each), whatever the number of steps; the module's memory is the most that it
 * ever needed. A page that was not let go of with each change of tab had 140,000 nodes after 240 steps.
 */
const allowed = { heap: 4e6, nodes: 12_000, listeners: 1_000, wasm: 32e6 };

const server = await startServer(fileURLToPath(new URL('../../dist/site', import.meta.url)), { probe: false });
const browser = await launch('chromium');
const page = await browser.newPage();
const monkey = new Monkey(page, seeded(seed));
let failed = false;

/** Answers to requests that no server gives are noted in the console by the browser itself. */
const errors = async () => (await page.errors()).filter((error) => !/Failed to load resource|net::ERR_/.test(error));

async function alive() {
  await page.resize(1280, 800);
  await page.evaluate(() => {
    document.querySelectorAll('dialog[open]').forEach((dialog) => /** @type {HTMLDialogElement} */ (dialog).close());
    location.hash = '#v1;p=7;q=fp16';
  });
  await eventually('the plain page', () => page.evaluate(() => (document.querySelector('#vram-gib')?.textContent ?? '').includes('13.04')));
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1000)));
  const wasm = await page.evaluate(() => /** @type {any} */ (window).meyasuMemories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
  return { ...(await page.alive()), wasm };
}

try {
  // Linear memories of the module are no part of the heap of the page.
  await page.beforeEach(() => {
    const memories = [];
    /** @type {any} */ (window).meyasuMemories = memories;
    const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = /** @type {any} */ (async (module, imports) => {
      const made = /** @type {any} */ (await instantiate(module, imports));
      const exported = Object.values((made.instance ?? made).exports);
      memories.push(...exported.filter((one) => one instanceof WebAssembly.Memory));
      return made;
    });
    window.print = () => {};
  });
  await new Meyasu(page).open(server.site);
  let first;
  for (let step = 1; step <= steps; ++step) {
    await monkey.step();
    const seen = await errors();
    if (seen.length > 0) throw new Error(`step ${step}: ${seen.join('\n')}`);
    if (step === Math.ceil(steps / 5)) console.log(`step ${step}:`, (first = await alive()));
    else if (step % 500 === 0) console.log(`step ${step}`);
  }
  const last = await alive();
  console.log(`step ${steps}:`, last);
  for (const [what, most] of Object.entries(allowed)) {
    const growth = last[what] - first[what];
    console.log(`${what}: ${growth.toLocaleString('en-US')} more than at a fifth of the way, at most ${most.toLocaleString('en-US')}`);
    if (!(growth <= most)) failed = true;
  }
} catch (error) {
  failed = true;
  console.log(`${error.stack}\nseed ${seed}; the last interactions:\n${monkey.done.join('\n')}\nat ${await page.evaluate(() => location.href).catch(() => '?')}`);
} finally {
  await browser.close();
  await server.stop();
}
console.log(failed ? '0 passed, 1 failed' : '1 passed, 0 failed');
process.exit(failed ? 1 : 0);
