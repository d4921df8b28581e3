/** No width scrolls sideways, nothing is cut off, everything can be hit with a finger. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

/** The narrowest outside Chromium, which has them all. */
const widthsOf = (engine) => (engine === 'chromium' ? [320, 768, 1440, 2560] : [320]);

/** What sticks out of the page to the right, boxes that scroll by themselves excepted. */
export const overflowing = (page) =>
  page.evaluate(() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > wide + 0.5)
      .map((element) => `${element.tagName}#${element.id}.${element.className} to ${Math.round(element.getBoundingClientRect().right)}`)
      .slice(0, 5)
      .concat(`page ${document.documentElement.scrollWidth} > ${wide}`);
  });

export function layout({ test, server, engine }) {
  for (const width of widthsOf(engine))
    test(`no sideways scroll at ${width} px: example, big numbers, errors, open guide, both languages`, async (page) => {
      await page.open(server().site, { width, height: 900 });
      for (const language of ['ja', 'en']) {
        await page.language(language);
        assert.deepEqual(await overflowing(page), [], `${language}, first view`);
        await page.fill('#name-input', 'DeepSeek-R1-Distill-Qwen-32B-Q4_K_M-00001-of-00002.gguf');
        await page.calculated('999,999', 'FP32');
        await page.showsText('#vram-gib', 'GiB');
        assert.deepEqual(await overflowing(page), [], `${language}, big numbers`);
        await page.fill('#params', 'x'.repeat(60));
        await page.press('Enter');
        await eventually('a sentence', () => page.error());
        await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
        assert.deepEqual(await overflowing(page), [], `${language}, error and open guide`);
      }
    });

  test('on a phone the answer comes into view, and targets are large enough', async (page) => {
    await page.open(server().site, { width: 360, height: 700 });
    await page.calculated('7');
    await page.shows('13.04 GiB');
    await eventually('the answer in view', () =>
      page.evaluate(() => {
        const { top, bottom } = document.querySelector('#vram-gib').getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      }),
    );
    const small = await page.evaluate(() =>
      [...document.querySelectorAll('#params, #calculate, #name-input, #lang-toggle, #theme-toggle, [id^=precision-]')]
        .map((element) => [element, element.type === 'radio' ? element.labels[0] : element])
        .map(([element, target]) => [element.id, target.getBoundingClientRect().height, target.getBoundingClientRect().width])
        .filter(([, height, width]) => height < 43.5 || width < 43.5),
    );
    assert.deepEqual(small, []);
  });

  test('on the narrowest phone the table of cards still counts them, and no head of a table breaks inside a word', async (page) => {
    await page.open(`${server().site}#v1;tab=train;lang=en`, { width: 320, height: 700 });
    await eventually('a count', () => page.isVisible('#train-cards tbody td'));
    await page.open(`${server().site}#v1;lang=en`, { width: 320, height: 700 });
    const broken = await page.evaluate(() =>
      [...document.querySelectorAll('#gpu-table thead th')].flatMap((cell) =>
        cell.textContent.split(' ').filter((word) => {
          const text = cell.firstChild;
          const range = document.createRange();
          range.setStart(text, text.data.indexOf(word));
          range.setEnd(text, text.data.indexOf(word) + word.length);
          return range.getClientRects().length > 1;
        }),
      ),
    );
    assert.deepEqual(broken, []);
  });

  test('text at twice its size still fits', async (page) => {
    await page.open(server().site, { width: 640, height: 900 });
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '200%';
    });
    assert.deepEqual(await overflowing(page), []);
  });

  test('pressing the button moves nothing above the answer', async (page) => {
    await page.open(server().site);
    const tops = () =>
      page.evaluate(() => ['#params', '#calculate', '#vram-gib', '#formula'].map((id) => Math.round(document.querySelector(id).getBoundingClientRect().top + scrollY)));
    const before = await tops();
    await page.calculated('7');
    await page.shows('13.04 GiB');
    assert.deepEqual(await tops(), before);
  });
}
