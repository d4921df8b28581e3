/** Why a model could not be opened: the code of a message, and what to fill into it. */

import { coreSentence } from "../i18n.js";

export class OpenError extends Error {
  /**
   * @param {string} code message id in the group "error"
   * @param {string} [detail]
   */
  constructor(code, detail = "") {
    super(detail ? `${code}: ${detail}` : code);
    this.code = code;
    this.detail = detail;
  }
}

/**
 * The value of a core result, or its error thrown.
 * @template T
 * @param {import("../core-types.js").Result<T>} result
 * @returns {T}
 */
export function valueOf(result) {
  if (result.ok) return result.value;
  throw new OpenError(result.error.code, result.error.detail);
}

/**
 * The sentence for what went wrong.
 * @param {unknown} error
 * @param {import("../i18n.js").Translate} t
 */
export function openSentence(error, t) {
  const { code, detail } = error instanceof OpenError ? error : new OpenError("unreadable");
  const details = { x: detail, n: detail, pos: detail, list: detail };
  return coreSentence(t, "open", code, details, t("open.unreadable"));
}
