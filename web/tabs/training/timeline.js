/**
 * One step over time: what the GPU holds, part upon part, with the peak and the usable memory. Areas
 * are SVG, all words HTML, so that text keeps its size on a phone; a table says the same.
 */

import { place, svg } from "../../components/plot.js";
import { fill, h } from "../../dom.js";
import { gib, gibParts, rulerMark } from "../../format.js";
import { colourOf, termName } from "../inference/terms.js";

/** @typedef {import("../../core-types.js").TrainingStage} TrainingStage */

/** The parts of a stage in the core's order, as terms are called. */
export const PARTS = ["weights", "optimizer_states", "gradients", "activations", "logits", "work_buffers", "buckets", "other_models"];
/** From below: what is always there first. */
const ORDER = [0, 7, 1, 6, 2, 3, 4, 5];
const ACTIVATIONS = 3;
const LOGITS = 4;
/** How much of the width each kind of stage gets. @type {Record<string, number>} */
const WIDTHS = { reference: 12, forward: 30, loss: 12, backward: 44, update: 8, evaluation: 8 };

/** @typedef {{ begin: number, end: number, from: number[], to: number[], stage: number }} Piece */

/**
 * Stages as pieces of the width. Activations grow during forward; the logits of its end stand
 * beside those of the loss.
 * @param {TrainingStage[]} stages
 */
function pieces(stages) {
  /** @type {Piece[]} */
  const made = [];
  /** @type {{ kind: string, at: number }[]} */
  const labels = [];
  const kinds = [...new Set(stages.map(({ kind }) => kind))];
  const all = kinds.reduce((sum, kind) => sum + WIDTHS[kind], 0);
  let x = 0;
  for (const kind of kinds) {
    const width = WIDTHS[kind] / all;
    const own = stages.map((stage, index) => ({ ...stage, index })).filter((stage) => stage.kind === kind);
    labels.push({ kind, at: x + width / 2 });
    if (kind === "forward") {
      const { parts, index } = own[0];
      const before = parts.map((bytes, part) => (part === LOGITS ? 0 : bytes));
      const empty = before.map((bytes, part) => (part === ACTIVATIONS ? 0 : bytes));
      made.push({ begin: x, end: x + width, from: empty, to: before, stage: index });
    } else {
      const forward = kind === "loss" ? stages.findIndex((stage) => stage.kind === "forward") : -1;
      const shown = forward < 0 ? own : [{ ...stages[forward], index: forward }, ...own];
      shown.forEach(({ parts, index }, at) => {
        made.push({ begin: x + (width * at) / shown.length, end: x + (width * (at + 1)) / shown.length, from: parts, to: parts, stage: index });
      });
    }
    x += width;
  }
  return { made, labels };
}

/** @param {import("../../i18n.js").Translate} t */
export function timeline(t) {
  const plot = h("div", { class: "plot", role: "img" });
  const legend = h("ul", { class: "legend" });
  const table = h("div", { class: "scroll", tabindex: "0" });
  const details = h("details", {}, h("summary", {}, t("infer.as_table")), table);
  return {
    element: h("div", { class: "stack-tight" }, plot, legend, details),
    /**
     * @param {TrainingStage[]} stages
     * @param {number} peak
     * @param {number} usable
     * @param {{ bytes: number, position: number }[]} ticks of the height
     * @param {number} whole bytes at the top
     */
    update(stages, peak, usable, ticks, whole) {
      const { made, labels } = pieces(stages);
      const y = (/** @type {number} */ bytes) => 1 - bytes / whole;
      const drawing = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
      /** @type {HTMLElement[]} */
      const marks = [];
      for (const { bytes, position } of ticks) {
        drawing.append(svg("line", { class: "plot-grid", x1: 0, x2: 100, y1: 100 - position * 100, y2: 100 - position * 100 }));
        marks.push(place(h("span", { class: "plot-y" }, rulerMark(bytes).replace(/\u00a0GiB$/, "")), 0, 1 - position));
      }
      // Each part lies on the sum of those before it.
      let from = made.map(() => 0);
      let to = made.map(() => 0);
      for (const part of ORDER) {
        const nextFrom = from.map((bytes, at) => bytes + made[at].from[part]);
        const nextTo = to.map((bytes, at) => bytes + made[at].to[part]);
        if (made.some((piece) => piece.from[part] > 0 || piece.to[part] > 0)) {
          const upper = made.flatMap(({ begin, end }, at) => [[begin, nextFrom[at]], [end, nextTo[at]]]);
          const lower = made.flatMap(({ begin, end }, at) => [[begin, from[at]], [end, to[at]]]).reverse();
          const points = [...upper, ...lower].map(([x, bytes]) => `${(x * 100).toFixed(2)},${(y(bytes) * 100).toFixed(2)}`).join(" ");
          drawing.append(svg("polygon", { class: `area area-${colourOf(PARTS[part])}`, points }));
        }
        from = nextFrom;
        to = nextTo;
      }
      for (const { begin } of made.filter((piece, at) => at > 0 && stages[piece.stage].kind !== stages[made[at - 1].stage].kind)) {
        drawing.append(svg("line", { class: "area-edge", x1: begin * 100, x2: begin * 100, y1: 0, y2: 100 }));
      }
      if (usable <= whole) {
        drawing.append(svg("line", { class: "area-halo", x1: 0, x2: 100, y1: y(usable) * 100, y2: y(usable) * 100 }));
        drawing.append(svg("line", { class: "plot-capacity", x1: 0, x2: 100, y1: y(usable) * 100, y2: y(usable) * 100 }));
        marks.push(place(h("span", { class: "plot-level area-level" }, t("infer.usable", { x: gibParts(usable).value })), 0, y(usable)));
      }
      for (const { kind, at } of labels) marks.push(place(h("span", { class: "plot-stage" }, t(/** @type {any} */ (`train.stage_${kind}`))), at, 1));
      const top = made.find(({ stage }) => stage === peak) ?? made[0];
      const middle = (top.begin + top.end) / 2;
      const level = y(stages[peak].total);
      const label = place(h("span", { class: "plot-now" }, t("train.peak_at", { x: gibParts(stages[peak].total).value })), middle, level);
      if (middle > 0.5) label.classList.add("plot-now-left");
      marks.push(place(h("span", { class: "plot-dot" }), middle, level), label);
      plot.setAttribute("aria-label", t("train.timeline_words", { x: stageName(stages[peak], t), y: gib(stages[peak].total) }));
      fill(plot, h("span", { class: "plot-unit" }, "GiB"), h("div", { class: "plot-area" }, drawing, ...marks));
      const used = ORDER.filter((part) => stages.some(({ parts }) => parts[part] > 0));
      fill(legend, ...used.map((part) => h("li", {}, h("span", { class: `swatch swatch-${colourOf(PARTS[part])}`, "aria-hidden": "true" }), ` ${termName(PARTS[part], t)}`)));
      fill(
        table,
        h(
          "table",
          { class: "data" },
          h("thead", {}, h("tr", {}, [t("train.stage"), ...used.map((part) => termName(PARTS[part], t)), t("train.total")].map((name) => h("th", { scope: "col" }, name)))),
          h("tbody", {}, stages.map((stage) => h("tr", {}, h("th", { scope: "row" }, stageName(stage, t)), used.map((part) => h("td", {}, gib(stage.parts[part]))), h("td", {}, gib(stage.total))))),
        ),
      );
    },
  };
}

/** @param {TrainingStage} stage @param {import("../../i18n.js").Translate} t */
export function stageName({ kind, block }, t) {
  const name = t(/** @type {any} */ (`train.stage_${kind}`));
  return block < 0 ? name : t("train.stage_block", { x: name, n: block });
}
