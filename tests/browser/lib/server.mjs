/**
 * The web server of the tests: dist/site plus pages that a test registers. It listens on an
 * ephemeral port of every loopback name, so that "127.0.0.1" and "localhost" are two origins of the
 * same files: a blog and the site it embeds.
 */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { allowProbe, insertProbe } from './probe.mjs';

const contentTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * @param {string} root folder that is served at "/"
 * @param {{ probe: boolean }} options probe: every HTML answer carries the console probe
 */
export async function startServer(root, { probe }) {
  /** @type {Map<string, { html: string, headers: Record<string, string> }>} */
  const pages = new Map();
  /** @type {Map<string, (request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse, path: string) => void>} */
  const routes = new Map();

  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://host').pathname);
    const page = pages.get(path);
    const send = (status, type, body, headers = {}) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...headers });
      response.end(body);
    };
    const sendHtml = (html, headers) =>
      probe ? send(200, contentTypes['.html'], insertProbe(html), allowProbe(headers)) : send(200, contentTypes['.html'], html, headers);

    for (const [prefix, handle] of routes) if (path.startsWith(prefix)) return handle(request, response, path.slice(prefix.length));
    if (page) return sendHtml(page.html, page.headers);
    // Browsers ask for it unbidden where a page names no icon.
    if (path === '/favicon.ico') return send(204, 'image/x-icon', '');
    let file = normalize(join(root, path));
    if (file !== root && !file.startsWith(root + sep)) return send(403, 'text/plain', 'outside the site');
    try {
      if ((await stat(file)).isDirectory()) file = join(file, 'index.html');
      const type = contentTypes[extname(file)] ?? 'application/octet-stream';
      if (extname(file) === '.html') return sendHtml(await readFile(file), {});
      await stat(file);
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
      createReadStream(file).pipe(response);
    } catch {
      send(404, 'text/plain', `no ${path}`);
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, resolve));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  return {
    /** Where the site is. */
    site: `http://127.0.0.1:${port}/`,
    /** The same files as a foreign origin. */
    foreign: `http://localhost:${port}/`,
    /** Serves `html` at `path` with extra headers, e.g. a Content-Security-Policy. */
    page(path, html, headers = {}) {
      pages.set(path, { html, headers });
    },
    /** Everything below `prefix` is answered by `handle`. */
    route(prefix, handle) {
      routes.set(prefix, handle);
    },
    stop() {
      server.closeAllConnections?.();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
