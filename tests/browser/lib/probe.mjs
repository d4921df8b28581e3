/**
 * WebKit's driver does not report console messages, so for WebKit only a few lines are put in front
 * of everything else in a page: they remember what went wrong. A policy in a <meta> applies to what
 * follows it, one in a header gets a nonce for these lines alone.
 */
const nonce = 'console-probe';

const probe = `<script nonce="${nonce}">(() => {
  // The driver cannot enter frames in closed shadow trees, so they stay open to it.
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) { return attach.call(this, { ...options, mode: 'open' }); };
  const seen = (window.__consoleErrors = []);
  const error = console.error;
  console.error = (...args) => { seen.push('console.error: ' + args.map(String).join(' ')); error.apply(console, args); };
  addEventListener('error', (event) => {
    seen.push('error: ' + (event.message || 'could not load ' + (event.target.src || event.target.href)));
  }, true);
  addEventListener('unhandledrejection', (event) => seen.push('unhandled rejection: ' + event.reason));
  addEventListener('securitypolicyviolation', (event) => {
    seen.push('policy: ' + event.violatedDirective + ' blocked ' + (event.blockedURI || 'inline'));
  });
})();</script>`;

/** @param {Buffer | string} page UTF-16 if it begins with the mark of it, else UTF-8 */
export function insertProbe(page) {
  const bytes = Buffer.from(page);
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8';
  const html = bytes.toString(encoding);
  const head = /<head[^>]*>/i.exec(html);
  const at = head ? head.index + head[0].length : (/^\s*<!doctype[^>]*>/i.exec(html)?.[0].length ?? 0);
  return Buffer.from(html.slice(0, at) + probe + html.slice(at), encoding);
}

/** The same headers, with the probe's nonce allowed by their script-src. */
export function allowProbe(headers) {
  const policy = headers['content-security-policy'];
  if (!policy) return headers;
  return { ...headers, 'content-security-policy': policy.replace(/script-src /, `script-src 'nonce-${nonce}' `) };
}
