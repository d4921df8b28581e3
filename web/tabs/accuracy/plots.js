/** Estimate against measurement, and how the errors are spread. Shapes are SVG, words are HTML. */

import { place, svg } from "../../components/plot.js";
import { h } from "../../dom.js";
import { plain, whole } from "../../format.js";
import { edges } from "./report.js";

/** @typedef {import("../../i18n.js").Translate} Translate */

/** Marks of an axis in bytes: a factor of 1,024 apart. */
const BYTE_MARKS = ["1 B", "1 KiB", "1 MiB", "1 GiB", "1 TiB", "1 PiB"];

/**
 * Both axes alike and logarithmic; on the diagonal both are the same.
 * @param {[number, number][]} points estimate, measured
 * @param {string} unit "B" in steps of 1,024, everything else in tens
 * @param {string} words
 * @param {Translate} t
 */
export function scatter(points, unit, words, t) {
  const base = unit === "B" ? 1024 : 10;
  const log = (/** @type {number} */ value) => Math.log(value) / Math.log(base);
  const values = points.flat().map(log);
  const first = Math.floor(Math.min(...values));
  const last = Math.max(Math.ceil(Math.max(...values)), first + 1);
  const part = (/** @type {number} */ value) => (log(value) - first) / (last - first);
  const drawing = svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" });
  const labels = [];
  const step = Math.ceil((last - first) / 6);
  for (let mark = first; mark <= last; mark += step) {
    const at = (mark - first) / (last - first);
    const name = unit === "B" ? (BYTE_MARKS[mark] ?? "") : plain(base ** mark);
    drawing.append(
      svg("line", { class: "plot-grid", x1: 0, x2: 100, y1: 100 - 100 * at, y2: 100 - 100 * at }),
      svg("line", { class: "plot-grid", x1: 100 * at, x2: 100 * at, y1: 0, y2: 100 }),
    );
    labels.push(place(h("span", { class: "plot-y" }, name), 0, 1 - at), place(h("span", { class: "plot-x" }, name), at, 1));
  }
  drawing.append(svg("line", { class: "plot-capacity", x1: 0, y1: 100, x2: 100, y2: 0 }));
  for (const [estimate, measured] of points) {
    drawing.append(svg("circle", { class: "plot-point", cx: (100 * part(measured)).toFixed(2), cy: (100 - 100 * part(estimate)).toFixed(2), r: 1.3 }));
  }
  return h(
    "div",
    { class: "plot plot-square", role: "img", "aria-label": words },
    h("span", { class: "plot-unit" }, t("acc.axis_estimate")),
    h("div", { class: "plot-area" }, drawing, ...labels),
    h("span", { class: "plot-below" }, t("acc.axis_measured")),
  );
}

/**
 * The names of the bins: "0", "+0.1〜1 %", ...
 * @param {Translate} t
 */
export function binNames(t) {
  const middle = edges.length;
  return Array.from({ length: 2 * middle + 1 }, (_unused, bin) => {
    const distance = Math.abs(bin - middle);
    if (distance === 0) return "0";
    const sign = bin < middle ? "−" : "+";
    if (distance === middle) return t("acc.bin_more", { s: sign, a: plain(edges[middle - 1]) });
    return t("acc.bin", { s: sign, a: plain(edges[distance - 1]), b: plain(edges[distance]) });
  });
}

/**
 * How many rows have which error, below the measurement to the left, above it to the right.
 * @param {number[]} bins
 * @param {string} words
 * @param {Translate} t
 */
export function histogram(bins, words, t) {
  const most = Math.max(...bins);
  const names = binNames(t);
  return h(
    "div",
    { class: "bins", role: "img", "aria-label": words },
    bins.map((count, bin) => {
      const bar = h("span", { class: `bin-bar${bin === edges.length ? " bin-exact" : ""}` });
      bar.style.width = `${((count / most) * 100).toFixed(2)}%`;
      return h(
        "div",
        { class: "bin" },
        h("span", { class: "bin-name" }, names[bin]),
        h("span", { class: "bin-lane" }, count > 0 && bar),
        h("span", { class: "bin-count" }, whole(count)),
      );
    }),
  );
}

/**
 * The same in one line: shares from far below to far above, the darkest in the middle.
 * @param {number[]} bins
 */
export function strip(bins) {
  return h(
    "span",
    { class: "strip", "aria-hidden": "true" },
    bins.map((count, bin) => {
      if (count === 0) return null;
      const piece = h("span", { class: `strip-piece strip-${Math.abs(bin - edges.length)}` });
      piece.style.flexGrow = String(count);
      return piece;
    }),
  );
}
