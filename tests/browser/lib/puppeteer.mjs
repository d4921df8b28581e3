/** Chromium (DevTools protocol) and Firefox (WebDriver BiDi), both by puppeteer-core. */
import puppeteer from 'puppeteer-core';
import { programs } from './engines.mjs';
import { forgetVisitor } from './forget.mjs';

const launchers = {
  chromium: ({ language, dark }) => ({
    browser: /** @type {const} */ ('chrome'),
    executablePath: programs.chromium().browser,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--lang=${language}`,
      `--accept-lang=${language}`,
      ...(dark ? ['--blink-settings=preferredColorScheme=0'] : []),
    ],
  }),
  firefox: ({ language, dark }) => ({
    browser: /** @type {const} */ ('firefox'),
    executablePath: programs.firefox().browser,
    extraPrefsFirefox: {
      // Automation relaxes what file:// may read; visitors do not have it relaxed.
      'security.fileuri.strict_origin_policy': true,
      'intl.accept_languages': language,
      'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1,
    },
  }),
};

const withoutFragment = (url) => url.split('#')[0];

class PuppeteerPage {
  #page;
  #errors = [];
  #requests = [];
  /** @type {import('puppeteer-core').NewDocumentScriptEvaluation[]} */
  #scripts = [];
  #listeners = [
    ['console', (message) => message.type() === 'error' && this.#errors.push(`console.error: ${message.text()}`)],
    ['pageerror', (error) => this.#errors.push(`error: ${/^(Error)?$/.test(error.message ?? '') ? error.stack : error.message}`)],
    ['request', (request) => this.#requests.push(request.url())],
  ];

  constructor(page) {
    this.#page = page;
    for (const [event, listener] of this.#listeners) page.on(event, listener);
  }

  async open(url) {
    // Where only the fragment differs from the page before: a visitor opens links in a new tab.
    if (withoutFragment(url) === withoutFragment(this.#page.url())) await this.#page.goto('about:blank');
    await this.#page.goto(url, { waitUntil: 'load' });
  }
  /** Runs `work` in every document from now on, before its own scripts. */
  async beforeEach(work, ...args) {
    this.#scripts.push(await this.#page.evaluateOnNewDocument(work, ...args));
  }
  async resize(width, height) {
    try {
      await this.#page.setViewport({ width, height });
    } catch (error) {
      // Firefox ESR 140 has the size by then, and no command for the orientation that goes with it.
      if (!/unknown command emulation\.setScreenOrientationOverride/.test(error.message)) throw error;
    }
  }
  evaluate(work, ...args) {
    return this.#page.evaluate(work, ...args);
  }
  /** Runs `work` inside the frame whose address contains `part`; undefined while there is none. */
  async evaluateInFrame(part, work, ...args) {
    const frame = this.#page.frames().find((one) => one !== this.#page.mainFrame() && one.url().includes(part));
    try {
      return await frame?.evaluate(work, ...args);
    } catch (error) {
      // A frame that is on its way to another address has nothing to show yet.
      if (/context|detached|navigat/i.test(error.message)) return undefined;
      throw error;
    }
  }
  async click(selector) {
    await this.#page.click(selector);
  }
  type(text) {
    return this.#page.keyboard.type(text);
  }
  /** The text at once, as an input method or the clipboard gives it. */
  paste(text) {
    return this.#page.evaluate((words) => void document.execCommand('insertText', false, words), text);
  }
  async press(key, { control = false, shift = false } = {}) {
    const held = [...(control ? ['Control'] : []), ...(shift ? ['Shift'] : [])];
    for (const modifier of held) await this.#page.keyboard.down(modifier);
    await this.#page.keyboard.press(key);
    for (const modifier of held.reverse()) await this.#page.keyboard.up(modifier);
  }
  async screenshot(path, { fullPage = true } = {}) {
    await this.#page.screenshot({ path, fullPage });
  }
  /** Chromium only: what is alive after a collection. @returns {Promise<{ heap: number, nodes: number, listeners: number }>} heap in bytes */
  async alive() {
    const session = await this.#page.createCDPSession();
    try {
      await session.send('HeapProfiler.enable');
      // Weak references and finalizers need a turn of the loop between two collections.
      for (let i = 0; i < 3; ++i) {
        await session.send('HeapProfiler.collectGarbage');
        await this.#page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
      }
      await session.send('Performance.enable');
      const { metrics } = await session.send('Performance.getMetrics');
      const value = (name) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
      return { heap: value('JSHeapUsedSize'), nodes: value('Nodes'), listeners: value('JSEventListeners') };
    } finally {
      await session.detach();
    }
  }
  async errors() {
    return this.#errors;
  }
  async requests() {
    return this.#requests;
  }
  async close() {
    await forgetVisitor((work) => this.#page.evaluate(work));
    for (const [event, listener] of this.#listeners) this.#page.off(event, listener);
    for (const { identifier } of this.#scripts) await this.#page.removeScriptToEvaluateOnNewDocument(identifier);
    await this.#page.goto('about:blank');
  }
}

/**
 * Starts a browser. The first start reads some 300 MB of program, two engines at once: on a slow disk
 * that takes longer than the driver's own 30 s. A second attempt shows what the browser prints.
 */
async function start(engine, options) {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await puppeteer.launch({ headless: true, timeout: 110_000, dumpio: attempt > 1, ...launchers[engine](options) });
    } catch (error) {
      if (attempt === 3) throw new Error(`${engine} did not start in three attempts: ${error.message}`, { cause: error });
      console.log(`${engine}: attempt ${attempt} to start it failed (${error.message}), once more`);
    }
}

/** @param {'chromium' | 'firefox'} engine */
export async function launch(engine, { language = 'ja', dark = false } = {}) {
  const browser = await start(engine, { language, dark });
  // Not the tab a browser starts with: Firefox gives that one no focus.
  const page = await browser.newPage();
  await page.bringToFront();
  page.setDefaultTimeout(60_000); // ms; two engines share a busy machine
  return {
    version: await browser.version(),
    /** The one tab, as if new: opening another for each test would take most of the time. */
    async newPage() {
      return new PuppeteerPage(page);
    },
    close: () => browser.close(),
  };
}
