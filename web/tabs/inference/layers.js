/** One cell a layer: what it is by its glyph, what it keeps by its height. */

import { fill, h } from "../../dom.js";
import { gib, mib, whole } from "../../format.js";

/** @typedef {import("../../core-types.js").LayerCost} LayerCost */
/** @typedef {import("../../core-types.js").LayerClass} LayerClass */

/** @type {Record<LayerClass, string>} */
const GLYPHS = { full: "■", sliding: "◫", chunked: "▤", mla: "◆", shared: "↥", recurrent: "↻", none: "·" };

/** @param {LayerCost} layer */
const kept = (layer) => layer.kv_cache + layer.recurrent_state;

/**
 * @param {LayerCost[]} layers
 * @param {import("../../i18n.js").Translate} t
 * @returns {import("../../dom.js").Child[]}
 */
export function layerStrip(layers, t) {
  const most = Math.max(1, ...layers.map(kept));
  /** @type {Map<LayerClass, LayerCost[]>} */
  const kinds = new Map();
  for (const layer of layers) kinds.set(layer.kind, [...(kinds.get(layer.kind) ?? []), layer]);
  const cells = layers.map((layer) => {
    const bar = h("span", { class: `layer-bar layer-${layer.kind}` });
    bar.style.height = `${(kept(layer) / most) * 100}%`;
    return h(
      "span",
      { class: "layer", title: t("infer.layer_title", { n: layer.layer, kind: t(`layer.${layer.kind}`), x: mib(kept(layer)) }) },
      h("span", { class: "layer-room" }, bar),
      h("span", { class: "layer-glyph" }, GLYPHS[layer.kind]),
    );
  });
  const sentence = [...kinds]
    .map(([kind, members]) => t("infer.layers_words", { kind: t(`layer.${kind}`), n: members.length, x: mib(kept(members[0])) }))
    .join(t("infer.comma"));
  return [
    h("div", { class: "layers scroll", role: "img", "aria-label": sentence, tabindex: "0" }, ...cells),
    h(
      "ul",
      { class: "legend" },
      [...kinds].map(([kind, members]) =>
        h(
          "li",
          {},
          h("span", { "aria-hidden": "true" }, `${GLYPHS[kind]} `),
          t("infer.layers_legend", {
            kind: t(`layer.${kind}`),
            n: whole(members.length),
            x: mib(kept(members[0])),
          }),
        ),
      ),
    ),
    layerTable(layers, t),
  ];
}

/**
 * Made only when opened: large models have a hundred rows.
 * @param {LayerCost[]} layers
 * @param {import("../../i18n.js").Translate} t
 */
function layerTable(layers, t) {
  const inside = h("div", { class: "scroll" });
  const details = h("details", {}, h("summary", {}, t("infer.as_table")), inside);
  details.addEventListener("toggle", () => {
    if (!details.open) return;
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
            [t("infer.layer"), t("infer.layer_kind"), t("infer.layer_place"), t("term.weights"), t("infer.layer_kept")].map((name) =>
              h("th", { scope: "col" }, name),
            ),
          ),
        ),
        h(
          "tbody",
          {},
          layers.map((layer) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, String(layer.layer)),
              h("td", {}, t(`layer.${layer.kind}`)),
              h("td", {}, layer.on_gpu ? "GPU" : t("infer.ram")),
              h("td", {}, gib(layer.weights)),
              h("td", {}, mib(kept(layer))),
            ),
          ),
        ),
      ),
    );
  });
  return details;
}
