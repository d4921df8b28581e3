/** Which language, and the sentences in it. A language is one file in languages/. */

import { first } from "meyasu:first";
import { names } from "meyasu:names";
import { closestLanguage } from "./closest-language.js";

/** A tag such as "ja": the name of its file. @typedef {string} Language */
/** @typedef {import("./languages/ja.js").MessageId} MessageId */
/** @typedef {(id: MessageId, values?: Record<string, string | number>) => string} Translate */

/** Tags, and what each language calls itself. */
export const languageNames = names;

/** Of each language what has been loaded so far. @type {Record<Language, Record<string, string>>} */
const tables = Object.fromEntries(Object.keys(names).map((language) => [language, {}]));

/** What the first view says; needed before `translator`. @param {Language} language */
export async function loadLanguage(language) {
  addMessages(language, (await first[language]()).messages);
}

/** Whether what the first view says is there. @param {Language} language */
export const speaks = (language) => Object.keys(tables[language]).length > 0;

/** Translators made before find them too. @param {Language} language @param {Record<string, string>} messages */
export const addMessages = (language, messages) => Object.assign(tables[language], messages);

/** @param {string} value */
export const isLanguage = (value) => Object.hasOwn(names, value);

/**
 * What the browser prefers of what there is; English for everybody else.
 * @param {string} [asked] is preferred to that
 * @returns {Language}
 */
export const browserLanguage = (asked = "") => closestLanguage(Object.keys(names), [asked, ...(navigator.languages ?? [navigator.language])]) ?? "en";

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
