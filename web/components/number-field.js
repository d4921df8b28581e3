/**
 * A labelled text field for a number, with its unit, a hint, and one line for errors and doubts
 * that is always reserved. Shows no error while somebody types: only on blur, Enter, or a pause.
 */

import { fill, h, icons } from "../dom.js";

const PAUSE_MS = 600;

/**
 * @typedef {object} NumberField
 * @property {HTMLElement} element
 * @property {HTMLInputElement} input
 * @property {(sentence: string) => void} showError empty: none
 * @property {(sentence: string) => void} showHint replaces the hint; empty: the usual one
 */

/**
 * @param {object} options
 * @param {string} options.id of the input; its error line is "<id>-error"
 * @param {import("../dom.js").Child[]} options.label
 * @param {string} options.name read aloud; the label's words without their explanations
 * @param {string} [options.unit]
 * @param {string} [options.hint]
 * @param {string} [options.placeholder]
 * @param {string} options.value
 * @param {string} [options.inputmode] which keys a phone shows
 * @param {boolean} [options.large]
 * @param {boolean} [options.line] reserve a line for hints and errors
 * @param {(text: string) => void} options.onInput each change
 * @param {() => void} options.onSettled blur, Enter or a pause: now errors may show
 * @returns {NumberField}
 */
export function numberField(options) {
  const { id, hint = "", line = true } = options;
  const input = h("input", {
    id,
    type: "text",
    inputmode: options.inputmode ?? "decimal",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "go",
    placeholder: options.placeholder,
    "aria-label": options.name,
    "aria-describedby": [options.unit && `${id}-unit`, hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" "),
  });
  input.value = options.value;
  const hintLine = h("p", { id: `${id}-hint`, class: "note" }, hint);
  const errorLine = h("p", { id: `${id}-error`, class: "error-line", hidden: true });
  const box = h(
    "div",
    { class: options.large ? "input input-large" : "input" },
    input,
    options.unit && h("span", { class: "input-unit", id: `${id}-unit`, "aria-hidden": "true" }, options.unit),
  );
  let pause = 0;
  let before = options.value;
  const settle = () => {
    clearTimeout(pause);
    options.onSettled();
  };
  input.addEventListener("focus", () => (before = input.value));
  input.addEventListener("input", () => {
    clearTimeout(pause);
    options.onInput(input.value);
    pause = setTimeout(settle, PAUSE_MS);
  });
  input.addEventListener("blur", settle);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      before = input.value;
      settle();
    }
    if (event.key === "Escape" && input.value !== before) {
      event.preventDefault(); // a dialog around it stays open
      input.value = before;
      options.onInput(before);
      settle();
    }
  });
  const element = h(
    "div",
    { class: "field" },
    h("div", { class: "label" }, ...options.label),
    box,
    h("div", { class: line ? "field-line" : "" }, hint && hintLine, errorLine),
  );
  return {
    element,
    input,
    showError(sentence) {
      errorLine.hidden = sentence === "";
      hintLine.hidden = sentence !== "";
      box.classList.toggle("input-bad", sentence !== "");
      if (sentence) {
        input.setAttribute("aria-invalid", "true");
        if (errorLine.textContent !== sentence) fill(errorLine, icons.error(), h("span", {}, sentence));
      } else {
        input.removeAttribute("aria-invalid");
        fill(errorLine);
      }
    },
    showHint(sentence) {
      fill(hintLine, sentence || hint);
    },
  };
}
