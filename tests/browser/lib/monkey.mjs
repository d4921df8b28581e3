/**
 * Random interactions with the page, the same for the same seed: presses, typing, keys, choices,
 * files, links, sizes. What is chosen depends on what is on the page at that moment.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rawValue } from './meyasu.mjs';

const corpus = (reader) => {
  const folder = fileURLToPath(new URL(`../../fuzz/corpus/${reader}/`, import.meta.url));
  return readdirSync(folder)
    .filter((name) => name.length < 40) // what fuzzers kept has its hash as a name
    .sort()
    .map((name) => readFileSync(folder + name));
};

/** mulberry32. @returns {(limit: number) => number} whole numbers below the limit */
export function seeded(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % limit;
  };
}

/** Words that the page may echo but never make are left out: NaN, undefined and the like. */
const typed = ['', '0', '1', '-1', '7', '8', '16', '70', '7B', '0.5', '1e9', '1e99', '1e309', '-0', '8192', '131,072', '1048576', '9007199254740993', '2147483648',
  '4294967296', '99999999999999999999', '0 100 100 0 100 0', 'abc', '７０億', 'llama', 'Qwen', 'rtx', 'mac', '<img src=x onerror=alert(1)>', '"; drop', '🦙', 'a'.repeat(300),
  'Meta-Llama-3-70B-Q4_K_M.gguf', 'exps=CPU', '1,1,1', '3:7'];
const keys = ['Tab', 'Tab', 'Enter', 'Escape', 'ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home', 'End', 'PageDown', 'Backspace', '/', 'm', 'e', '1', '2', '3', '4', '?', ' '];
const widths = [320, 360, 768, 1280, 1920];
const logs = corpus('log').map(String);
const links = corpus('link').map((text) => String(text).trim().replace(/^#/, ''));
const files = [...corpus('gguf'), ...corpus('safetensors'), ...corpus('config')].map((bytes) => bytes.toString('base64'));

/** What the page says and where one could press; runs in the page. */
function look(kindAt, elementAt) {
  document.querySelectorAll('[data-monkey]').forEach((element) => element.removeAttribute('data-monkey'));
  const modals = document.querySelectorAll('dialog:modal');
  const root = modals[modals.length - 1] ?? document.body;
  // Not pressed: what leaves the page, prints it, saves a file or asks for one.
  const leaves = 'a[href^="http"], a[target], a[download], #print, #choose-files, input[type="file"]';
  const kinds = ['button', 'input, textarea', 'select', 'summary', 'label, a[href]', '[role="tab"], [role="option"], [role="radio"], [role="menuitem"]'];
  const seen = (selector) =>
    [...root.querySelectorAll(selector)].filter(
      (element) => !element.matches(leaves) && !element.disabled && element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0,
    );
  const groups = kinds.map(seen).filter((group) => group.length > 0);
  const group = groups[kindAt % Math.max(1, groups.length)] ?? [];
  const element = group[elementAt % Math.max(1, group.length)];
  element?.setAttribute('data-monkey', '');
  return {
    text: `${document.title}\n${document.body.innerText}`,
    ready: document.documentElement.hasAttribute('data-ready') && document.querySelector('main') !== null,
    tag: element?.localName ?? '',
    type: element?.type ?? '',
    what: element ? `${element.localName}#${element.id} ${(element.innerText ?? '').slice(0, 30)}` : '',
  };
}

/**
 * @param {any} raw the page of one engine: puppeteer.mjs
 * @param {(limit: number) => number} random
 */
export class Monkey {
  #raw;
  #random;
  /** What was done last, newest at the end. @type {string[]} */
  done = [];

  constructor(raw, random) {
    this.#raw = raw;
    this.#random = random;
  }

  #one(list) {
    return list[this.#random(list.length)];
  }

  /** One interaction; throws when the page shows what it never may. */
  async step() {
    const random = this.#random;
    const seen = await this.#raw.evaluate(look, random(1000), random(1_000_000));
    const broken = rawValue.exec(seen.text);
    if (broken) throw new Error(`the page shows "${seen.text.slice(Math.max(0, broken.index - 80), broken.index + 40)}"`);
    if (!seen.ready) throw new Error('the page is gone');
    const chance = random(100);
    if (chance < 8) return this.#say(`key ${await this.#key()}`);
    if (chance < 10) return this.#say(`link ${await this.#link()}`);
    if (chance < 11) return this.#say(`width ${await this.#resize()}`);
    if (chance < 12) return this.#say(`file ${await this.#file()}`);
    if (chance < 13) return this.#say(`back ${await this.#raw.evaluate(() => history.back())}`);
    return this.#use(seen);
  }

  #say(words) {
    this.done.push(words);
    if (this.done.length > 40) this.done.shift();
  }

  async #key() {
    const key = this.#one(keys);
    await this.#raw.press(key);
    return key;
  }

  async #link() {
    const link = this.#one(links);
    await this.#raw.evaluate((hash) => void (location.hash = hash), link);
    return link;
  }

  async #resize() {
    const width = this.#one(widths);
    await this.#raw.resize(width, 800);
    return width;
  }

  /** A file as dropped on the page モデル, whole or cut short. */
  async #file() {
    const bytes = this.#one(files);
    const part = this.#one([1, 1, 0.5]);
    return this.#raw.evaluate(
      (base64, share) => {
        const input = /** @type {HTMLInputElement | null} */ (document.querySelector('#files'));
        if (!input) return 'nowhere';
        const all = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const transfer = new DataTransfer();
        const name = all[0] === 71 ? 'a.gguf' : all[0] === 123 ? 'config.json' : 'model.safetensors';
        transfer.items.add(new File([all.slice(0, all.length * share)], name));
        input.files = transfer.files;
        input.dispatchEvent(new Event('change', { bubbles: true }));
        return name;
      },
      bytes,
      part,
    );
  }

  async #use({ tag, type, what }) {
    const random = this.#random;
    if (tag === '') return this.#say(`key ${await this.#key()}`);
    if (tag === 'select') {
      const chosen = await this.#raw.evaluate((at) => {
        const select = /** @type {HTMLSelectElement | null} */ (document.querySelector('[data-monkey]'));
        if (!select || select.options.length === 0) return '';
        select.selectedIndex = at % select.options.length;
        for (const event of ['input', 'change']) select.dispatchEvent(new Event(event, { bubbles: true }));
        return select.value;
      }, random(1000));
      return this.#say(`${what} ← ${chosen}`);
    }
    if (type === 'range') {
      const value = random(1001) / 1000;
      await this.#raw.evaluate((share) => {
        const range = /** @type {HTMLInputElement | null} */ (document.querySelector('[data-monkey]'));
        if (!range) return;
        range.value = String(Number(range.min || 0) + share * (Number(range.max || 100) - Number(range.min || 0)));
        for (const event of ['input', 'change']) range.dispatchEvent(new Event(event, { bubbles: true }));
      }, value);
      return this.#say(`${what} ← ${value}`);
    }
    try {
      await this.#raw.click('[data-monkey]');
    } catch (error) {
      // It went away, or something lies on top of all of it: so it would for a visitor.
      if (!/not clickable|No element|detached|not visible/i.test(error.message)) throw error;
      return this.#say(`${what} out of reach`);
    }
    const isText = tag === 'textarea' || (tag === 'input' && !['radio', 'checkbox', 'button', 'submit'].includes(type));
    if (!isText) return this.#say(`press ${what}`);
    const text = tag === 'textarea' ? this.#one(logs) : this.#one(typed);
    await this.#raw.evaluate(() => {
      const field = document.activeElement;
      if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.select();
    });
    if (text === '') await this.#raw.press('Backspace');
    else await this.#raw.paste(text);
    if (random(3) === 0) await this.#raw.press('Enter');
    return this.#say(`${what} ← ${JSON.stringify(text.slice(0, 40))}`);
  }
}
