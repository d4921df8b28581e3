/** The answer: verdict in shape, word and colour, the margin, a ruler for each GPU, and totals. */

import { fill, h } from "../../dom.js";
import { gib, gibParts, whole } from "../../format.js";
import { lane, laneLegend } from "./lane.js";
import { verdictIcon } from "./verdict.js";

/**
 * @typedef {object} Answer
 * @property {import("./verdict.js").Shown} verdict
 * @property {number | null} margin bytes; null where the big number is another
 * @property {number} certain
 * @property {{ value: string, unit: string, label: string }} [big]
 * @property {string} [headline]
 * @property {string} sentence
 * @property {string} overDevice which device is too small; empty: none
 * @property {{ title: string, terms: import("../../core-types.js").Term[], fit: import("../../core-types.js").Fit }[]} lanes
 * @property {{ name: string, parts: { value: string, unit: string }, note: string }[]} stats
 * @property {number} [trained] given where the largest context is a question, 0 if not known; showLargest answers
 * @property {HTMLElement | null} [speed] the row about it
 * @property {string[]} warnings
 */

/** @param {import("../../i18n.js").Translate} t */
export function answerCard(t) {
  const notice = h("p", { class: "notice", hidden: true });
  const inside = h("div", { class: "stack" });
  /** The smallest change, which follows a little later too; its line is there from the start. */
  const smallest = h("p", { class: "row", id: "infer-smallest" });
  /** Follows a little later than the rest; the last one stands until then. */
  const largest = h("dd", { id: "infer-largest" }, "…");
  const element = h("div", { class: "card answer-card", id: "infer-answer" }, notice, inside);
  return {
    element,
    /** @param {string} reason */
    markStale(reason) {
      element.dataset.stale = "";
      notice.hidden = false;
      fill(notice, reason);
    },
    /** @param {number | null} tokens null: nothing fits */
    showLargest(tokens) {
      if (tokens === null) fill(largest, "–");
      else fill(largest, h("strong", {}, whole(tokens)), " ", h("span", { class: "unit" }, "tok"));
    },
    /** @param {{ label: string, apply: () => void } | null} change */
    showSmallest(change) {
      fill(
        smallest,
        change && t("infer.smallest", { x: change.label }),
        change && h("button", { type: "button", class: "button-line", id: "infer-advice", on: { click: change.apply } }, t("infer.apply")),
      );
    },
    /** @param {Answer} answer */
    show(answer) {
      delete element.dataset.stale;
      notice.hidden = true;
      const { verdict, margin, certain, lanes } = answer;
      const extent = Math.max(...lanes.map(({ terms, fit }) => Math.max(fit.usable, terms.reduce((sum, { bytes }) => sum + bytes, 0)))) * 1.03;
      const big =
        answer.big ??
        { ...gibParts(Math.abs(margin ?? 0)), label: t((margin ?? 0) < 0 ? "infer.short_by" : "infer.spare_label") };
      const headline =
        answer.headline ??
        (verdict === "unknown" ? t("verdict.unknown_certain", { x: gib(certain) }) : t(`verdict.${verdict}`));
      fill(
        inside,
        h(
          "div",
          { class: `verdict verdict-${verdict}` },
          verdictIcon(verdict),
          h(
            "div",
            { class: "verdict-words" },
            h("p", { class: "verdict-word", id: "infer-verdict" }, headline),
            h("p", {}, answer.sentence),
            answer.overDevice !== "" && h("p", {}, t("infer.over_device", { x: answer.overDevice })),
            verdict === "over" && smallest,
            answer.warnings.map((sentence) => h("p", { class: "doubt" }, `△ ${sentence}`)),
          ),
          h(
            "div",
            { class: "verdict-margin" },
            h("span", { class: "note" }, big.label),
            h("span", { class: "verdict-number", id: "infer-margin" }, big.value, " ", h("span", { class: "unit" }, big.unit)),
          ),
        ),
        ...lanes.map(({ title, terms, fit }) => lane({ title, terms, fit, extent, t })),
        laneLegend(lanes[0].terms, t),
        h(
          "dl",
          { class: "stats" },
          answer.stats.map(({ name, parts, note }) =>
            h(
              "div",
              {},
              h("dt", {}, name),
              h("dd", {}, h("strong", {}, parts.value), " ", h("span", { class: "unit" }, parts.unit)),
              h("dd", { class: "note" }, note || "\u00a0"),
            ),
          ),
          answer.trained !== undefined &&
            h(
              "div",
              {},
              h("dt", {}, t("infer.stat_largest")),
              largest,
              h("dd", { class: "note" }, answer.trained > 0 ? t("infer.trained", { x: whole(answer.trained) }) : "\u00a0"),
            ),
        ),
        answer.speed ?? null,
      );
    },
  };
}
