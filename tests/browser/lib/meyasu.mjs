/**
 * The page in the words of its visitor, the same for every engine. Everything that happens on its
 * own time is waited for by polling, never by a fixed pause.
 */
import assert from 'node:assert/strict';

const patience = 30_000; // ms; the page answers in a few, the machine may be very busy

/** What no visitor may ever read. */
export const rawValue = /NaN|undefined|Infinity|∞|\[object/;

/** Calls `look` until it returns something true; fails with what was waited for. */
export async function eventually(what, look) {
  const deadline = Date.now() + patience;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) assert.fail(`waited ${patience / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export class Meyasu {
  /** @param {any} raw the page of one engine: puppeteer.mjs or webkit.mjs */
  constructor(raw) {
    this.raw = raw;
  }

  async open(url, { width = 1280, height = 900 } = {}) {
    await this.raw.resize(width, height);
    await this.raw.open(url);
    await this.ready();
  }
  ready() {
    return eventually('html[data-ready]', () => this.raw.evaluate(() => document.documentElement.hasAttribute('data-ready')));
  }

  evaluate(work, ...args) {
    return this.raw.evaluate(work, ...args);
  }
  press(key, modifiers) {
    return this.raw.press(key, modifiers);
  }
  type(text) {
    return this.raw.type(text);
  }

  /** Replaces what is in a field by typing. */
  async fill(selector, text) {
    await this.click(selector);
    await this.raw.evaluate((where) => document.querySelector(where).select(), selector);
    if (text === '') await this.raw.press('Backspace');
    else await this.raw.type(text);
  }
  /** Presses something once it stands still: a phone's page scrolls smoothly to the answer. */
  async click(selector) {
    await this.raw.evaluate(async (where) => {
      const place = () => document.querySelector(where).getBoundingClientRect().top;
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      for (let still = 0, before = place(); still < 3; ) {
        await frame();
        still = place() === before ? still + 1 : 0;
        before = place();
      }
    }, selector);
    await this.raw.click(selector);
  }
  /** Radio buttons are small or hidden; a visitor presses the label. */
  async choose(id) {
    const selector = await this.raw.evaluate((name) => {
      const input = document.getElementById(name);
      const label = input.labels?.[0];
      if (!label) return `#${name}`;
      label.dataset.pressedByTest = name;
      return `[data-pressed-by-test="${name}"]`;
    }, id);
    await this.click(selector);
  }
  precision(name) {
    return this.choose(`precision-${name}`);
  }
  calculate() {
    return this.click('#calculate');
  }
  async calculated(params, precision = 'FP16') {
    await this.fill('#params', params);
    await this.precision(precision);
    await this.calculate();
  }

  /** Text as it is read: white space and no-break spaces become single spaces. */
  text(selector) {
    return this.raw.evaluate((where) => {
      const element = document.querySelector(where);
      if (!element) throw new Error(`${where} is not on the page`);
      return (element.innerText ?? element.textContent).replace(/\s+/g, ' ').trim();
    }, selector);
  }
  value(selector) {
    return this.raw.evaluate((where) => document.querySelector(where).value, selector);
  }
  attribute(selector, name) {
    return this.raw.evaluate((where, which) => document.querySelector(where).getAttribute(which), selector, name);
  }
  isVisible(selector) {
    return this.raw.evaluate((where) => {
      const element = document.querySelector(where);
      return Boolean(element) && element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
    }, selector);
  }
  isChecked(id) {
    return this.raw.evaluate((name) => document.getElementById(name).checked, id);
  }
  /** Everything a visitor can read, shadow trees included. */
  visibleText() {
    return this.raw.evaluate(() => {
      const read = (root) => {
        let text = root.innerText ?? [...root.children].map((child) => child.innerText ?? '').join('\n');
        for (const element of root.querySelectorAll('*')) if (element.shadowRoot) text += `\n${read(element.shadowRoot)}`;
        return text;
      };
      const fields = [...document.querySelectorAll('input, textarea')].map((field) => field.placeholder);
      return `${document.title}\n${read(document.body)}\n${fields.join('\n')}`;
    });
  }

  async language(wanted) {
    if ((await this.attribute('html', 'lang')) !== wanted) await this.click('#lang-toggle');
    await eventually(`the page in ${wanted}`, async () => (await this.attribute('html', 'lang')) === wanted);
  }
  /** Light or dark by the page's own switch, however many positions it has. */
  async theme(wanted) {
    for (let press = 0; press < 4; press += 1) {
      if ((await this.brightness()) === wanted) return;
      await this.click('#theme-toggle');
    }
    assert.fail(`four presses of #theme-toggle never gave a ${wanted} page`);
  }
  /** 'light' or 'dark', by the background that is really painted. */
  brightness() {
    return this.raw.evaluate(() => {
      const channels = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
      return (channels[0] + channels[1] + channels[2]) / 3 < 128 ? 'dark' : 'light';
    });
  }

  /** Waits until the answer is `gib`, then checks `gb` and that nothing is marked stale or wrong. */
  async shows(gib, gb) {
    await this.showsText('#vram-gib', gib);
    if (gb !== undefined) await this.showsText('#vram-gb', gb);
    assert.equal(await this.isStale(), false, 'a fresh answer is not marked stale');
    assert.equal(await this.error(), '', 'no error beside a fresh answer');
  }
  async showsText(selector, wanted) {
    let seen = '';
    const found = await eventually(`${wanted} in ${selector}`, async () => {
      seen = await this.text(selector);
      return seen.includes(wanted) || Date.now() < 0;
    }).catch((error) => {
      throw new assert.AssertionError({ message: `${error.message}; it says "${seen}"`, actual: seen, expected: wanted });
    });
    assert.ok(found);
  }
  /** The sentence beside the parameter field, '' if there is none. */
  async error() {
    return (await this.isVisible('#params-error')) ? this.text('#params-error') : '';
  }
  /** Whether the answer is marked as the one of an earlier input. */
  isStale() {
    return this.raw.evaluate(() => Boolean(document.querySelector('#vram-gib').closest('[data-stale]:not([data-stale="false"]), .stale, .is-stale')));
  }
}
