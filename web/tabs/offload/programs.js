/** One sequence by every program, each number with its formula; published speeds below. */

import { explainInputs } from "../../components/explain.js";
import { fill, h } from "../../dom.js";
import { gib, rate } from "../../format.js";
import { tierName } from "./tiers.js";

/** @typedef {import("../../core-types.js").OffloadLatency} OffloadLatency */

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {import("../../core-types.js").Core} options.core
 * @param {(explanation: import("../../components/explain.js").Explanation) => void} options.explain
 */
export function programs({ t, core, explain }) {
  const list = h("dl", { class: "others", id: "off-latency" });
  const unified = h("p", { class: "note", hidden: true }, t("off.latency_unified"));
  const references = h("ul", { class: "note" });

  /** @param {OffloadLatency} one */
  const nameOf = (one) => t(`off.latency_${one.runtime}`, { x: one.mix });
  /** Where its weights are, and what it is started with. @param {OffloadLatency} one */
  function placed(one) {
    const places = /** @type {const} */ (["gpu", "host", "disk"])
      .filter((tier) => one[tier] > 0)
      .map((tier) => `${tierName(tier, t)} ${gib(one[tier])}`)
      .join(t("infer.comma"));
    return [t("off.latency_where", { x: places }), one.flags && h("code", {}, ` ${one.flags}`)];
  }
  /** @param {OffloadLatency} one */
  function row(one) {
    const name = nameOf(one);
    if (one.likely === 0) {
      const note = one.missing > 0 ? t("off.latency_short", { x: tierName(one.missing_on, t), y: gib(one.missing) }) : t("off.latency_buffers");
      return h("div", {}, h("dt", {}, name, h("span", { class: "note" }, note)), h("dd", {}, h("strong", {}, t("off.no_answer"))));
    }
    const words = `${rate(one.low)}–${rate(one.high)} tok/s`;
    const said = `${rate(one.likely)}\u00a0tok/s`;
    const open = () =>
      explain({
        title: name,
        formula: one.formula.expression,
        inputs: explainInputs(one.formula, t),
        answer: said,
        also: [words],
        evidence: one.evidence,
        source: one.source,
        moves: t("off.latency_moves"),
        data: one,
      });
    return h(
      "div",
      {},
      h("dt", {}, name, h("span", { class: "note" }, placed(one))),
      h("dd", {}, h("button", { type: "button", class: "button-line", "aria-label": `${name} ${said} (${words})`, on: { click: open } }, said)),
    );
  }
  return {
    element: h("div", { class: "stack" }, list, unified, h("h3", {}, t("off.references")), references),
    /**
     * @param {OffloadLatency[]} rows
     * @param {import("../../core-types.js").InferenceStudy} study of the model
     */
    update(rows, study) {
      fill(list, rows.map(row));
      unified.hidden = rows.length === 0 || rows.some(({ runtime }) => runtime !== "llama_cpp");
      fill(
        references,
        core.offload_references(study).map((one) =>
          h("li", {}, t("off.reference", { a: one.program, b: one.model, c: one.machine, x: rate(one.low), y: rate(one.high) }), !one.applies && ` ${t("off.reference_not")}`, h("br", {}), one.source),
        ),
      );
    },
  };
}
