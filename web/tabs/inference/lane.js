/**
 * A ruler in GiB for one device: its terms as lengths one after the other, the capacity as a mark,
 * the rest as a dimension line. Beyond the mark the lengths are hatched.
 */

import { h } from "../../dom.js";
import { gib, gibParts } from "../../format.js";
import { colourOf, termName, termsInWords } from "./terms.js";

const GIB = 1024 ** 3;
/** Lengths shorter than this part of the ruler carry no label. */
const LABEL_ROOM = 0.16;
/** The same on a phone. */
const PHONE_ROOM = 0.45;

/**
 * The label of a length that has room for one.
 * @param {number} part of the ruler
 * @param {string} words
 */
export const roomyLabel = (part, words) => part > LABEL_ROOM && h("span", { class: part < PHONE_ROOM && "not-on-phones" }, words);

/**
 * @param {HTMLElement} element
 * @param {number} begin part of the ruler
 * @param {number} length
 */
function span(element, begin, length) {
  element.style.left = `${(begin * 100).toFixed(3)}%`;
  element.style.width = `${(length * 100).toFixed(3)}%`;
  return element;
}

/**
 * Round distances between ticks, at most about eight of them.
 * @param {number} gibs
 */
function tickStep(gibs) {
  const rough = gibs / 6;
  const power = 2 ** Math.round(Math.log2(Math.max(rough, 1 / 64)));
  return power;
}

/**
 * @param {object} options
 * @param {string} options.title empty: the only lane
 * @param {import("../../core-types.js").Term[]} options.terms
 * @param {import("../../core-types.js").Fit} options.fit
 * @param {number} options.extent bytes from end to end, the same for all lanes
 * @param {import("../../i18n.js").Translate} options.t
 */
export function lane({ title, terms, fit, extent, t }) {
  const shown = terms.filter(({ bytes }) => bytes > 0);
  let at = 0;
  const pieces = shown.map((term) => {
    const length = term.bytes / extent;
    // Hatching beyond the capacity would cross out the label.
    const label = (at + length) * extent <= Math.max(fit.usable, 1) && roomyLabel(length, `${termName(term.id, t)} ${gibParts(term.bytes).value}`);
    const piece = span(h("span", { class: `lane-piece lane-${colourOf(term.id)}` }, label), at, length);
    at += length;
    return piece;
  });
  const capacity = fit.usable / extent;
  const step = tickStep(extent / GIB);
  const ticks = [];
  for (let tick = 0; tick * GIB <= extent * 1.0001; tick += step) {
    const mark = h("span", { class: "lane-tick" }, String(tick));
    mark.style.left = `${((tick * GIB) / extent) * 100}%`;
    ticks.push(mark);
  }
  const over = fit.margin < 0;
  const free = over
    ? span(h("span", { class: "lane-over" }), capacity, at - capacity)
    : span(h("span", { class: "lane-free" }, roomyLabel(capacity - at, t("infer.spare", { x: gibParts(fit.margin).value }))), at, capacity - at);
  const mark = h("span", { class: "lane-mark" }, h("span", {}, t("infer.usable", { x: gibParts(fit.usable).value })));
  mark.style.left = `${Math.min(capacity, 1) * 100}%`;
  if (capacity > 0.6) mark.classList.add("lane-mark-left");
  return h(
    "div",
    { class: "lane-block" },
    title !== "" && h("p", { class: "lane-title" }, title),
    h(
      "div",
      {
        class: "lane",
        role: "img",
        "aria-label": t("infer.lane_words", {
          x: termsInWords(shown, t),
          y: gib(fit.usable),
        }),
      },
      h("div", { class: "lane-track" }, ...pieces, fit.usable > 0 && free, fit.usable > 0 && mark),
      h("div", { class: "lane-ticks" }, ...ticks),
    ),
  );
}

/**
 * What the colours are, with values.
 * @param {import("../../core-types.js").Term[]} terms
 * @param {import("../../i18n.js").Translate} t
 */
export function laneLegend(terms, t) {
  return h(
    "ul",
    { class: "legend" },
    terms
      .filter(({ bytes }) => bytes > 0)
      .map((term) =>
        h(
          "li",
          {},
          h("span", { class: `swatch swatch-${colourOf(term.id)}`, "aria-hidden": "true" }),
          ` ${termName(term.id, t)} ${gib(term.bytes)}`,
        ),
      ),
  );
}
