/**
 * Inside somebody's blog: another origin, a strict policy in its header, a theme that styles
 * everything. The blog is "localhost", the calculator "127.0.0.1": two origins, as in life.
 */
import assert from 'node:assert/strict';
import { eventually } from '../lib/meyasu.mjs';

const hostileTheme = `
  * { all: unset; font-size: 40px !important; color: red !important; background: yellow !important; letter-spacing: 9px !important; }
  html, body, main { display: block !important; }
  input, button, label, span, p, dl, dt, dd, meyasu-calculator { display: none !important; visibility: hidden !important; opacity: 0 !important;
    position: absolute !important; left: -9999px !important; width: 10px !important; height: 5px !important; transform: rotate(45deg) !important; }`;

export function embed({ test, server, engine }) {
  const policy = () =>
    [
      "default-src 'none'",
      `script-src ${server().site}embed.js`,
      `frame-src ${server().site}`,
      "style-src 'nonce-blog'",
      "img-src 'self'", // the blog's own icon
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ].join('; ');

  /** Opens a blog page whose body is `body`. */
  const openBlog = async (page, path, body, { theme = '', width = 800, headers = { 'content-security-policy': policy() } } = {}) => {
    server().page(
      path,
      `<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>ブログ</title><style nonce="blog">${theme}</style></head><body><main>${body}</main></body></html>`,
      headers,
    );
    await page.raw.resize(width, 900);
    await page.raw.open(`${server().foreign}${path.slice(1)}`);
  };
  const script = () => `<script src="${server().site}embed.js"></script>`;
  const inside = (page, work, ...args) => page.raw.evaluateInFrame('embed.html', work, ...args);
  const answer = (page, wanted) =>
    eventually(`${wanted} in the frame`, async () => {
      const text = await inside(page, () => document.querySelector('#vram-gib')?.innerText ?? '');
      return (text ?? '').replace(/\s/g, ' ').includes(wanted);
    });
  const heights = async (page, selector) => {
    const outside = await page.evaluate((where) => document.querySelector(where).getBoundingClientRect().height, selector);
    const [content, window, scroll] = await inside(page, () => [
      document.body.getBoundingClientRect().height,
      innerHeight,
      document.documentElement.scrollHeight,
    ]);
    return { outside, content, window, scroll };
  };
  const rightHeight = async (page, selector) => {
    let seen;
    // A frame far outside the window is not laid out until a reader gets there.
    await page.evaluate((where) => document.querySelector(where).scrollIntoView({ block: 'center' }), selector);
    await eventually(`the height of ${selector} to be that of its content`, async () => {
      seen = await heights(page, selector);
      return Math.abs(seen.outside - seen.content) <= 2 && seen.scroll <= seen.window + 1;
    }).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
    });
  };
  const calculateInside = (page, params) =>
    inside(
      page,
      (typed) => {
        const field = document.querySelector('#params');
        field.value = typed;
        field.dispatchEvent(new InputEvent('input', { bubbles: true }));
        document.querySelector('#calculate').click();
      },
      params,
    );

  test(
    'the element works under a strict policy and a hostile theme, and has the height of its content',
    async (page) => {
      await openBlog(page, '/blog-element', `<h1>記事</h1><meyasu-calculator params="70" precision="INT4"></meyasu-calculator>${script()}`, { theme: hostileTheme });
      // The theme shows even the style sheet as text; the calculator loads when a reader gets there.
      await page.evaluate(() => document.querySelector('meyasu-calculator').scrollIntoView({ block: 'center' }));
      await answer(page, '32.60 GiB');
      await rightHeight(page, 'meyasu-calculator');
      const box = await page.evaluate(() => {
        const element = document.querySelector('meyasu-calculator');
        const { width, left } = element.getBoundingClientRect();
        const { display, visibility, opacity, transform } = getComputedStyle(element);
        return { wide: width >= 280, inView: left >= 0, display, visibility, opacity, transform };
      });
      assert.deepEqual(box, { wide: true, inView: true, display: 'block', visibility: 'visible', opacity: '1', transform: 'none' });
      const size = await inside(page, () => parseFloat(getComputedStyle(document.querySelector('#calculate')).fontSize));
      assert.ok(size < 30, `the theme does not reach inside (${size} px)`);
    },
    { foreignHost: true },
  );

  test(
    'attributes choose numbers, language and colours, and may change later',
    async (page) => {
      await openBlog(page, '/blog-attributes', `<meyasu-calculator params="7" precision="INT8" lang="en" theme="dark"></meyasu-calculator>${script()}`);
      await answer(page, '6.52 GiB');
      const look = () =>
        inside(page, () => {
          const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
          return [document.documentElement.lang, (r + g + b) / 3 < 128 ? 'dark' : 'light'];
        });
      assert.deepEqual(await look(), ['en', 'dark']);
      await page.evaluate(() => document.querySelector('meyasu-calculator').setAttribute('params', '70'));
      await answer(page, '65.19 GiB');
    },
    { foreignHost: true },
  );

  test(
    'an element that is inserted later works, two of them too',
    async (page) => {
      await openBlog(page, '/blog-later', script());
      await page.evaluate(() => {
        for (const params of ['7', '70']) {
          const element = document.createElement('meyasu-calculator');
          element.setAttribute('params', params);
          element.setAttribute('precision', 'FP16');
          document.querySelector('main').append(element);
        }
      });
      await eventually('both answers', async () => {
        const first = await page.raw.evaluateInFrame('p=7;', () => document.querySelector('#vram-gib')?.innerText ?? '');
        const second = await page.raw.evaluateInFrame('p=70;', () => document.querySelector('#vram-gib')?.innerText ?? '');
        return first?.includes('13.04') && second?.includes('130.4');
      });
    },
    { foreignHost: true },
  );

  for (const width of [320, 800])
    test(
      `a plain iframe in a ${width} px column follows the height of its content`,
      async (page) => {
        const frame = `<iframe src="${server().site}embed.html#v1;p=7;q=fp16" title="計算" width="100%" height="100"></iframe>`;
        await openBlog(page, `/blog-iframe-${width}`, `${frame}${script()}`, { theme: 'body { margin: 0 } iframe { border: 0; display: block }', width: Math.max(width, 450) });
        await page.evaluate((wide) => {
          document.querySelector('main').style.width = `${wide}px`;
        }, width);
        await answer(page, '13.04 GiB');
        await rightHeight(page, 'iframe');
        await calculateInside(page, 'abc');
        await eventually('a sentence in the frame', () => inside(page, () => document.querySelector('#params-error').innerText));
        await rightHeight(page, 'iframe');
        await calculateInside(page, '70');
        await answer(page, '130.4 GiB');
        await rightHeight(page, 'iframe');
        const sideways = await inside(page, () => document.documentElement.scrollWidth > innerWidth);
        assert.equal(sideways, false);
      },
      { foreignHost: true },
    );

  // In WebKit no policy with 'self' matches in a frame without an origin, so there the origin stays.
  const sandbox = engine === 'webkit' ? 'allow-scripts allow-same-origin' : 'allow-scripts';
  test(
    'a frame without rights of its own (sandbox) still calculates',
    async (page) => {
      await openBlog(page, '/blog-sandbox', `<iframe sandbox="${sandbox}" src="${server().site}embed.html#v1;p=7;q=fp16" title="計算" width="400" height="600"></iframe>`);
      await answer(page, '13.04 GiB');
      await calculateInside(page, '70');
      await answer(page, '130.4 GiB');
    },
    { foreignHost: true },
  );

  test(
    'height messages of other origins, and nonsense from the right one, are ignored',
    async (page) => {
      server().page('/stranger', '<!doctype html><html lang="en"><head><title>stranger</title></head><body>stranger</body></html>');
      const stranger = `<iframe id="stranger" src="${server().foreign}stranger" title="other" width="300" height="150"></iframe>`;
      await openBlog(page, '/blog-messages', `<meyasu-calculator params="7"></meyasu-calculator>${stranger}${script()}`, {
        headers: { 'content-security-policy': policy().replace('frame-src', `frame-src ${server().foreign}`) },
      });
      await answer(page, '13.04 GiB');
      await rightHeight(page, 'meyasu-calculator');
      const height = () => page.evaluate(() => [document.querySelector('meyasu-calculator'), document.querySelector('#stranger')].map((one) => one.getBoundingClientRect().height));
      const before = await height();

      // What a real message looks like is learnt from the calculator itself.
      await page.evaluate(() => addEventListener('message', (event) => ((window.__messages ??= []).push(event.data))));
      await inside(page, () => {
        document.querySelector('main').append(Object.assign(document.createElement('p'), { id: 'more', textContent: '…' }));
      });
      const message = await eventually('a height message', () => page.evaluate(() => window.__messages?.[0]));
      assert.deepEqual(Object.keys(message).sort(), ['height', 'type'], 'the message tells the height and nothing else');
      await inside(page, () => {
        document.querySelector('#more').remove();
      });
      await eventually('the old height', async () => (await height())[0] === before[0]);

      await page.raw.evaluateInFrame('stranger', (type) => parent.postMessage({ type, height: 1234 }, '*'), message.type);
      await page.evaluate((type) => postMessage({ type, height: 1234 }, '*'), message.type);
      for (const nonsense of [-5, 0, 1e9, 'NaN', null, '<b>', {}])
        await inside(page, (type, value) => parent.postMessage({ type, height: value }, '*'), message.type, nonsense);
      await inside(page, () => parent.postMessage('text', '*'));
      await eventually('all messages to arrive', () => page.evaluate(() => window.__messages.filter((one) => one === 'text').length === 1));
      assert.deepEqual(await height(), before);
    },
    { foreignHost: true },
  );

  test('the page writes the code for a blog', async (page) => {
    await page.open(server().site);
    await page.calculated('70', 'INT4');
    await page.shows('32.60 GiB');
    await page.click('#menu-toggle');
    await page.click('#menu-embed');
    await eventually('the code', async () => (await page.text('#embed-code')).includes('<iframe'));
    const code = await page.text('#embed-code');
    assert.ok(code.includes(`${server().site}embed.html#v1;p=70;q=int4`), code);
    // The whole page, with the tab and the model that are in view.
    await page.evaluate(() => document.querySelector('#embed .tool').click());
    await page.click('#tab-infer');
    await page.click('#menu-toggle');
    await page.click('#menu-embed');
    await page.showsText('#embed-code', `${server().site}index.html#v1;tab=infer`);
    await eventually('the preview', () => page.raw.evaluateInFrame('index.html', () => document.querySelector('#panel-infer') !== null));
  });

  test('a variety of a language that is there is that language, inside as in the title of the frame', async (page) => {
    await page.open(`${server().site}embed.html#v1;p=7;lang=en-GB`, { width: 480, height: 700 });
    assert.equal(await page.attribute('html', 'lang'), 'en');
  });
}
