/**
 * Below the header of every tab but かんたん: the model and the machine that all tabs share, each a
 * button that opens its picker, and the link to this setup.
 */

import { copyButton } from "../components/copy.js";
import { coreErrorSentence } from "../core-error.js";
import { fill, h, icons } from "../dom.js";
import { namedSize, whole } from "../format.js";
import { machinePicker } from "./machine-picker.js";
import { modelPicker } from "./model-picker.js";
import { machineDetail, machineTitle } from "./words.js";

/**
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {import("../core-types.js").Core} options.core
 * @param {import("../current-model.js").ModelStore} options.models
 * @param {import("../current-machine.js").MachineStore} options.machine
 * @param {() => void} options.onFiles
 * @param {() => string} options.link
 * @param {AbortSignal} options.signal
 */
export function bars({ t, core, models, machine, onFiles, link, signal }) {
  const pickModel = modelPicker({ t, core, models, onFiles });
  const pickMachine = machinePicker({ t, core, machine, signal });

  const modelName = h("span", { class: "bar-name", id: "bar-model-name" });
  const modelNote = h("span", { class: "bar-note", id: "bar-model-note" });
  const machineName = h("span", { class: "bar-name", id: "bar-machine-name" });
  const machineNote = h("span", { class: "bar-note", id: "bar-machine-note" });

  /**
   * @param {string} id
   * @param {string} label
   * @param {HTMLElement[]} words
   * @param {() => void} click
   */
  const bar = (id, label, words, click) =>
    h(
      "button",
      { type: "button", class: "bar", id, "aria-haspopup": "dialog", on: { click } },
      h("span", { class: "bar-label" }, label),
      h("span", { class: "bar-words" }, ...words),
      h("span", { class: "bar-change" }, t("bar.change")),
    );

  function showModel() {
    const { title, parameters, model, entry, opened } = models.shown();
    const { n_layer, n_ctx_train } = model.summary();
    fill(modelName, title, models.get() === null && h("span", { class: "tag" }, t("quick.example")));
    const source = opened ? t("bar.from_file") : entry?.confidence === "low" ? `△ ${t("model.unverified")}` : t("bar.from_catalog");
    const parts = [
      namedSize(parameters.total / 1e9),
      n_layer > 0 && t("bar.layers", { x: whole(n_layer) }),
      n_ctx_train > 0 && t("bar.context", { x: whole(n_ctx_train) }),
      source,
    ];
    fill(modelNote, parts.filter(Boolean).join(t("machine.gap")));
  }

  function showMachine() {
    const summary = machine.summary();
    if (!summary.ok) {
      fill(machineName, t("bar.machine"));
      fill(machineNote, h("span", { class: "error-line" }, icons.error(), h("span", {}, coreErrorSentence(t, summary.error))));
      return;
    }
    fill(machineName, machineTitle(summary.value, t));
    fill(machineNote, machineDetail(summary.value, t));
  }

  models.subscribe(showModel, signal);
  machine.subscribe(showMachine, signal);
  showModel();
  showMachine();

  return {
    element: h(
      "section",
      { class: "bars", id: "bars", "aria-label": t("bar.label") },
      h(
        "div",
        { class: "wrap" },
        bar("bar-model", t("bar.model"), [modelName, modelNote], pickModel.open),
        bar("bar-machine", t("bar.machine"), [machineName, machineNote], pickMachine.open),
        copyButton({ t, label: t("bar.link"), text: link, class: "link bar-link" }),
      ),
    ),
    dialogs: [pickModel.element, pickMachine.element],
    openModel: pickModel.open,
    openMachine: pickMachine.open,
  };
}
