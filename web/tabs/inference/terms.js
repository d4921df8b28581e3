/** How terms of the core are called, coloured and listed. */

import { evidenceMark } from "../../components/evidence.js";
import { explainTerm } from "../../components/explain.js";
import { h, icons } from "../../dom.js";
import { gib, gibParts, mib } from "../../format.js";
import { coreSentence } from "../../i18n.js";

/** @typedef {import("../../core-types.js").Term} Term */
/** @typedef {import("../../i18n.js").Translate} Translate */

/** A term has one colour on all tabs. @type {Record<string, string>} */
const COLOURS = {
  weights: "weights",
  weights_repacked: "weights",
  weights_mapped: "embed",
  embeddings: "embed",
  kv_cache: "kv",
  kv_cache_window: "kv",
  kv_pool: "kv",
  recurrent_state: "kv",
  compute_buffer: "compute",
  output_buffer: "compute",
  activations: "act",
  optimizer_states: "optim",
  gradients: "grad",
  logits: "loss",
  work_buffers: "compute",
  other_models: "embed",
};
/** @param {string} id */
export const colourOf = (id) => COLOURS[id] ?? "ctx";

/**
 * @param {string} id
 * @param {Translate} t
 */
export const termName = (id, t) => coreSentence(t, "term", id);

/**
 * "gpu0" as "GPU" on a machine with one, else "GPU 1".
 * @param {string} device
 * @param {number} nGpu
 * @param {Translate} t
 */
export function deviceName(device, nGpu, t) {
  if (device === "host") return t("infer.ram");
  return nGpu > 1 ? `GPU ${Number(device.slice(3)) + 1}` : "GPU";
}

/**
 * "110〜585 MiB", or the one number.
 * @param {Pick<Term, "bytes" | "low" | "high">} term
 * @param {Translate} t
 */
export function amount({ bytes, low, high }, t) {
  if (low === bytes && high === bytes) return mib(bytes);
  return t("infer.between", { a: mib(low).replace(/\u00a0MiB$/, ""), b: mib(high) });
}

/**
 * The list of one device's terms; each opens its formula.
 * @param {object} options
 * @param {Term[]} options.terms
 * @param {string} options.title
 * @param {number} options.total
 * @param {string} options.device
 * @param {(explanation: import("../../components/explain.js").Explanation) => void} options.explain
 * @param {Translate} options.t
 * @param {(id: string) => string} [options.moves] what would change a term
 */
export function termList({ terms, title, total, device, explain, t, moves = (id) => coreSentence(t, "moves", id, {}, t("moves.other")) }) {
  const { value, unit } = gibParts(total);
  return h(
    "div",
    { class: "term-group" },
    h(
      "div",
      { class: "term-total" },
      h("h3", {}, title),
      h("span", {}, h("strong", {}, value), " ", h("span", { class: "unit" }, unit)),
    ),
    h(
      "ul",
      {},
      terms.map((term) => h("li", {}, termRow(term, device, explain, t, moves))),
    ),
  );
}

/**
 * @param {Term} term
 * @param {string} device
 * @param {(explanation: import("../../components/explain.js").Explanation) => void} explain
 * @param {Translate} t
 * @param {(id: string) => string} moves
 */
function termRow(term, device, explain, t, moves) {
  const name = termName(term.id, t);
  const open = () =>
    explain({
      ...explainTerm(term, name, moves(term.id), t),
      source: term.source,
    });
  const { value, unit } = gibParts(term.bytes);
  return h(
    "button",
    { type: "button", class: "term", id: `term-${device}-${term.id}`, "data-bytes": term.bytes, on: { click: open } },
    h("span", { class: `swatch swatch-${colourOf(term.id)}`, "aria-hidden": "true" }),
    h(
      "span",
      { class: "term-name" },
      h("strong", {}, name),
      h("span", { class: "note" }, coreSentence(t, "term_note", term.id, {}, "")),
    ),
    evidenceMark(term.evidence, t),
    h(
      "span",
      { class: "term-amount" },
      h("span", {}, h("strong", {}, value), " ", h("span", { class: "unit" }, unit)),
      h("span", { class: "note" }, amount(term, t)),
    ),
    icons.chevron(),
  );
}

/**
 * "重み 4.30 GiB、KVキャッシュ 1.00 GiB": a stacked bar in words.
 * @param {Term[]} terms
 * @param {Translate} t
 */
export const termsInWords = (terms, t) =>
  terms.map((term) => `${termName(term.id, t)} ${gib(term.bytes)}`).join(t("infer.comma"));
