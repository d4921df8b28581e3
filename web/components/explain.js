/**
 * The drawer that a number opens: formula, the numbers in it, the answer, the evidence, and what
 * would change it. One drawer serves the whole page.
 */

import { fill, h, icons } from "../dom.js";
import { gb, gib, mib, plain, whole, withSuperscripts } from "../format.js";
import { coreSentence } from "../i18n.js";
import { copyButton } from "./copy.js";
import { evidenceMark } from "./evidence.js";

/** @typedef {import("../core-types.js").Term} Term */
/** @typedef {import("../core-types.js").Evidence} Evidence */
/** @typedef {import("../i18n.js").Translate} Translate */

/**
 * @typedef {object} Explanation
 * @property {string} title
 * @property {string} formula
 * @property {{ name: string, value: string }[]} inputs
 * @property {string} answer
 * @property {string[]} also the same answer in other units
 * @property {Evidence} evidence
 * @property {string} source
 * @property {string} moves
 * @property {string} [movesTitle] heading of the last part, if it is not what would change the answer
 * @property {unknown} data what "copy as JSON" gives
 */

/**
 * @param {import("../core-types.js").Formula} formula
 * @param {Translate} t
 */
export const explainInputs = (formula, t) => formula.inputs.map((input) => ({ name: inputName(input.name, t), value: inputValue(input) }));

/**
 * @param {Term} term
 * @param {string} title
 * @param {string} moves
 * @param {Translate} t
 * @returns {Explanation}
 */
export function explainTerm(term, title, moves, t) {
  return {
    title,
    formula: withSuperscripts(coreSentence(t, "formula", term.id, {}, term.formula.expression)),
    inputs: explainInputs(term.formula, t),
    answer: gib(term.bytes),
    also: [gb(term.bytes), mib(term.bytes), t("explain.bytes", { x: whole(term.bytes) })],
    evidence: term.evidence,
    source: coreSentence(t, "source", `${term.id}.${term.device}`, {}, term.source),
    moves,
    data: term,
  };
}

/**
 * "P: パラメータ数", the letter of the formula, and what it stands for where that is known.
 * @param {string} name
 * @param {Translate} t
 */
function inputName(name, t) {
  const meaning = coreSentence(t, "input", name, {}, "");
  return meaning ? `${name}: ${meaning}` : name;
}

/** @param {import("../core-types.js").FormulaInput} input */
function inputValue({ value, unit }) {
  if (unit === "10^9") return withSuperscripts(`${plain(value)} × ${unit}`);
  return unit ? `${plain(value)}\u00a0${unit}` : plain(value);
}

/**
 * @param {Explanation} explanation
 * @param {Translate} t
 */
function markdown(explanation, t) {
  return [
    `## ${explanation.title}: ${explanation.answer}`,
    `- ${t("explain.formula")}: ${explanation.formula}`,
    ...explanation.inputs.map(({ name, value }) => `- ${name}: ${value}`),
    `- ${explanation.also.join(" = ")}`,
    `- ${t("explain.evidence")}: ${t(`evidence.${explanation.evidence}`)}`,
    `- ${t("explain.source", { x: explanation.source })}`,
  ].join("\n");
}

/**
 * @param {Translate} t
 * @returns {{ element: HTMLDialogElement, open: (explanation: Explanation) => void }}
 */
export function explainDrawer(t) {
  const dialog = h("dialog", { class: "drawer", "aria-labelledby": "drawer-title" });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  return {
    element: dialog,
    open(explanation) {
      fill(dialog, content(explanation, t, () => dialog.close()));
      dialog.showModal();
      dialog.querySelector("h2")?.focus();
      dialog.scrollTop = 0;
    },
  };
}

/**
 * @param {Explanation} explanation
 * @param {Translate} t
 * @param {() => void} close
 */
function content(explanation, t, close) {
  const { title, formula, inputs, answer, also, evidence, source, moves, movesTitle = t("explain.moves") } = explanation;
  return h(
    "div",
    { class: "drawer-inside" },
    h(
      "div",
      { class: "drawer-head" },
      h("h2", { id: "drawer-title", tabindex: "-1" }, title),
      h(
        "button",
        { type: "button", class: "tool", "aria-label": t("app.close"), on: { click: close } },
        icons.close(),
      ),
    ),
    h(
      "ol",
      { class: "steps" },
      step(t("explain.formula"), h("p", { class: "formula" }, formula)),
      step(
        t("explain.inputs"),
        h(
          "dl",
          { class: "inputs" },
          inputs.map(({ name, value }) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
        ),
      ),
      step(
        t("explain.answer"),
        h("p", { class: "drawer-answer" }, answer),
        also.length > 0 && h("p", { class: "note" }, also.map((text) => h("span", { class: "equal" }, `= ${text}`))),
      ),
      step(
        t("explain.evidence"),
        evidenceMark(evidence, t),
        h("p", { class: "note" }, t(`evidence.${evidence}_text`)),
        source && h("p", { class: "note" }, t("explain.source", { x: source })),
      ),
    ),
    h("div", {}, h("h3", {}, movesTitle), h("p", { class: "lead" }, moves)),
    h(
      "div",
      { class: "row" },
      copyButton({ t, label: t("explain.copy_markdown"), text: () => markdown(explanation, t) }),
      copyButton({
        t,
        label: t("explain.copy_json"),
        text: () => JSON.stringify(explanation.data, null, 2),
      }),
    ),
  );
}

/**
 * @param {string} heading
 * @param {...import("../dom.js").Child} children
 */
function step(heading, ...children) {
  return h("li", {}, h("h3", {}, heading), ...children);
}
