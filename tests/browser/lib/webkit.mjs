/**
 * WebKit: WebKitGTK's MiniBrowser by WebKitWebDriver, spoken to in plain W3C WebDriver over HTTP,
 * on a display of its own (Xvfb). What that protocol lacks is made up for here:
 *  - console errors: a probe in front of the page (probe.mjs);
 *  - requests to the outside: everything but what is for this machine is noted and refused by a proxy;
 *  - the browser's language is the locale of the process, and need not be installed: a copy of
 *    C.UTF-8 under that name will do;
 *  - a GTK window has a least width: narrower pages are put into a frame.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { programs } from './engines.mjs';
import { forgetVisitor } from './forget.mjs';
import { insertProbe } from './probe.mjs';

const leastWindowWidth = 450;
const keys = {
  Enter: '\uE007',
  Tab: '\uE004',
  Escape: '\uE00C',
  Backspace: '\uE003',
  ArrowLeft: '\uE012',
  ArrowUp: '\uE013',
  ArrowRight: '\uE014',
  ArrowDown: '\uE015',
  Home: '\uE011',
  End: '\uE010',
  PageUp: '\uE00E',
  PageDown: '\uE00F',
};
const shift = '\uE008';
const control = '\uE009';

async function freePort() {
  const socket = createSocket();
  await new Promise((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = /** @type {import('node:net').AddressInfo} */ (socket.address());
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

/**
 * A proxy that passes on what is for this machine, and remembers and refuses everything else. The
 * session's own list of exceptions ("noProxy") is not used: WebKitGTK 2.50 hands that list on without
 * its end (webkit_network_proxy_settings_new reads past it) and dies of it now and then at its start.
 */
async function startLoopbackProxy() {
  const refused = [];
  const proxy = createServer((request, response) => {
    const { hostname, port, host, pathname, search } = new URL(request.url, 'http://the-proxy-itself/');
    const refuse = () => (response.headersSent ? response.destroy() : response.writeHead(502).end());
    if (!['127.0.0.1', 'localhost'].includes(hostname)) {
      refused.push(request.url);
      return refuse();
    }
    const { method, headers } = request;
    const onward = forward({ host: '127.0.0.1', port, path: pathname + search, method, headers: { ...headers, host } }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on('error', refuse);
    request.pipe(onward);
  });
  proxy.on('connect', (request, socket) => {
    refused.push(`https://${request.url}/`);
    socket.end('HTTP/1.1 502 Refused\r\n\r\n');
  });
  // WebKit speaks TLS to the proxy itself for https, so the host stays unknown; that it asked is enough.
  proxy.on('clientError', (_error, socket) => {
    refused.push('https://host-unknown/');
    socket.destroy();
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  return { refused, address: `127.0.0.1:${port}`, stop: () => proxy.close().closeAllConnections() };
}

function localeFolder(folder, language) {
  const name = { ja: 'ja_JP.UTF-8', en: 'en_US.UTF-8' }[language] ?? `${language}.UTF-8`;
  const neutral = ['/usr/lib/locale/C.utf8', '/usr/lib/locale/C.UTF-8'].find((path) => existsSync(path));
  if (!neutral) throw new Error('the locale C.UTF-8 is not installed: run "apt-get install libc-bin"');
  cpSync(neutral, join(folder, name), { recursive: true });
  return { LOCPATH: folder, LANG: name, LC_ALL: name, LANGUAGE: name };
}

class WebKitPage {
  #call;
  #proxy;
  #folder;
  #framed = false;
  #errors = [];
  #requests = [];
  #askedBefore;

  constructor(call, proxy, folder) {
    this.#call = call;
    this.#proxy = proxy;
    this.#folder = folder;
    this.#askedBefore = proxy.refused.length;
  }

  async open(url) {
    await this.#remember();
    let target = url;
    if (url.startsWith('file:')) {
      // The page as built, with the probe in front, from a file again.
      const path = fileURLToPath(url.split('#')[0]);
      const copy = join(this.#folder, basename(path));
      writeFileSync(copy, insertProbe(readFileSync(path)));
      target = pathToFileURL(copy).href + (url.includes('#') ? url.slice(url.indexOf('#')) : '');
    }
    await this.#call('POST', '/frame', { id: null });
    // Only the fragment may differ from the page before: a visitor opens links in a new tab.
    await this.#call('POST', '/url', { url: 'about:blank' });
    this.#framed = this.width < leastWindowWidth;
    if (this.#framed) {
      const frame = new URL('/narrow-frame', url).href;
      await this.#call('POST', '/url', { url: frame });
      await this.#execute(
        (address, width, height) =>
          new Promise((resolve) => {
            const element = document.createElement('iframe');
            element.width = width;
            element.height = height;
            element.style.cssText = 'border:0;display:block';
            element.onload = resolve;
            element.src = address;
            document.body.append(element);
          }),
        [target, this.width, this.height],
      );
      await this.#enterFrame('iframe');
    } else {
      await this.#call('POST', '/url', { url: target });
    }
  }

  async resize(width, height) {
    this.width = width;
    this.height = height;
    // The window's own toolbar takes some of the height.
    const chrome = 38;
    await this.#call('POST', '/window/rect', { width: Math.max(width, leastWindowWidth), height: height + chrome });
  }

  async #execute(work, args) {
    const source = typeof work === 'string' ? `() => { ${work} }` : String(work);
    // The driver drops a script that still waits when the page changes its address, so only those
    // wait that have to.
    if (!/async|Promise|fetch/.test(source.slice(0, 5_000))) return this.#call('POST', '/execute/sync', { script: `return (${source})(...arguments)`, args });
    const script = `const done = arguments[arguments.length - 1];
      Promise.resolve().then(() => (${source})(...Array.prototype.slice.call(arguments, 0, -1))).then(
        (value) => done({ value }), (error) => done({ error: String(error && error.stack || error) }));`;
    const answer = await this.#call('POST', '/execute/async', { script, args });
    if (answer.error) throw new Error(answer.error);
    return answer.value;
  }

  evaluate(work, ...args) {
    return this.#execute(work, args);
  }

  async #element(selector) {
    const element = await this.#call('POST', '/element', { using: 'css selector', value: selector });
    return Object.values(element)[0];
  }

  async #enterFrame(selector) {
    await this.#call('POST', '/frame', { id: { 'element-6066-11e4-a52e-4f735466cecf': await this.#element(selector) } });
  }

  /** Back from any frame to the page under test, which in a narrow window is in a frame itself. */
  async #toPage() {
    await this.#call('POST', '/frame', { id: null });
    if (this.#framed) await this.#enterFrame('iframe');
  }

  /** Runs `visit` inside each frame, those in shadow trees included (the probe keeps them open). */
  async #eachFrame(visit) {
    const script = `const found = [];
      const look = (root) => root.querySelectorAll('*').forEach((element) => {
        if (element.localName === 'iframe') found.push(element);
        if (element.shadowRoot) look(element.shadowRoot);
      });
      look(document);
      return found;`;
    for (const frame of await this.#call('POST', '/execute/sync', { script, args: [] })) {
      try {
        await this.#call('POST', '/frame', { id: frame });
        const result = await visit();
        if (result) return result;
      } catch (error) {
        // A frame that is gone, or whose handle the driver lost, has nothing to show. Were it the
        // window itself, going back to the page fails the same way.
        if (!/no such (window|frame)|stale element/.test(error.message)) throw error;
      } finally {
        await this.#toPage();
      }
    }
    return undefined;
  }

  /** Runs `work` inside the frame whose address contains `part`; undefined while there is none. */
  async evaluateInFrame(part, work, ...args) {
    const found = await this.#eachFrame(async () =>
      (await this.#execute(() => location.href, [])).includes(part) ? { value: await this.#execute(work, args) } : undefined,
    );
    return found?.value;
  }

  async click(selector) {
    // The driver scrolls no further than to the edge of the window, where sticky bars lie on top.
    await this.evaluate((where) => {
      const element = document.querySelector(where);
      if (!element) return;
      const { left, top, width, height } = element.getBoundingClientRect();
      const hit = document.elementFromPoint(left + width / 2, top + height / 2);
      if (!hit || !(element.contains(hit) || hit.contains(element))) element.scrollIntoView({ block: 'center', behavior: 'instant' });
    }, selector);
    await this.#call('POST', `/element/${await this.#element(selector)}/click`, {});
  }

  async #keys(...actions) {
    await this.#call('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  async type(text) {
    // The driver garbles what needs Shift or has no key, and loses the field in a frame; an input
    // method hands a text over as a whole.
    if (this.#framed || !/^[a-z0-9 .,-]*$/.test(text)) return this.evaluate((words) => document.execCommand('insertText', false, words), text);
    const focused = Object.values(await this.#call('GET', '/element/active'))[0];
    await this.#call('POST', `/element/${focused}/value`, { text });
  }

  async press(key, held = {}) {
    const modifiers = [...(held.control ? [control] : []), ...(held.shift ? [shift] : [])];
    const value = keys[key] ?? key;
    await this.#keys(
      ...modifiers.map((modifier) => ({ type: 'keyDown', value: modifier })),
      { type: 'keyDown', value },
      { type: 'keyUp', value },
      ...modifiers.map((modifier) => ({ type: 'keyUp', value: modifier })),
    );
  }

  async screenshot(path, { fullPage = true } = {}) {
    const height = fullPage ? await this.evaluate(() => document.documentElement.scrollHeight) : 0;
    await this.resize(this.width, Math.max(this.height, height));
    writeFileSync(path, Buffer.from(await this.#call('GET', '/screenshot'), 'base64'));
  }

  /** Takes over what the probes and the timings of the document and its frames have seen. */
  async #remember() {
    const read = () => ({
      url: location.href,
      errors: (window.__consoleErrors ?? []).splice(0),
      requests: performance.getEntriesByType('resource').map((entry) => entry.name),
    });
    const keep = ({ url, errors, requests }) => {
      if (!url.startsWith('about:')) this.#requests.push(url, ...requests);
      this.#errors.push(...errors);
    };
    keep(await this.#execute(read, []));
    await this.#eachFrame(async () => keep(await this.#execute(read, [])));
  }

  async errors() {
    await this.#remember();
    return this.#errors;
  }
  async requests() {
    await this.#remember();
    return [...new Set([...this.#requests, ...this.#proxy.refused.slice(this.#askedBefore)])];
  }
  async close() {
    await forgetVisitor((work) => this.evaluate(work));
    await this.#call('POST', '/frame', { id: null });
  }
}

/** Starts the driver and a session; the display or the browser sometimes does not come up under load. */
async function start(environment, capabilities, say) {
  const { driver, display } = programs.webkit();
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const child = spawn(display, ['-a', '-s', '-screen 0 2720x6000x24', driver, '--host=127.0.0.1', `--port=${port}`], {
      env: { ...process.env, ...environment, NO_AT_BRIDGE: '1' },
      detached: true, // a process group of its own, to end all of it
      stdio: 'ignore',
    });
    const stop = () => {
      process.off('exit', stop);
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {
        // gone already
      }
    };
    process.once('exit', stop);
    // Longer than the driver waits for a script or a page (below), so that its own error is the one seen.
    const call = async (method, path, body, patience = 70_000) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(patience),
      });
      const { value } = await response.json();
      if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
      return value;
    };
    const ready = () => call('GET', '/status', undefined, 2_000).then(() => true, () => false);
    const deadline = Date.now() + 30_000;
    while (!(await ready()) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    try {
      const session = await call('POST', '/session', { capabilities: { alwaysMatch: capabilities } }, 45_000);
      const inSession = async (method, path, body) => {
        for (let attempt = 1; ; attempt += 1)
          try {
            return await call(method, `/session/${session.sessionId}${path}`, body);
          } catch (error) {
            // Under load the driver at times loses sight of its window for a moment.
            if (!/no such window/.test(error.message) || attempt === 25) throw error;
            await new Promise((resolve) => setTimeout(resolve, 200));
          }
      };
      return { version: session.capabilities.browserVersion, call: inSession, stop };
    } catch (error) {
      stop();
      if (attempt === 3) throw new Error(`WebKit did not start in three attempts: ${error.message}`, { cause: error });
      say(`webkit: attempt ${attempt} to start it failed (${error.message}), once more`);
    }
  }
}

export async function launch(_engine, { language = 'ja', dark = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'meyasu-webkit-'));
  const proxy = await startLoopbackProxy();
  const { version, call, stop } = await start(
    { ...localeFolder(folder, language), GTK_THEME: dark ? 'Adwaita:dark' : 'Adwaita' },
    {
      'webkitgtk:browserOptions': { binary: programs.webkit().browser, args: ['--automation'] },
      proxy: { proxyType: 'manual', httpProxy: proxy.address, sslProxy: proxy.address },
      timeouts: { script: 60_000, pageLoad: 60_000 },
    },
    console.log,
  );
  return {
    version: `WebKitGTK ${version}`,
    async newPage() {
      await call('POST', '/frame', { id: null });
      await call('POST', '/url', { url: 'about:blank' });
      return new WebKitPage(call, proxy, folder);
    },
    async close() {
      try {
        await call('DELETE', '');
      } finally {
        stop();
        proxy.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
