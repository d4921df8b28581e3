/** Language and colours: by the browser at first, then as the visitor chose. */
import assert from 'node:assert/strict';
import { test as plainTest } from 'node:test';
import { Meyasu } from '../lib/meyasu.mjs';

const japanese = /[\u3040-\u30ff\u4e00-\u9fff]/;

export function preferences({ test, server, sources, launch, limit }) {
  test('a Japanese browser gets Japanese; the toggle gives English and keeps the input', async (page) => {
    await page.open(server().site);
    assert.equal(await page.attribute('html', 'lang'), 'ja');
    await page.calculated('70', 'INT4');
    await page.shows('32.60 GiB');
    await page.language('en');
    assert.equal(await page.value('#params'), '70');
    assert.equal(await page.isChecked('precision-INT4'), true);
    await page.shows('32.60 GiB', '35.00 GB');
    assert.match(await page.evaluate(() => document.title), /^[\x20-\x7e目安]+$/);
    await page.language('ja');
    await page.shows('32.60 GiB');
  });

  test('English is wholly English: no Japanese is left but names', async (page) => {
    await page.open(server().site);
    await page.language('en');
    await page.calculated('7');
    await page.shows('13.04 GiB');
    await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
    const left = await page.evaluate(() => {
      const lines = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (element.closest('[lang=ja], script, style')) continue;
        lines.push(walker.currentNode.data.trim());
      }
      for (const element of document.querySelectorAll('[aria-label], [title], [placeholder]'))
        for (const name of ['aria-label', 'title', 'placeholder']) {
          if (!element.closest('[lang=ja]') && element.getAttribute(name)) lines.push(element.getAttribute(name));
        }
      return lines;
    });
    // What a visitor may type in Japanese is shown as an example.
    assert.deepEqual(left.filter((line) => japanese.test(line) && !/70億|1兆|日本語/.test(line)), []);
  });

  test('the choice of language and colours outlives a reload', async (page) => {
    await page.open(server().site);
    await page.language('en');
    await page.theme('dark');
    await page.open(server().site);
    assert.equal(await page.attribute('html', 'lang'), 'en');
    assert.equal(await page.brightness(), 'dark');
    await page.theme('light');
    await page.open(server().site);
    assert.equal(await page.brightness(), 'light');
  });

  test('a link may ask for a language and colours', async (page) => {
    await page.open(`${server().site}#v1;p=7;q=fp16;lang=en;theme=dark`);
    assert.equal(await page.attribute('html', 'lang'), 'en');
    assert.equal(await page.brightness(), 'dark');
    await page.shows('13.04 GiB');
  });

  plainTest('an English browser in dark mode gets English and dark', { timeout: limit }, async () => {
    const browser = await launch({ language: 'en', dark: true });
    try {
      for (const url of [server().site, sources.file()]) {
        const raw = await browser.newPage();
        const page = new Meyasu(raw);
        await page.open(url);
        assert.match(await page.evaluate(() => navigator.language), /^en/, 'the browser is English');
        assert.equal(await page.attribute('html', 'lang'), 'en');
        assert.equal(await page.brightness(), 'dark');
        assert.deepEqual(await raw.errors(), []);
        await raw.close();
      }
    } finally {
      await browser.close();
    }
  });
}
