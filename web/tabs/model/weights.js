/** Where the bytes are: one bar on a ruler, a legend with the numbers, and a strip of blocks. */

import { h } from "../../dom.js";
import { gib, mib, percent, rulerMark, whole } from "../../format.js";

/** @typedef {import("../../i18n.js").Translate} Translate */
/** @typedef {import("../../core-types.js").GroupWeight} GroupWeight */
/** @typedef {import("../../core-types.js").BlockWeight} BlockWeight */
/** @typedef {import("../../core-types.js").Core} Core */
/** @typedef {import("../../core-types.js").Model} Model */

/** From this part of the bar on, a segment has room for its name. */
const ROOM_FOR_NAME = 0.16;

/** @param {number} part */
const width = (part) => `${(part * 100).toFixed(3)}%`;

/**
 * @param {GroupWeight} weight
 * @param {Translate} t
 * @param {boolean} [named]
 */
function segment({ group, share }, t, named = true) {
  const element = h(
    "span",
    { class: `part-segment part-${group}` },
    named && share >= ROOM_FOR_NAME && h("span", {}, t(`part.${group}`)),
  );
  element.style.flexGrow = String(share);
  return element;
}

/**
 * @param {GroupWeight[]} groups
 * @param {number} bytes of all of them
 * @param {Core} core
 * @param {Translate} t
 */
export function weightBar(groups, bytes, core, t) {
  const words = groups.map(({ group, share }) => `${t(`part.${group}`)} ${percent(share)}`).join(t("model.comma"));
  const ticks = core.ruler_ticks(bytes).map(({ bytes: at, position }) => {
    const tick = h("span", { class: "ruler-tick ruler-tick-main" }, rulerMark(at));
    tick.style.left = width(position);
    if (position === 0) tick.classList.add("tick-first");
    if (position > 0.88) tick.classList.add("tick-last");
    return tick;
  });
  return h(
    "div",
    { class: "part-figure" },
    h(
      "div",
      { role: "img", "aria-label": t("model.parts_words", { x: gib(bytes), parts: words }) },
      h("div", { class: "part-bar" }, ...groups.map((group) => segment(group, t))),
      h("div", { class: "ruler-ticks" }, ...ticks),
    ),
    h(
      "table",
      { class: "part-table" },
      h("caption", { class: "visually-hidden" }, t("model.parts")),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, t("model.part")),
          h("th", { scope: "col" }, t("model.size")),
          h("th", { scope: "col" }, t("model.share")),
          h("th", { scope: "col", class: "wide-cell" }, t("model.parameters")),
        ),
      ),
      h("tbody", {}, ...groups.map((group) => groupRow(group, t))),
    ),
  );
}

/**
 * @param {GroupWeight} weight
 * @param {Translate} t
 */
function groupRow({ group, bytes, share, n_params }, t) {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("span", { class: `swatch part-${group}`, "aria-hidden": "true" }), t(`part.${group}`)),
    h("td", {}, gib(bytes)),
    h("td", {}, percent(share)),
    h("td", { class: "wide-cell" }, whole(n_params)),
  );
}

/**
 * One column a block, as high as its bytes; made when it is opened.
 * @param {Model} model
 * @param {Translate} t
 */
export function blockStrip(model, t) {
  const body = h("div", { class: "stack" });
  const details = h("details", { class: "blocks", id: "blocks" }, h("summary", {}, t("model.blocks")), body);
  details.addEventListener("toggle", () => {
    if (!details.open || body.childElementCount > 0) return;
    body.append(...strip(model, t));
  });
  return details;
}

/**
 * @param {Model} model
 * @param {Translate} t
 */
function strip(model, t) {
  const layers = model.layers();
  const blocks = model.blocks();
  const kinds = blocks.map(({ layer }) => kindOf(layers[layer]));
  const columns = blocks.map((block, index) => {
    const bar = h("span", { class: "block-bar" }, ...block.groups.map((group) => segment(group, t, false)));
    bar.style.height = width(block.of_largest);
    return h("span", { class: "block", title: `${block.layer}: ${t(`kind.${kinds[index]}`)}, ${mib(block.bytes)}` }, bar);
  });
  return [
    h(
      "div",
      { class: "block-strip", role: "img", "aria-label": t("model.blocks_words", { n: blocks.length, x: mib(blocks[0]?.bytes ?? 0) }) },
      ...columns,
    ),
    h(
      "div",
      { class: "scroll block-scroll", tabindex: "0", role: "region", "aria-label": t("model.blocks_table") },
      h(
        "table",
        { class: "part-table" },
        h("caption", { class: "visually-hidden" }, t("model.blocks_table")),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, t("model.block")),
            h("th", { scope: "col" }, t("model.block_kind")),
            h("th", { scope: "col" }, t("model.size")),
          ),
        ),
        h(
          "tbody",
          {},
          ...runs(blocks, kinds).map(({ from, to, kind, bytes }) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, from === to ? String(from) : `${from}–${to}`),
              h("td", {}, t(`kind.${kind}`)),
              h("td", {}, mib(bytes)),
            ),
          ),
        ),
      ),
    ),
  ];
}

/**
 * @param {import("../../core-types.js").ModelLayer} layer
 * @returns {"full" | "sliding" | "chunked" | "mla" | "shared" | "recurrent" | "feed_forward" | "mtp"}
 */
function kindOf({ kind, span, mla, shares_kv, is_mtp }) {
  if (is_mtp) return "mtp";
  if (kind === "feed_forward_only") return "feed_forward";
  if (kind !== "attention") return "recurrent";
  if (mla) return "mla";
  return shares_kv ? "shared" : span;
}

/**
 * Neighbours that are alike become one row.
 * @template Kind
 * @param {BlockWeight[]} blocks
 * @param {Kind[]} kinds
 */
function runs(blocks, kinds) {
  /** @type {{ from: number, to: number, kind: Kind, bytes: number }[]} */
  const rows = [];
  for (const [index, { layer, bytes }] of blocks.entries()) {
    const last = rows[rows.length - 1];
    if (last && last.kind === kinds[index] && last.bytes === bytes) last.to = layer;
    else rows.push({ from: layer, to: layer, kind: kinds[index], bytes });
  }
  return rows;
}
