/** The promises of suite.mjs are worth as much as the driver's ability to see them broken. */
import assert from 'node:assert/strict';
import { strangers } from '../lib/suite.mjs';
import { eventually } from '../lib/meyasu.mjs';

export function driver({ server, rawTest, sources, engine }) {
  const blank = (body) => `<!doctype html><html lang="en"><head><title>fixture</title></head><body>${body}</body></html>`;

  rawTest('errors in the console are seen', async (page) => {
    server().page('/driver-errors', blank(`<script>console.error('said aloud'); setTimeout(() => { throw new Error('thrown'); });
      Promise.reject(new Error('left alone'));</script>`));
    await page.resize(800, 600);
    await page.open(`${server().site}driver-errors`);
    await eventually('three errors', async () => (await page.errors()).length >= 3);
    const seen = (await page.errors()).join('\n');
    for (const word of ['said aloud', 'thrown', 'left alone']) assert.ok(seen.includes(word), `${word} in: ${seen}`);
  });

  rawTest('what a content security policy blocks is seen', async (page) => {
    server().page('/driver-policy', blank('<script>document.title = "ran";</script>'), { 'content-security-policy': "default-src 'none'; script-src 'self'" });
    await page.resize(800, 600);
    await page.open(`${server().site}driver-policy`);
    await eventually('an error', async () => (await page.errors()).length > 0);
    assert.equal(await page.evaluate(() => document.title), 'fixture');
  });

  rawTest('requests to other hosts are seen', async (page) => {
    server().page('/driver-requests', blank(`<script>
      fetch('http://fetched.invalid/a').catch(() => {}); new Image().src = 'https://imaged.invalid/b';</script>`));
    await page.resize(800, 600);
    await page.open(`${server().site}driver-requests`);
    const seen = async () => strangers(await page.requests(), server()).join('\n');
    await eventually('both requests', async () => /^http:.*fetched/m.test(await seen()) && /^https:/m.test(await seen()));
  });

  rawTest('real keys arrive: text, Enter, Tab and shortcuts', async (page) => {
    server().page('/driver-keys', blank(`<form><input id="a"><input id="b"><button>send</button></form><script>
      document.querySelector('form').addEventListener('submit', (event) => { event.preventDefault(); document.title = 'submitted'; });</script>`));
    await page.resize(800, 600);
    await page.open(`${server().site}driver-keys`);
    await page.click('#a');
    await page.type('７B 億');
    await page.press('a', { control: true });
    await page.press('c', { control: true });
    await page.press('Tab');
    await page.press('v', { control: true });
    await page.press('Enter');
    assert.deepEqual(await page.evaluate(() => [document.querySelector('#a').value, document.querySelector('#b').value, document.title]), ['７B 億', '７B 億', 'submitted']);
  });

  rawTest('the window has the width that was asked for, phones too', async (page) => {
    server().page('/driver-width', blank(''));
    for (const width of [320, 360, 1440]) {
      await page.resize(width, 700);
      await page.open(`${server().site}driver-width`);
      assert.equal(await page.evaluate(() => innerWidth), width);
    }
  });

  rawTest('a page from disk cannot read its neighbours, as with a visitor', async (page) => {
    await page.resize(800, 600);
    await page.open(sources.file());
    const answer = await page.evaluate(() => fetch('./site/embed.js').then(() => 'read', () => 'refused'));
    assert.equal(answer, 'refused', `${engine} must keep its rules for file://`);
  });

  rawTest('a frame that removes itself does no harm', async (page) => {
    server().page('/driver-inner', blank('inside'));
    server().page('/driver-frames', blank('<iframe src="/driver-inner"></iframe>'));
    await page.resize(800, 600);
    await page.open(`${server().site}driver-frames`);
    await eventually('the frame', () => page.evaluateInFrame('driver-inner', () => document.body.textContent === 'inside'));
    await page.evaluateInFrame('driver-inner', () => void setTimeout(() => frameElement.remove()));
    await eventually('no frame', async () => (await page.errors()).length === 0 && (await page.evaluate(() => !document.querySelector('iframe'))));
  });

  let tries = 0;
  rawTest('a lost browser is replaced, once', async (page) => {
    tries += 1;
    await page.resize(800, 600);
    await page.open(`${server().site}driver-keys`);
    if (tries === 1) throw new Error('GET /title: no such window: as if');
    assert.equal(await page.evaluate(() => document.title), 'fixture');
    assert.equal(tries, 2);
  });
}
