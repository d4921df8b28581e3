/** An error of the core as a sentence. Its detail is a number, a range "1..16" or heads/ranks. */

import { whole } from "./format.js";
import { coreSentence } from "./i18n.js";

/**
 * @param {import("./i18n.js").Translate} t
 * @param {import("./core-types.js").CoreError} error
 */
export function coreErrorSentence(t, { code, detail }) {
  const [a = "", b = ""] = detail.split("..").map((part) => (/^\d+$/.test(part) ? whole(Number(part)) : part));
  const [heads = "", ranks = ""] = detail.split("/");
  return coreSentence(t, "error", code, { x: a, a, b, n: a, h: heads, y: t("term.compute_buffer"), ranks });
}
