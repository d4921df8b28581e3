/** Which language, and the sentences in it. */

import { messages as en } from "./messages/en.js";
import { messages as ja } from "./messages/ja.js";

/** @typedef {"ja" | "en"} Language */
/** @typedef {import("./messages/ja.js").MessageId} MessageId */
/** @typedef {(id: MessageId, values?: Record<string, string | number>) => string} Translate */

/** @type {Record<Language, Record<MessageId, string>>} */
const tables = { ja, en };

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
  return id in ja ? t(/** @type {MessageId} */ (id), values) : otherwise;
}
