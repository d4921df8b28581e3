/** What to type to start the chosen runtime with exactly these settings. */

import { copyButton } from "../../components/copy.js";
import { segmented } from "../../components/segmented.js";
import { fill, h, icons } from "../../dom.js";
import { coreSentence } from "../../i18n.js";

/** @typedef {import("../../core-types.js").Launch} Launch */

/** Kept while the page is built anew. */
let shell = /PowerShell|Windows/.test(navigator.userAgent) ? "powershell" : "posix";

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {() => void} options.onShell
 */
export function commandCard({ t, onShell }) {
  const content = h("div", { class: "stack", id: "command" });
  const by = h("p", { class: "note" });
  const choice = segmented({
    name: "command-shell",
    legend: [t("command.shell")],
    choices: [
      { value: "posix", label: "Linux / macOS" },
      { value: "powershell", label: "PowerShell" },
    ],
    value: shell,
    onChange(value) {
      shell = value;
      onShell();
    },
  });
  const element = h(
    "section",
    { class: "card stack", "aria-labelledby": "command-title" },
    h("div", { class: "title-row" }, h("h2", { id: "command-title" }, t("command.title")), by),
    choice.element,
    content,
  );
  return {
    element,
    shell: () => shell,
    /**
     * @param {Launch | null} launch null: the settings are refused
     * @param {string} runtime
     * @param {boolean} inShell whether it is typed into a shell
     */
    show(launch, runtime, inShell) {
      fill(by, runtime);
      choice.element.hidden = !inShell;
      fill(content, launch ? launchParts(launch, t) : h("p", { class: "lead" }, t("command.none")));
    },
  };
}

/**
 * Each block with its own button to copy, then what the reader must see to.
 * @param {Launch} launch
 * @param {import("../../i18n.js").Translate} t
 */
export const launchParts = ({ blocks, notes, missing }, t) => [
  ...blocks.map(({ title, text }) =>
    h(
      "div",
      { class: "command" },
      h("div", { class: "row row-apart" }, h("h3", { class: "label" }, coreSentence(t, "command", title)), copyButton({ t, label: t("app.copy"), text: () => text })),
      h("pre", { tabindex: "0", "aria-label": coreSentence(t, "command", title) }, h("code", {}, text)),
    ),
  ),
  ...notes.map((note) => h("p", { class: "doubt" }, icons.doubt(), h("span", {}, coreSentence(t, "command", note)))),
  missing.length > 0 &&
    h("p", { class: "doubt" }, icons.doubt(), h("span", {}, t("command.missing", { x: missing.map((name) => coreSentence(t, "option", name)).join(t("infer.comma")) }))),
];
