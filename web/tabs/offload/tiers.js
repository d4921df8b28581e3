/** GPU, RAM and disk with what lies where: once on one scale, then each on its own. */

import { h } from "../../dom.js";
import { gib, gibParts, percent } from "../../format.js";
import { roomyLabel } from "../inference/lane.js";
import { colourOf, termName } from "../inference/terms.js";

/** @param {string} tier @param {import("../../i18n.js").Translate} t */
export const tierName = (tier, t) => t(/** @type {any} */ (`off.tier_${tier}`));

/**
 * A room as long as its capacity, filled with pieces as long as what they hold.
 * @param {import("../../core-types.js").OffloadTier} tier
 * @param {number} extent bytes from end to end
 * @param {boolean} labels
 * @param {import("../../i18n.js").Translate} t
 */
function room({ terms, capacity }, extent, labels, t) {
  const pieces = terms
    .filter(({ bytes }) => bytes > 0)
    .map((term) => {
      const label = labels && roomyLabel(term.bytes / extent, `${termName(term.id, t)} ${gibParts(term.bytes).value}`);
      const piece = h("span", { class: `tier-piece lane-${colourOf(term.id)}` }, label);
      piece.style.width = `${((term.bytes / capacity) * 100).toFixed(3)}%`;
      return piece;
    });
  const element = h("span", { class: labels ? "tier-bar" : "tier-bar tier-bar-thin" }, ...pieces);
  element.style.width = `${Math.max((capacity / extent) * 100, 0.4).toFixed(3)}%`;
  return element;
}

/**
 * @param {import("../../core-types.js").OffloadTier[]} tiers
 * @param {import("../../i18n.js").Translate} t
 */
export function tierBars(tiers, t) {
  const shown = tiers.filter(({ capacity }) => capacity > 0);
  const most = Math.max(...shown.map(({ capacity }) => capacity));
  const row = (/** @type {import("../../core-types.js").OffloadTier} */ tier, /** @type {boolean} */ own) => {
    const { value, unit } = gibParts(tier.used);
    const extent = own ? tier.capacity : most;
    const words = tier.terms.map((term) => `${termName(term.id, t)} ${gib(term.bytes)}`).join(t("infer.comma"));
    return h(
      "div",
      { class: own ? "tier" : "tier tier-common" },
      h("div", { class: "tier-name" }, h("strong", {}, tierName(tier.tier, t)), own && h("span", { class: "note" }, gib(tier.capacity))),
      own
        ? h("div", { class: "tier-room", role: "img", "aria-label": t("off.tier_words", { x: tierName(tier.tier, t), y: words || "0" }) }, room(tier, extent, true, t))
        : h("div", { class: "tier-room", "aria-hidden": "true" }, room(tier, extent, false, t)),
      own && h("div", { class: "tier-amount" }, h("span", {}, h("strong", {}, value), " ", h("span", { class: "unit" }, unit)), h("span", { class: "note" }, percent(tier.used / tier.capacity))),
    );
  };
  return [
    h("div", { class: "stack-tight" }, shown.map((tier) => row(tier, false))),
    h("p", { class: "note" }, t("off.scale_note")),
    ...shown.map((tier) => row(tier, true)),
  ];
}
