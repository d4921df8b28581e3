/** Throughput against waiting time, a dot for each block size. */

import { place, svg } from "../../components/plot.js";
import { fill, h } from "../../dom.js";
import { duration, rate, whole } from "../../format.js";

/** @typedef {{ block: number, tokens_per_second: number, seconds: number }} Point */

/** @param {import("../../i18n.js").Translate} t */
export function blockCurve(t) {
  const plot = h("div", { class: "plot", role: "img" });
  const table = h("div", { class: "scroll" });
  const details = h("details", {}, h("summary", {}, t("infer.as_table")), table);
  return {
    element: h("div", {}, plot, details),
    /**
     * @param {Point[]} points ascending
     * @param {Point} now
     */
    update(points, now) {
      const all = [...points.filter(({ block }) => block !== now.block), now].sort((a, b) => a.block - b.block);
      // Waiting on a scale of powers: blocks double from point to point.
      const left = Math.log(Math.min(...all.map((point) => point.seconds)) / 1.15);
      const right = Math.log(Math.max(...all.map((point) => point.seconds)) * 1.15);
      const across = (/** @type {number} */ time) => (Math.log(time) - left) / (right - left);
      const top = Math.max(...all.map((point) => point.tokens_per_second)) * 1.15;
      const drawing = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
      const corners = all.map((point) => `${(across(point.seconds) * 100).toFixed(2)},${((1 - point.tokens_per_second / top) * 100).toFixed(2)}`);
      drawing.append(svg("polyline", { class: "plot-line plot-line-0", points: corners.join(" ") }));
      const labels = [0.2, 0.55, 1].map((part) => place(h("span", { class: "plot-x" }, duration(Math.exp(left + part * (right - left)), t)), part, 1));
      labels.push(...[0, 0.4, 0.8].map((part) => place(h("span", { class: "plot-y" }, part === 0 ? "0" : rate(top * part)), 0, 1 - part)));
      labels.push(place(h("span", { class: "plot-dot" }), across(now.seconds), 1 - now.tokens_per_second / top));
      const label = place(h("span", { class: "plot-now" }, t("off.now", { x: whole(now.block) })), across(now.seconds), 1 - now.tokens_per_second / top);
      if (across(now.seconds) > 0.5) label.classList.add("plot-now-left");
      labels.push(label);
      plot.setAttribute("aria-label", t("off.curve_words", { x: whole(now.block), y: rate(now.tokens_per_second), z: duration(now.seconds, t) }));
      fill(plot, h("span", { class: "plot-unit" }, "tok/s"), h("div", { class: "plot-area" }, drawing, ...labels));
      fill(
        table,
        h(
          "table",
          { class: "data" },
          h("thead", {}, h("tr", {}, ["off.block", "off.speed", "off.wait"].map((id) => h("th", { scope: "col" }, t(/** @type {any} */ (id)))))),
          h("tbody", {}, points.map((point) => h("tr", {}, h("th", { scope: "row" }, whole(point.block)), h("td", {}, `${rate(point.tokens_per_second)} tok/s`), h("td", {}, duration(point.seconds, t))))),
        ),
      );
    },
  };
}
