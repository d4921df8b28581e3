/**
 * Memory against context, a line for each KV type, the capacity as a level. Lines are SVG with
 * strokes that do not scale; all words are HTML, so that text keeps its size on a phone.
 */

import { place, svg } from "../../components/plot.js";
import { fill, h } from "../../dom.js";
import { gib, gibParts, whole } from "../../format.js";

const GIB = 1024 ** 3;

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {(number | null)[]} bytes at each context; null where it is refused
 */

/** "8k" on axes. @param {number} tokens */
export const shortContext = (tokens) =>
  tokens >= 1024 && tokens % 1024 === 0 ? `${whole(tokens / 1024)}k` : whole(tokens);

/** Of the plot's height: names of lines that end closer than this stand in one label. */
const NAME_HEIGHT = 0.07;

/**
 * @param {import("../../i18n.js").Translate} t
 */
export function contextChart(t) {
  const plot = h("div", { class: "plot", role: "img" });
  const table = h("div", { class: "scroll" });
  const details = h("details", {}, h("summary", {}, t("infer.as_table")), table);
  return {
    element: h("div", { id: "infer-chart" }, plot, details),
    /**
     * @param {object} data
     * @param {number[]} data.contexts ascending
     * @param {Series[]} data.series
     * @param {number} data.usable bytes
     * @param {{ context: number, bytes: number } | null} data.now
     * @param {string} data.words
     */
    update({ contexts, series, usable, now, words }) {
      const last = contexts[contexts.length - 1];
      const most = Math.max(usable * 1.15, ...series.flatMap(({ bytes }) => bytes.map((value) => value ?? 0)));
      const step = 2 ** Math.max(-3, Math.ceil(Math.log2(most / GIB / 4)));
      const top = Math.ceil(most / GIB / step) * step * GIB;
      const x = (/** @type {number} */ context) => context / last;
      const y = (/** @type {number} */ bytes) => 1 - bytes / top;
      const drawing = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
      const level = y(usable) * 100;
      drawing.append(svg("rect", { class: "plot-over", x: 0, y: 0, width: 100, height: Math.max(level, 0) }));
      /** @type {HTMLElement[]} */
      const labels = [];
      for (let tick = 0; tick * GIB <= top * 1.0001; tick += step) {
        const height = y(tick * GIB);
        drawing.append(svg("line", { class: "plot-grid", x1: 0, x2: 100, y1: height * 100, y2: height * 100 }));
        labels.push(place(h("span", { class: "plot-y" }, String(tick)), 0, height));
      }
      drawing.append(svg("line", { class: "plot-capacity", x1: 0, x2: 100, y1: level, y2: level }));
      /** Where lines end, lowest value last. @type {{ name: string, index: number, at: number }[]} */
      const ends = [];
      series.forEach(({ name, bytes }, index) => {
        const points = contexts
          .map((context, at) => ({ context, value: bytes[at] }))
          .filter(({ value }) => value !== null)
          .map(({ context, value }) => [x(context) * 100, y(/** @type {number} */ (value)) * 100]);
        if (points.length === 0) return;
        drawing.append(
          svg("polyline", {
            class: `plot-line plot-line-${index}`,
            points: points.map((point) => point.map((part) => part.toFixed(3)).join(",")).join(" "),
          }),
        );
        ends.push({ name, index, at: points[points.length - 1][1] / 100 });
      });
      ends.sort((a, b) => a.at - b.at);
      for (let first = 0; first < ends.length; ) {
        const { index, at } = ends[first];
        const next = ends.findIndex((end) => end.at - at > NAME_HEIGHT);
        const together = ends.slice(first, next < 0 ? ends.length : next);
        labels.push(place(h("span", { class: `plot-name plot-name-${index}` }, together.map(({ name }) => name).join(" · ")), 1, at));
        first += together.length;
      }
      labels.push(
        place(h("span", { class: "plot-level" }, t("infer.usable", { x: gibParts(usable).value })), 0, y(usable)),
      );
      for (const part of [0.25, 0.5, 0.75, 1]) {
        labels.push(place(h("span", { class: "plot-x" }, shortContext(Math.round((last * part) / 1024) * 1024 || last)), part, 1));
      }
      if (now && now.context <= last) {
        labels.push(place(h("span", { class: "plot-dot" }), x(now.context), y(now.bytes)));
        const label = place(
          h("span", { class: "plot-now" }, t("infer.now", { x: gibParts(now.bytes).value })),
          x(now.context),
          y(now.bytes),
        );
        if (x(now.context) > 0.5) label.classList.add("plot-now-left");
        if (y(now.bytes) > 1 - NAME_HEIGHT) label.classList.add("plot-now-above"); // the axis has words below
        labels.push(label);
      }
      plot.setAttribute("aria-label", words);
      fill(plot, h("span", { class: "plot-unit" }, "GiB"), h("div", { class: "plot-area" }, drawing, ...labels));
      fill(
        table,
        h(
          "table",
          { class: "data" },
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("infer.context")), series.map(({ name }) => h("th", { scope: "col" }, name)))),
          h(
            "tbody",
            {},
            contexts.map((context, at) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, whole(context)),
                series.map(({ bytes }) => h("td", {}, bytes[at] === null ? "–" : gib(/** @type {number} */ (bytes[at])))),
              ),
            ),
          ),
        ),
      );
    },
  };
}
