/** The rule of thumb with its two editable numbers, and the cards it takes. */

import { evidenceMark } from "../../components/evidence.js";
import { explainTerm } from "../../components/explain.js";
import { numberField } from "../../components/number-field.js";
import { plainText, rich } from "../../components/rich.js";
import { fill, h } from "../../dom.js";
import * as format from "../../format.js";
import { coreSentence } from "../../i18n.js";

/** @typedef {import("../../i18n.js").Translate} Translate */
/** @typedef {import("../../core-types.js").GpuNeed} GpuNeed */
/** @typedef {import("../../core-types.js").RuleOfThumb} RuleOfThumb */
/** @typedef {import("../../components/explain.js").Explanation} Explanation */

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("../../state.js").State} options.state
 * @param {(explanation: Explanation) => void} options.explain
 * @param {(field: "bits" | "factor", text: string) => void} options.onInput
 * @param {() => void} options.onSettled
 */
export function ruleOfThumb({ t, state, explain, onInput, onSettled }) {
  /** @param {"bits" | "factor"} name */
  const field = (name) =>
    numberField({
      id: `rule-${name}`,
      label: rich(t(`rule.${name}`), t),
      name: plainText(t(`rule.${name}`)),
      value: state[name],
      line: false,
      onInput: (text) => onInput(name, text),
      onSettled,
    });
  const fields = { bits: field("bits"), factor: field("factor") };
  const equation = h("span", {});
  const result = h("button", { type: "button", class: "number", id: "rule-gb" });
  const exact = h("p", { id: "rule-exact" });
  const body = h("tbody", {});
  const caption = h("caption", {});
  /** @type {RuleOfThumb | null} */
  let shown = null;
  result.addEventListener("click", () => {
    if (!shown) return;
    const { term, gb } = shown;
    explain({
      ...explainTerm(term, t("rule.title"), t("explain.rule_moves"), t),
      answer: format.gbValue(gb),
      also: [format.gib(term.bytes), t("explain.bytes", { x: format.whole(term.bytes) })],
    });
  });

  const element = h(
    "section",
    { class: "card rule", id: "rule", "aria-labelledby": "rule-title" },
    h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "title-row" },
        h("h2", { id: "rule-title", class: "card-title" }, t("rule.title")),
        evidenceMark("assumed", t),
      ),
      h("div", { class: "pair" }, fields.bits.element, fields.factor.element),
      h("div", { class: "rule-answer" }, h("p", {}, equation, " ", result), exact),
      h(
        "dl",
        { class: "rule-scope" },
        h("div", {}, h("dt", {}, t("rule.covers_title")), h("dd", {}, ...rich(t("rule.covers"), t))),
        h("div", {}, h("dt", {}, t("rule.omits_title")), h("dd", {}, ...rich(t("rule.omits"), t))),
        h("div", {}, h("dt", {}, t("rule.gpus_title")), h("dd", {}, t("rule.gpu_note"))),
      ),
    ),
    h(
      "div",
      {},
      h(
        "table",
        { id: "gpu-table" },
        caption,
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, t("rule.gpu")),
            h("th", { scope: "col" }, t("rule.by_rule")),
            h("th", { scope: "col" }, t("rule.for_weights")),
          ),
        ),
        body,
      ),
    ),
  );

  return {
    element,
    fields,
    /**
     * @param {RuleOfThumb} rule
     * @param {{ billions: number, bits: number, factor: number }} inputs
     */
    show(rule, { billions, bits, factor }) {
      shown = rule;
      element.removeAttribute("data-stale");
      const [p, q, f] = [billions, bits, factor].map(format.inFormula);
      fill(equation, `(${p} × 4 / (32 / ${q})) × ${f} =`);
      fill(result, format.gbValue(rule.gb));
      fill(exact, t("rule.exact", { x: format.gbValue(rule.weights_gb) }));
      fill(caption, t("rule.gpus", { x: format.gbValue(rule.gb) }));
      fill(body, ...rule.gpus.map((need) => row(need, rule, t, explain)));
    },
    /** @param {import("../../core-types.js").CoreError} error */
    showError(error) {
      const sentence = coreSentence(t, "error", error.code, { x: error.detail });
      fields.bits.showError(error.field === "bits" ? sentence : "");
      fields.factor.showError(error.field === "factor" ? sentence : "");
      element.setAttribute("data-stale", "");
    },
    clearErrors() {
      fields.bits.showError("");
      fields.factor.showError("");
    },
  };
}

/**
 * @param {GpuNeed} need
 * @param {RuleOfThumb} rule
 * @param {Translate} t
 * @param {(explanation: Explanation) => void} explain
 */
function row(need, rule, t, explain) {
  const { gpu, by_rule, for_weights } = need;
  const name = cardName(gpu);
  const open = () => explain(countExplanation(need, rule, t));
  return h(
    "tr",
    { on: { click: open } },
    h(
      "th",
      { scope: "row" },
      h("button", { type: "button", class: "number", "aria-haspopup": "dialog" }, name),
    ),
    h("td", {}, t("rule.count", { x: format.whole(by_rule) })),
    h("td", {}, t("rule.count", { x: format.whole(for_weights) })),
  );
}

/**
 * "T4 16 GB"; names that carry their size already stay as they are.
 * @param {import("../../core-types.js").CommonGpu} gpu
 */
const cardName = ({ name, nominal_gb }) =>
  /\d+ ?GB$/.test(name) ? name : `${name} ${nominal_gb}\u00a0GB`;

/**
 * @param {GpuNeed} need
 * @param {RuleOfThumb} rule
 * @param {Translate} t
 * @returns {Explanation}
 */
function countExplanation(need, rule, t) {
  const { gpu } = need;
  const name = cardName(gpu);
  /** @param {number} x */
  const count = (x) => t("rule.count", { x: format.whole(x) });
  return {
    title: t("explain.gpus_title", { x: name }),
    formula: t("explain.gpus_formula"),
    inputs: [
      { name: t("explain.gpus_needed"), value: format.gbValue(rule.gb) },
      { name: t("explain.gpus_weights"), value: format.gbValue(rule.weights_gb) },
      { name: t("explain.gpus_memory"), value: format.gib(gpu.memory) },
      { name: t("explain.gpus_least"), value: `${count(need.by_rule_least)} / ${count(need.for_weights_least)}` },
    ],
    answer: `${t("rule.by_rule")} ${count(need.by_rule)}`,
    also: [`${t("rule.for_weights")} ${count(need.for_weights)}`],
    evidence: "assumed",
    source: t("explain.gpus_source"),
    moves: t("explain.gpus_moves"),
    data: need,
  };
}
