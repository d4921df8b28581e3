/**
 * Runs the flows on one engine (in WebKit the core ones): one browser, one tab and one server for
 * all of them. After each test the promises that hold for the whole page are checked: nothing in the
 * console, nothing asked of the network but the site's own files, no NaN in front of the visitor.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { after, before, describe, test } from 'node:test';
import * as puppeteer from './puppeteer.mjs';
import * as webkit from './webkit.mjs';
import { Meyasu, rawValue } from './meyasu.mjs';
import { startServer } from './server.mjs';
import { accessibility } from '../flows/accessibility.mjs';
import { accuracy } from '../flows/accuracy.mjs';
import { bars } from '../flows/bars.mjs';
import { driver } from '../flows/driver.mjs';
import { embed } from '../flows/embed.mjs';
import { errors } from '../flows/errors.mjs';
import { firstView } from '../flows/first-view.mjs';
import { fragment } from '../flows/fragment.mjs';
import { inference } from '../flows/inference.mjs';
import { keyboard } from '../flows/keyboard.mjs';
import { languages } from '../flows/languages.mjs';
import { layout } from '../flows/layout.mjs';
import { machines } from '../flows/machines.mjs';
import { model } from '../flows/model.mjs';
import { monkey } from '../flows/monkey.mjs';
import { names } from '../flows/names.mjs';
import { offload } from '../flows/offload.mjs';
import { ownMachine } from '../flows/own-machine.mjs';
import { preferences } from '../flows/preferences.mjs';
import { print } from '../flows/print.mjs';
import { quick } from '../flows/quick.mjs';
import { results } from '../flows/results.mjs';
import { screenshots } from '../flows/screenshots.mjs';
import { security } from '../flows/security.mjs';
import { training } from '../flows/training.mjs';

const flows = { driver, quick, firstView, bars, ownMachine, inference, machines, training, offload, errors, accuracy, names, model, fragment, preferences, keyboard, languages, embed, layout, print, results, accessibility, security, monkey, screenshots };

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url));
const limit = 120_000; // ms for one test

export function suite(engine) {
  const launch = (options) => (engine === 'webkit' ? webkit : puppeteer).launch(engine, options);
  let browser;
  let server;

  before(async () => {
    for (const file of ['site/index.html', 'site/embed.html', 'site/embed.js', 'meyasu.html'])
      if (!existsSync(dist + file)) throw new Error(`dist/${file} is missing: run scripts/package first`);
    server = await startServer(`${dist}site`, { probe: engine === 'webkit' });
    browser = await launch();
    console.log(`${engine}: ${browser.version}`);
  }, { timeout: 3 * limit }); // a browser may need another start
  after(async () => {
    await browser?.close();
    await server?.stop();
  }, { timeout: limit });

  /** A test on a page of its own; once more in a new browser if the driver lost the first one. */
  const onPage = (name, work) =>
    test(name, { timeout: limit }, async () => {
      const attempt = async () => {
        const raw = await browser.newPage();
        try {
          await work(raw);
        } finally {
          await raw.close();
        }
      };
      try {
        await attempt();
      } catch (error) {
        if (!browserLost(error)) throw error;
        console.log(`${engine}: "${name}" lost its browser (${error.message}), once more in a new one`);
        await browser.close().catch(() => {}); // what is left of it
        browser = await launch();
        await attempt();
      }
    });

  const context = {
    engine,
    limit,
    launch,
    /** Known once the tests run, not while they are declared. */
    server: () => server,
    /** The two ways to open the same page. */
    sources: {
      http: () => server.site,
      file: () => pathToFileURL(`${dist}meyasu.html`).href,
    },
    /**
     * @param {string} name the behaviour
     * @param {(page: Meyasu) => Promise<void>} work
     * @param {{ foreignHost?: boolean, refusals?: boolean }} options foreignHost: the page under test is a blog that embeds the site; refusals: a server refuses on purpose, which browsers note in the console
     */
    test(name, work, { foreignHost = false, refusals = false } = {}) {
      onPage(name, async (raw) => {
        const page = new Meyasu(raw);
        await work(page);
        const errors = (await raw.errors()).filter((error) => !refusals || !/Failed to load resource/.test(error));
        assert.deepEqual([...new Set(errors)], [], 'the console stays empty');
        assert.deepEqual(strangers(await raw.requests(), server, foreignHost), [], 'nothing but the site’s own files is asked for');
        assert.doesNotMatch(await page.visibleText(), rawValue, 'no raw value is shown');
      });
    },
    /** A test of what no engine does its own way, as which sentence an answer of the core becomes: Chromium runs it for all. */
    alike(...parts) {
      if (engine === 'chromium') context.test(...parts);
    },
    /** For the driver's own tests: a page without the promises. */
    rawTest: (name, work) => onPage(name, work),
  };

  const names = engine === 'webkit' ? coreFlows : Object.keys(flows);
  for (const name of names) describe(`${engine}: ${name}`, () => flows[name](context));
}

/**
 * What WebKit runs: the ways a visitor reaches an answer, and how the page is embedded and printed.
 * Its driver is the slowest; what no engine does its own way is left to the other two.
 */
const coreFlows = ['driver', 'quick', 'inference', 'offload', 'fragment', 'keyboard', 'embed', 'print'];

/**
 * Whether the driver lost the browser or its window, as happens on a busy machine. A page that
 * crashes its browser looks the same, but does so the second time as well.
 */
export const browserLost = (error) => /: (no such window|invalid session id)|(Target|Session|Connection) closed|^fetch failed/.test(error?.message ?? '');

/** The requests a page may not make. A page from disk may ask for itself alone. */
export function strangers(requests, server, foreignHost = false) {
  const own = foreignHost ? [server.site, server.foreign] : [server.site];
  return requests.filter((url) => {
    if (/^(data|blob|about):/.test(url)) return false;
    if (url.startsWith('file:')) return !/\/meyasu\.html(#|\?|$)/.test(url);
    return !own.some((origin) => url.startsWith(origin));
  });
}
