/** Pictures for a person to look at, in tests/screenshots/ (not kept in the repository). */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '../lib/meyasu.mjs';

const folder = fileURLToPath(new URL('../../screenshots/', import.meta.url));
const sizes = { phone: [360, 780], desktop: [1440, 900] };

export function screenshots({ test, server, engine }) {
  mkdirSync(folder, { recursive: true });
  const shoot = (page, name, options) => page.raw.screenshot(`${folder}${engine}-${name}.png`, options);

  // Between engines little but the letters differs, so one language and theme a size is enough outside Chromium.
  const full = engine === 'chromium';
  for (const [size, [width, height]] of Object.entries(sizes))
    for (const language of full ? ['ja', 'en'] : ['ja'])
      for (const theme of full ? ['light', 'dark'] : ['light'])
        test(`${size}, ${language}, ${theme}`, async (page) => {
          await page.open(server().site, { width, height });
          await page.language(language);
          await page.theme(theme);
          await page.fill('#name-input', 'ELYZA-japanese-Llama-2-7b-fast-instruct.fp16');
          await page.press('Enter');
          await page.shows('13.04 GiB');
          await page.evaluate(() => scrollTo(0, 0));
          await shoot(page, `${size}-${language}-${theme}`);
        });

  test('error, explanation, guide', async (page) => {
    await page.open(server().site, { width: 1280, height: 900 });
    await page.calculated('70');
    await page.shows('130.4 GiB');
    await page.click('#rule-gb');
    await eventually('a dialog', () => page.evaluate(() => document.querySelector('dialog[open]') !== null));
    await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
    await shoot(page, 'explanation', { fullPage: false });
    await page.press('Escape');
    await page.fill('#params', '-1');
    await page.press('Enter');
    await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
    await shoot(page, 'error-and-guide');
  });
}
