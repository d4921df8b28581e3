/** Why a model could not be opened: the code of a message, and what to fill into it. */
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
