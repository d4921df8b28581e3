/** Parameters, precision, and the button. */

import { rich, plainText } from "../../components/rich.js";
import { numberField } from "../../components/number-field.js";
import { segmented } from "../../components/segmented.js";
import { fill, h } from "../../dom.js";
import { plain } from "../../format.js";
import { coreSentence } from "../../i18n.js";

/** @typedef {import("../../i18n.js").Translate} Translate */
/** @typedef {import("../../core-types.js").CoreError} CoreError */

/**
 * The sentence for what is wrong with a parameter count.
 * @param {CoreError} error
 * @param {Translate} t
 */
export function errorSentence(error, t) {
  if (error.code === "too_big" && error.detail) return t("error.too_big_hint", { x: error.detail });
  return coreSentence(t, "error", error.code, { x: error.detail });
}

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("../../core-types.js").Core} options.core
 * @param {import("../../state.js").State} options.state
 * @param {boolean} [options.compact] without notes
 * @param {(params: string) => void} options.onParams
 * @param {() => void} options.onSettled
 * @param {(precision: string) => void} options.onPrecision
 * @param {() => void} options.onCalculate
 */
export function quickForm(options) {
  const { t, core, state, compact = false } = options;
  const field = numberField({
    id: "params",
    label: rich(t("quick.params"), t),
    name: plainText(t("quick.params")),
    unit: compact ? "B" : t("quick.params_unit"),
    hint: compact ? "" : t("quick.params_hint"),
    placeholder: "7",
    value: state.params,
    large: true,
    onInput: options.onParams,
    onSettled: options.onSettled,
  });
  const precision = segmented({
    name: "precision",
    legend: rich(t("quick.precision"), t),
    choices: core.precisions().map(({ name, bytes }) => ({
      value: /** @type {string} */ (name),
      label: name,
      note: plain(bytes),
    })),
    value: state.precision,
    onChange: options.onPrecision,
  });
  const button = h("button", { id: "calculate", class: "button-main" }, t("quick.calculate"));
  const offered = h("p", { class: "note", id: "use-current", hidden: true });
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    options.onCalculate();
  };
  return {
    element: h(
      "form",
      { class: "card stack", novalidate: true, on: { submit } },
      field.element,
      offered,
      precision.element,
      button,
    ),
    field,
    precision,
    /**
     * A line below the field that fills it.
     * @param {string} sentence
     * @param {string} label
     * @param {() => void} onPress
     */
    offer(sentence, label, onPress) {
      offered.hidden = false;
      fill(offered, sentence, " ", h("button", { type: "button", class: "link", on: { click: onPress } }, label));
    },
  };
}
