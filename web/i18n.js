/** Which language, and the sentences in it. */

/** @typedef {"ja" | "en"} Language */
/** @typedef {import("./messages/ja.js").MessageId} MessageId */
/** @typedef {(id: MessageId, values?: Record<string, string | number>) => string} Translate */

/** Of each language what has been loaded so far. @type {Record<Language, Record<string, string>>} */
const tables = { ja: {}, en: {} };

const first = {
  ja: () => import("./messages/first-ja.js"),
  en: () => import("./messages/first-en.js"),
};

/** What the first view says; needed before `translator`. @param {Language} language */
export async function loadLanguage(language) {
  addMessages(language, (await first[language]()).messages);
}

/** Whether what the first view says is there. @param {Language} language */
export const speaks = (language) => Object.keys(tables[language]).length > 0;

/** Translators made before find them too. @param {Language} language @param {Record<string, string>} messages */
export const addMessages = (language, messages) => Object.assign(tables[language], messages);

/**
 * @param {unknown} value
 * @returns {value is Language}
 */
export const isLanguage = (value) => value === "ja" || value === "en";

/** Japanese for browsers that prefer it, English for everybody else. @returns {Language} */
export function browserLanguage() {
  for (const tag of navigator.languages ?? [navigator.language]) {
    const language = tag.slice(0, 2).toLowerCase();
    if (isLanguage(language)) return language;
  }
  return "en";
}

/**
 * @param {Language} language
 * @returns {Translate}
 */
export function translator(language) {
  const table = tables[language];
  return (id, values = {}) =>
    table[id].replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * The sentence for a message id that comes from the core; `otherwise` if it has none here.
 * @param {Translate} t
 * @param {string} group
 * @param {string} code
 * @param {Record<string, string | number>} [values]
 * @param {string} [otherwise]
 */
export function coreSentence(t, group, code, values = {}, otherwise = code) {
  const id = `${group}.${code}`;
  const known = Object.values(tables).some((table) => id in table);
  return known ? t(/** @type {MessageId} */ (id), values) : otherwise;
}
