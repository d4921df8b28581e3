/**
 * The service worker of hosted copies: the page's own files from the cache, so that it opens without
 * a network. Everything else goes the usual way. A new version waits until the visitor asks for it.
 * It starts once the whole page was loaded, so that a first look costs no more than it shows.
 */

/** @type {any} the global of a service worker, which the page's types do not know */
const worker = self;
/** One host may hold several copies, each below its own folder. */
const ours = `meyasu-${new URL("./", worker.location.href).pathname}-`;
const cacheName = ours + MEYASU_BUILD;

worker.addEventListener("install", (/** @type {any} */ event) => {
  // Asked of the server again, or files of two versions could meet; what the page has just loaded is
  // not sent twice, unless the server forbids to store it.
  const files = MEYASU_FILES.map((name) => new Request(name, { cache: "no-cache" }));
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(files)));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  const old = (/** @type {string[]} */ names) => names.filter((name) => name.startsWith(ours) && name !== cacheName);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))));
});

/** Without what follows "?" and "#". @param {string} url */
const bare = (url) => url.replace(/[?#].*/s, "");
const own = new Set(MEYASU_FILES.map((name) => bare(new URL(name, worker.location.href).href)));

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  // Requests for model files must not pass through here: a broken answer would be the worker's.
  if (request.method !== "GET" || !own.has(bare(request.url))) return;
  event.respondWith(caches.open(cacheName).then((cache) => cache.match(request, { ignoreSearch: true })).then((found) => found ?? fetch(request)));
});

worker.addEventListener("message", (/** @type {any} */ { data }) => {
  if (data === "update") worker.skipWaiting();
});
