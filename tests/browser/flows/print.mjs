/**
 * Printing gives a readable sheet. Only Chromium can be told to be a printer, so everywhere the
 * style sheets' own media are turned over: what is for print applies, what is for screen does not.
 */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

/** Turns the media of the style sheets over; gives how many were for print. */
const turnToPrint = (page) =>
  page.evaluate(() => {
    let count = 0;
    const visit = (rules) => {
      for (const rule of rules) {
        if (rule.media) {
          const media = rule.media.mediaText;
          if (/\bprint\b/.test(media)) count += 1;
          rule.media.mediaText = media.replace(/\bprint\b/g, 'all').replace(/\bscreen\b/g, 'not all');
        }
        if (rule.cssRules) visit(rule.cssRules);
        if (rule.styleSheet) visit(rule.styleSheet.cssRules);
      }
    };
    for (const sheet of document.styleSheets) visit(sheet.cssRules);
    return count;
  });

export function print({ test, sources }) {
  test('the sheet has the answer, the formula and the link, and no controls', async (page) => {
    await page.open(sources.http());
    await page.theme('dark');
    await page.calculated('7');
    await page.shows('13.04 GiB');
    const turned = await turnToPrint(page);
    assert.ok(turned > 0, 'there is a style for print');
    for (const shown of ['#vram-gib', '#vram-gb', '#ram-gib', '#formula', '#gpu-table']) assert.equal(await page.isVisible(shown), true, shown);
    for (const hidden of ['#calculate', '#lang-toggle', '#theme-toggle', '#name-input']) assert.equal(await page.isVisible(hidden), false, hidden);
    await eventually('the link of this calculation on the sheet', async () => (await page.visibleText()).includes('#v1;p=7;q=fp16'));
    const text = await page.visibleText();
    assert.match(text, /13\.04/);
    assert.match(text, /7B FP16/, 'what was asked is on the sheet');
    const contrast = await page.evaluate(() => {
      const light = (color) => {
        const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
        return a === 0 ? 255 : (r + g + b) / 3;
      };
      return { ink: light(getComputedStyle(document.querySelector('#vram-gib')).color), paper: light(getComputedStyle(document.body).backgroundColor) };
    });
    assert.ok(contrast.ink < 100 && contrast.paper > 230, `dark ink on white paper even from the dark theme: ${JSON.stringify(contrast)}`);
  });

  test('bars are printed in their colours, as their labels stand on them', async (page) => {
    await page.open(`${sources.http()}#v1;tab=infer`);
    await turnToPrint(page);
    const exact = (selector) =>
      page.evaluate((where) => {
        const style = getComputedStyle(document.querySelector(where));
        return style.getPropertyValue('print-color-adjust') || style.getPropertyValue('-webkit-print-color-adjust'); // each engine knows one
      }, selector);
    for (const part of ['.lane-piece', '.swatch', '.layer-bar']) assert.equal(await exact(part), 'exact', part);
  });

  test('what is pressed in a table stands on the sheet', async (page) => {
    await page.open(`${sources.http()}#v1;tab=acc`);
    await turnToPrint(page);
    assert.equal(await page.isVisible('#acc-llamacpp_truth'), true);
  });
}
