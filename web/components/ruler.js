/**
 * The ruler of card sizes: an amount is a length, cards are ticks, bands are brackets above.
 * Positions (0 to 1) come from the core; this only draws them.
 */

import { fill, h } from "../dom.js";

/** Labelled on every width; the other ticks get their number only where there is room. */
const ALWAYS_LABELLED = [4, 8, 16, 32, 80];
const LABELLED_WHEN_WIDE = [6, 12, 24, 48, 180];

/** @param {number} part */
const percent = (part) => `${(part * 100).toFixed(3)}%`;

/**
 * @param {HTMLElement} element
 * @param {number} begin
 * @param {number} [end]
 */
function at(element, begin, end) {
  element.style.left = percent(begin);
  if (end !== undefined) element.style.width = percent(end - begin);
  return element;
}

/**
 * @param {object} options
 * @param {import("../core-types.js").SizeScale} options.scale
 * @param {import("../i18n.js").Translate} options.t
 */
export function ruler({ scale, t }) {
  const bar = h("div", { class: "ruler-bar" });
  const outside = h("span", { class: "ruler-outside" });
  const largest = scale.ticks[scale.ticks.length - 1].position;
  const beyond = at(h("div", { class: "ruler-beyond", hidden: true }), largest, 1);
  const lane = h("div", { class: "ruler-lane" }, bar, outside, beyond);
  const bands = scale.bands
    .filter(({ band }) => t(`scale.${band}`) !== "")
    .map(({ band, begin, end }) =>
      at(
        h(
          "span",
          { class: "ruler-band" },
          t(`scale.${band}`),
          h("span", { class: "wide-only" }, ` ${t(`scale.${band}_range`)}`),
        ),
        begin,
        end,
      ),
    );
  const ticks = scale.ticks.map(({ nominal_gb, position }) => {
    const always = ALWAYS_LABELLED.includes(nominal_gb);
    const wide = LABELLED_WHEN_WIDE.includes(nominal_gb);
    const label = always || wide ? String(nominal_gb) : "";
    const kind = always ? "ruler-tick-main" : wide ? "ruler-tick-wide" : "";
    return at(h("span", { class: `ruler-tick ${kind}` }, label), position);
  });
  const drawing = h(
    "div",
    { class: "ruler", role: "img" },
    h("div", { class: "ruler-bands" }, ...bands),
    lane,
    h("div", { class: "ruler-ticks" }, ...ticks, h("span", { class: "ruler-unit" }, t("scale.unit"))),
  );
  return {
    element: drawing,
    /**
     * @param {import("../core-types.js").SizeOnScale} place
     * @param {string} label
     * @param {string} description
     */
    update({ position, smallest_fit_gb }, label, description) {
      beyond.hidden = smallest_fit_gb !== null;
      bar.style.width = percent(position);
      const roomy = position > 0.25;
      fill(bar, roomy && h("span", {}, label));
      fill(outside, roomy ? "" : label);
      outside.style.left = percent(position);
      drawing.setAttribute("aria-label", description);
    },
  };
}
