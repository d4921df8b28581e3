/** One choice of a few, all visible: radio buttons drawn as one bar. */

import { h } from "../dom.js";

/**
 * @template {string} Value
 * @param {object} options
 * @param {string} options.name of the radio group; ids are "<name>-<value>"
 * @param {import("../dom.js").Child[]} options.legend
 * @param {{ value: Value, label: string, note?: string }[]} options.choices
 * @param {Value} options.value
 * @param {(value: Value) => void} options.onChange
 * @returns {{ element: HTMLFieldSetElement, set: (value: Value) => void }}
 */
export function segmented({ name, legend, choices, value, onChange }) {
  const inputs = choices.map((choice) => {
    const input = h("input", {
      type: "radio",
      id: `${name}-${choice.value}`,
      name,
      value: choice.value,
      on: { change: () => onChange(choice.value) },
    });
    input.checked = choice.value === value;
    return input;
  });
  const element = h(
    "fieldset",
    {},
    h("legend", { class: "label" }, ...legend),
    h(
      "div",
      { class: "segments" },
      choices.map((choice, index) =>
        h(
          "label",
          {},
          inputs[index],
          h("span", {}, choice.label, choice.note && h("small", {}, choice.note)),
        ),
      ),
    ),
  );
  return {
    element,
    set(next) {
      for (const input of inputs) input.checked = input.value === next;
    },
  };
}
