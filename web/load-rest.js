/**
 * A hosted page opens with the small core, one language and the tab かんたん. The rest (rest.js, the
 * whole core, the remaining sentences) is loaded when somebody touches the page or follows a link
 * that needs it. In the single file all of it is there and nothing is fetched.
 */

import { later } from "meyasu:later";
import { loadCore } from "./core.js";
import { h } from "./dom.js";
import { loadGuide } from "./guide/guide.js";
import { addMessages, languageNames, loadLanguage, speaks } from "./i18n.js";

/** @typedef {import("./i18n.js").Language} Language */
/** @typedef {typeof import("./rest.js")} Rest */

/** What is a connection's fault, and not the browser's. */
export class NotLoaded extends Error {}

/** Which files belong to what, as scripts/lib/package.mjs wrote it down. @param {string} part */
const filesOf = (part) => document.querySelector(`script[data-${part}]`)?.getAttribute(`data-${part}`)?.split(" ") ?? [];

/** Files that did not come when they were asked for. @type {Set<string>} */
const missed = new Set();

/**
 * Brings a script to the browser for the import that follows. Browsers may remember for ever that an
 * import failed; this can be tried again.
 * @param {string} file
 */
async function brought(file) {
  try {
    await (missed.has(file) ? fetched(file) : preloaded(file));
  } catch {
    missed.add(file);
    throw new NotLoaded(file);
  }
}

/**
 * The import uses what was preloaded, even where the server forbids to store it (in Firefox it asks
 * again then).
 * @param {string} file
 */
const preloaded = (file) =>
  new Promise((resolve, reject) => {
    const link = h("link", { rel: "preload", as: "script", crossorigin: "", href: file, on: { load: resolve, error: reject } });
    if (link.relList.supports("preload")) document.head.append(link);
    else resolve(null);
  });

/**
 * After a preload that failed: Chromium hands that failure to the next import, and forgets it then.
 * @param {string} file
 */
async function fetched(file) {
  const answer = await fetch(file);
  await answer.arrayBuffer();
  if (!answer.ok) throw new NotLoaded(file);
  const { href } = new URL(file, location.href);
  await import(href).catch(() => import(href));
}

/** @param {import("./core-types.js").Core} core gets the functions of the whole core */
export function restOfPage(core) {
  /** @type {Rest | null} */
  let rest = null;
  /** @type {Promise<void> | null} */
  let page = null;
  /** @type {Map<Language, Promise<void>>} */
  const languages = new Map();
  /** @type {Set<Language>} */
  const complete = new Set();
  /** Read before the page replaces what is around them. */
  const files = {
    rest: filesOf("rest"),
    words: Object.fromEntries(
      Object.keys(languageNames).map((language) => [language, { first: filesOf(`first-${language}`), later: filesOf(`later-${language}`) }]),
    ),
  };

  async function loadPage() {
    await Promise.all(files.rest.map(brought));
    const [found, whole] = await Promise.all([import("./rest.js"), loadCore(MEYASU_SINGLE_FILE ? undefined : MEYASU_CORE)]);
    Object.assign(core, whole);
    rest = found;
  }
  /** @param {Language} language */
  async function loadWords(language) {
    const words = files.words[language];
    await Promise.all([...words.later, ...(speaks(language) ? [] : words.first)].map(brought));
    const [{ messages }] = await Promise.all([later[language](), loadLanguage(language), loadGuide(language)]);
    addMessages(language, messages);
    complete.add(language);
  }

  return {
    /** null until it is here. */
    get: () => rest,
    /** @param {Language} language */
    ready: (language) => rest !== null && complete.has(language),
    /**
     * Rejects with NotLoaded when the files cannot be had; may be called again then.
     * @param {Language} language
     */
    async load(language) {
      page ??= loadPage();
      if (!languages.has(language)) languages.set(language, loadWords(language));
      const [loaded, spoken] = await Promise.allSettled([page, languages.get(language)]);
      if (loaded.status === "rejected") page = null;
      if (spoken.status === "rejected") languages.delete(language);
      for (const result of [loaded, spoken]) if (result.status === "rejected") throw result.reason;
    },
  };
}
