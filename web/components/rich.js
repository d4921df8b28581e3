/** Sentences with **bold**, `code` and [[id|term]]: a term opens its explanation in one tap. */

import { h } from "../dom.js";
import { gloss } from "./gloss.js";

/** @typedef {import("../dom.js").Child} Child */

const MARKUP = /\*\*(.+?)\*\*|`([^`]+)`|\[\[(\w+)(?:\|([^\]]+))?\]\]/g;

/**
 * @param {string} text
 * @param {import("../i18n.js").Translate} t
 * @returns {Child[]}
 */
export function rich(text, t) {
  /** @type {Child[]} */
  const result = [];
  let from = 0;
  for (const match of text.matchAll(MARKUP)) {
    result.push(text.slice(from, match.index));
    const [whole, bold, code, term, label] = match;
    if (bold) result.push(h("strong", {}, ...rich(bold, t)));
    else if (code) result.push(h("code", {}, code));
    else if (term) result.push(gloss(term, label, t));
    from = match.index + whole.length;
  }
  result.push(text.slice(from));
  return result;
}

/**
 * The same sentence as plain text, for labels and copies.
 * @param {string} text
 */
export function plainText(text) {
  return text.replace(MARKUP, (_whole, bold, code, term, label) => bold ?? code ?? label ?? term);
}
