/** State is a URL: it goes round, and a hostile one does nothing but be refused. */
import assert from 'node:assert/strict';
import { eventually, rawValue } from '../lib/meyasu.mjs';

const hostile = {
  markup: '#v1;p=<script>console.error(1)</script>',
  'escaped markup': '#v1;p=7;n=%3Cimg%20src%3Dx%20onerror%3Dconsole.error(1)%3E',
  'broken percent-encoding': '#v1;p=%E0%A4%A;q=%',
  'far too long': `#v1;p=7;n=${'a'.repeat(60_000)}`,
  'as long as may be': `#v1;p=7;n=${'a'.repeat(4_000)}`,
  'a long number': `#v1;p=${'9'.repeat(500)}`,
  'names every object has': '#v1;constructor=1;__proto__=2;toString=3;hasOwnProperty=4;p=7',
  'another version': '#v9;p=7',
  'no version': '#p=7;q=int8',
  'not a number': '#v1;p=NaN;q=fp16;rb=NaN;rf=Infinity',
  'unknown precision': '#v1;p=7;q=fp3',
  'a script address': '#javascript:console.error(1)',
  nothing: '#',
  'separators only': '#v1;;;===;;',
};

export function fragment({ alike, test, sources, server }) {
  for (const [source, url] of Object.entries(sources)) {
    test(`every input goes into the link and back, over ${source}`, async (page) => {
      await page.open(url());
      await page.calculated('70', 'INT8');
      await page.fill('#rule-bits', '5');
      await page.fill('#rule-factor', '1.3');
      const rule = await eventually('the rule', async () => ((await page.text('#rule-gb')).startsWith('56.8') ? page.text('#rule-gb') : ''));
      await page.shows('65.19 GiB', '70.00 GB');
      const link = await eventually('a link', async () => {
        const hash = await page.evaluate(() => location.hash);
        return hash.includes('70') && hash.includes('1.3') ? hash : '';
      });
      assert.match(link, /^#v1;/, 'the link carries its version');

      await page.open(url() + link);
      await page.shows('65.19 GiB', '70.00 GB');
      assert.equal(await page.text('#rule-gb'), rule);
      assert.equal(await page.value('#params'), '70');
      assert.equal(await page.isChecked('precision-INT8'), true);
      assert.deepEqual([await page.value('#rule-bits'), await page.value('#rule-factor')], ['5', '1.3']);
      assert.equal(await page.evaluate(() => location.hash), link, 'opening a link does not change it');
    });
  }

  test('a file name goes into the link and back, Japanese and separators included', async (page) => {
    const name = 'モデル;p=9-7b #1.fp16';
    await page.open(server().site);
    await page.fill('#name-input', name);
    await page.press('Enter');
    await page.shows('13.04 GiB');
    const link = await eventually('the name in the link', async () => {
      const hash = await page.evaluate(() => location.hash);
      return hash.includes(';n=') ? hash : '';
    });
    await page.open(server().site + link);
    await page.shows('13.04 GiB');
    assert.equal(await page.value('#name-input'), name);
  });

  test('another link in the open page is followed', async (page) => {
    await page.open(`${server().site}#v1;p=7;q=fp16`);
    await page.shows('13.04 GiB');
    await page.evaluate(() => {
      location.hash = '#v1;p=70;q=int4';
    });
    await page.shows('32.60 GiB', '35.00 GB');
  });

  alike('hostile links do nothing bad, and the page calculates after each', async (page) => {
    for (const [what, link] of Object.entries(hostile)) {
      await page.open(server().site + link);
      assert.equal(await page.evaluate(() => document.querySelectorAll('main script, main img, main iframe').length), 0, what);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `no sideways scroll: ${what}`);
      assert.doesNotMatch(await page.visibleText(), rawValue, what);
      await page.fill('#params', '7');
      await page.precision('FP16');
      await page.calculate();
      await page.shows('13.04 GiB', '14.00 GB');
    }
  });

  test('what was typed just before does not overwrite a link that is followed', async (page) => {
    await page.open(`${server().site}#v1;p=7;q=fp16`);
    await page.shows('13.04 GiB');
    await page.evaluate(async () => {
      const field = document.getElementById('params');
      for (const text of ['8', '9', '10']) {
        field.value = text;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      }
      location.hash = '#v1;p=70;q=int4';
      await new Promise((resolve) => setTimeout(resolve, 600));
    });
    await page.shows('32.60 GiB', '35.00 GB');
    assert.equal(await page.evaluate(() => location.hash), '#v1;p=70;q=int4');
  });

  test('a link may end with a semicolon', async (page) => {
    await page.open(`${server().site}#v1;p=7;q=fp16;`);
    await page.shows('13.04 GiB');
    assert.equal(await page.isVisible('.banner'), false);
  });

  test('an unreadable part of a link is named', async (page) => {
    await page.open(`${server().site}#v1;p=7;zz=1`);
    await page.shows('13.04 GiB');
    assert.match(await page.visibleText(), /リンクの「zz=1」が読めません/);
  });
}
