/** The page 精度: measured tables as scripts/validate counted them, in the single file too. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { eventually } from '../lib/meyasu.mjs';
import { overflowing } from './layout.mjs';
import { violations } from './accessibility.mjs';

const report = JSON.parse(readFileSync(new URL('../../../web/tabs/accuracy/report.json', import.meta.url), 'utf8'));
const logs = report.tables.find(({ file }) => file === 'llamacpp_wild.csv');
const grouped = (count) => count.toLocaleString('en-US');

export function accuracy({ test, sources }) {
  test('the menu leads to it; rows without an estimate stand in view with their reasons', async (page) => {
    await page.open(sources.file(), { width: 390, height: 844 });
    await page.click('#menu-toggle');
    await page.click('#menu-acc');
    await eventually('the page', async () => (await page.text('#panel-acc h1')) !== '');
    await page.click('#acc-llamacpp_wild');
    assert.ok((await page.text('#acc-unsupported h3')).includes(grouped(logs.unsupported)));
    const shown = await page.evaluate(() =>
      [...document.querySelectorAll('#acc-unsupported tbody tr')].map((row) => Number(row.lastChild.textContent.replaceAll(',', ''))),
    );
    assert.deepEqual(shown, logs.reasons.map(([count]) => count));
    assert.match(await page.text('#panel-acc pre'), /scripts\/validate tests\/truth\/llamacpp_wild\.csv/);
    assert.deepEqual(await overflowing(page), []);
    await page.language('en');
    const lines = await page.evaluate(() => {
      const words = document.createRange();
      words.selectNodeContents([...document.querySelectorAll('#panel-acc th')].find((cell) => cell.textContent === 'Unsupported'));
      return words.getClientRects().length;
    });
    assert.equal(lines, 1, 'a word is not broken');
  });

  test('a link keeps table and component; the plot says how many points it shows', async (page) => {
    await page.open(`${sources.http()}#v1;tab=acc;at=throughput;ag=decode_tok_s/`);
    const group = report.tables.find(({ file }) => file === 'throughput.csv').groups.find(({ component }) => component === 'decode_tok_s');
    assert.equal(await page.evaluate(() => document.getElementById('acc-group').value), 'decode_tok_s/');
    const dots = await page.evaluate(() => document.querySelectorAll('.plot-point').length);
    assert.equal(dots, group.points.length);
    assert.match(await page.text('.acc-page'), new RegExp(`${grouped(group.figures[0])} 個のうち ${dots} 点`));
    assert.deepEqual(await violations(page), []);
  });
}
