/** The policy of the page: no string becomes code or markup, whatever got into the page. */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

/** Runs in the page: what an injection would try. Trusted Types refuse most of it at once. */
function inject() {
  const place = document.createElement('div');
  const attempts = [
    () => {
      const script = document.createElement('script');
      script.append('window.ranInline = true');
      document.body.append(script);
    },
    () => {
      place.setAttribute('onclick', 'window.ranHandler = true');
      place.dispatchEvent(new MouseEvent('click'));
    },
    () => setTimeout('window.ranString = true'),
    () => (place.innerHTML = '<b>markup</b>'),
  ];
  for (const attempt of attempts) {
    try {
      attempt();
    } catch {
      // refused
    }
  }
  return { markup: place.childElementCount > 0, trustedTypes: 'trustedTypes' in window };
}

export function security({ rawTest, sources, server }) {
  const attacked = async (page, url) => {
    await page.resize(800, 600);
    await page.open(url);
    await eventually('the page', () => page.evaluate(() => document.readyState === 'complete' && (document.title === 'fixture' || document.documentElement.hasAttribute('data-ready'))));
    const { markup, trustedTypes } = await page.evaluate(inject);
    // Timers run in order: what was to run has run.
    const ran = await page.evaluate(() => new Promise((resolve) => setTimeout(() => resolve(['ranInline', 'ranHandler', 'ranString'].filter((name) => name in window)), 20)));
    return { ran, markup: trustedTypes && markup };
  };
  const pages = { hosted: () => server().site, 'from disk': sources.file, embedded: () => `${server().site}embed.html` };
  for (const [name, url] of Object.entries(pages)) {
    rawTest(`no string becomes code or markup, ${name}`, async (page) => {
      assert.deepEqual(await attacked(page, url()), { ran: [], markup: false });
    });
  }

  rawTest('the same strings run where no policy stands in the way', async (page) => {
    server().page('/no-policy', '<!doctype html><html lang="en"><head><title>fixture</title></head><body></body></html>');
    assert.deepEqual((await attacked(page, `${server().site}no-policy`)).ran, ['ranInline', 'ranHandler', 'ranString']);
  });
}
