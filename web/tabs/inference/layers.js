/** One cell a layer: what it is by its glyph, what it keeps by its height. The same of every runtime. */

import { fill, h } from "../../dom.js";
import { mib, whole } from "../../format.js";
import { amount } from "./terms.js";

/** @typedef {import("../../core-types.js").LayerCosts} LayerCosts */
/** @typedef {import("../../core-types.js").LayerClass} LayerClass */

/** @type {Record<LayerClass, string>} */
const GLYPHS = { full: "■", sliding: "◫", chunked: "▤", mla: "◆", shared: "↥", recurrent: "↻", none: "·", mtp: "»" };

/** Kept while the layers are drawn anew. */
let tableOpen = false;

/**
 * @param {LayerCosts} costs
 * @param {(device: string) => string} place name of a device
 * @param {import("../../i18n.js").Translate} t
 * @returns {import("../../dom.js").Child[]}
 */
export function layerStrip(costs, place, t) {
  const { blocks, classes } = costs;
  const tallest = Math.max(1, ...blocks.map(({ kept }) => kept));
  const cells = blocks.map(({ layer, kind, kept }) => {
    const bar = h("span", { class: `layer-bar layer-${kind}` });
    bar.style.height = `${(kept / tallest) * 100}%`;
    return h(
      "span",
      { class: "layer", title: t("infer.layer_title", { n: layer, kind: t(`layer.${kind}`), x: mib(kept) }) },
      h("span", { class: "layer-room" }, bar),
      h("span", { class: "layer-glyph" }, GLYPHS[kind]),
    );
  });
  // Layers of one kind may differ: more experts, fewer heads.
  const each = (/** @type {{ least: number, most: number }} */ { least, most }) => amount({ bytes: least, low: least, high: most }, t);
  const words = (/** @type {import("../../core-types.js").LayerClassCost} */ { kind, n_layer, kept, weights }) =>
    t("infer.layers_legend", { kind: t(`layer.${kind}`), n: whole(n_layer), x: each(kept), w: each(weights) });
  return [
    h("div", { class: "layers scroll", role: "img", "aria-label": classes.map(words).join(t("infer.comma")), tabindex: "0" }, ...cells),
    h(
      "ul",
      { class: "legend" },
      classes.map((cost) => h("li", {}, h("span", { "aria-hidden": "true" }, `${GLYPHS[cost.kind]} `), words(cost))),
    ),
    layerTable(costs, place, t),
  ];
}

/**
 * Made only when opened: large models have a hundred rows.
 * @param {LayerCosts} costs
 * @param {(device: string) => string} place
 * @param {import("../../i18n.js").Translate} t
 */
function layerTable({ blocks, outside_weights, outside_cache }, place, t) {
  const inside = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("infer.layers") });
  const details = h("details", { open: tableOpen }, h("summary", {}, t("infer.as_table")), inside);
  const row = (/** @type {string} */ name, /** @type {string[]} */ cells) => h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((cell) => h("td", {}, cell)));
  details.addEventListener("toggle", () => {
    tableOpen = details.open;
    if (!tableOpen) return;
    fill(
      inside,
      h(
        "table",
        { class: "data" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            [t("infer.layer"), t("infer.layer_kind"), t("infer.layer_kept"), t("term.weights"), t("infer.layer_place")].map((name) =>
              h("th", { scope: "col" }, name),
            ),
          ),
        ),
        h(
          "tbody",
          {},
          blocks.map(({ layer, kind, device, weights, kept }) => row(String(layer), [t(`layer.${kind}`), mib(kept), mib(weights), place(device)])),
          row(t("infer.layers_outside"), [t("infer.layers_outside_weights"), "–", mib(outside_weights), "–"]),
          outside_cache > 0 && row(t("infer.layers_outside"), [t("infer.layers_outside_cache"), mib(outside_cache), "–", "–"]),
        ),
      ),
    );
  });
  return details;
}
