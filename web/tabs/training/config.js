/** A program or configuration with exactly these settings, for the framework chosen. */

import { segmented } from "../../components/segmented.js";
import { fill, h, icons } from "../../dom.js";
import { launchParts } from "../inference/command.js";

/** Kept while the page is built anew. */
let framework = "transformers";

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {string[]} options.frameworks
 * @param {(framework: string) => import("../../core-types.js").Result<import("../../core-types.js").Launch>} options.launch
 */
export function configCard({ t, frameworks, launch }) {
  const content = h("div", { class: "stack", id: "train-config" });
  const words = (/** @type {string} */ name) => t(/** @type {any} */ (`train.${name}`));
  const choice = segmented({
    name: "train-framework",
    legend: [words("framework")],
    choices: frameworks.map((value) => ({ value, label: words(`framework.${value}`) })),
    value: framework,
    onChange(value) {
      framework = value;
      show();
    },
  });
  function show() {
    const made = launch(framework);
    if (!made.ok) return fill(content, h("p", { class: "lead" }, t("command.none")));
    const { blocks, notes, missing } = made.value;
    return fill(
      content,
      missing.length > 0 && h("p", { class: "doubt" }, icons.doubt(), h("span", {}, t("train.config_missing", { x: missing.map(words).join(t("infer.comma")) }))),
      launchParts({ blocks, notes, missing: [] }, t),
    );
  }
  return {
    element: h("section", { class: "card stack train-result", "aria-labelledby": "train-config-title" }, h("h2", { id: "train-config-title" }, t("train.config")), h("p", { class: "lead" }, t("train.config_lead")), choice.element, content),
    show,
  };
}
