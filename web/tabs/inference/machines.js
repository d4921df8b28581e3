/** Advice, command, devices and the fit map: what to change, type, buy, and what else would run. */

import { deviceTitle } from "../../bars/words.js";
import { toast } from "../../components/toast.js";
import { deviceInputs } from "../../current-machine.js";
import { h, fill } from "../../dom.js";
import { soldGb } from "../../format.js";
import { coreErrorSentence } from "../../core-error.js";
import { adviceCard } from "./advice.js";
import { addedGpus, inputsOf, otherDevice } from "./changes.js";
import { commandCard } from "./command.js";
import { deviceTable } from "./devices.js";
import { fitMap } from "./fit-map.js";
import { isLibrary, isLlamaCpp } from "./inputs.js";

/** @typedef {import("./inputs.js").InferenceInputs} InferenceInputs */
/** @typedef {import("../../core-types.js").InferenceStudy} InferenceStudy */
/** @typedef {import("../../core-types.js").Verdict} Verdict */

/**
 * @param {object} context
 * @param {import("../../i18n.js").Translate} context.t
 * @param {import("../../core-types.js").Core} context.core
 * @param {import("../../current-model.js").ModelStore} context.models
 * @param {import("../../current-machine.js").MachineStore} context.machine
 * @param {InferenceInputs} context.inputs
 * @param {import("../../core-types.js").InferenceChoices} context.choices
 * @param {(changes: Partial<InferenceInputs>) => void} context.apply
 * @param {(id: string) => void} context.chooseModel
 * @param {() => object} context.llamaCppQuestion with a llama.cpp runtime whatever is chosen
 * @param {() => object} context.servingQuestion
 * @param {() => object} context.libraryQuestion
 * @param {(change: { label: string, apply: () => void } | null) => void} context.showSmallest the first piece of advice
 * @param {AbortSignal} context.signal
 */
export function machineCards(context) {
  const { t, core, models, machine, inputs, choices, apply, chooseModel, llamaCppQuestion, servingQuestion, libraryQuestion, showSmallest, signal } = context;
  const undo = toast(t);
  const formatName = (/** @type {string} */ id) => choices.formats.find((format) => format.id === id)?.name ?? id;

  /**
   * Does something to inputs or machine, and offers to take it back.
   * @param {string} words
   * @param {() => void} action
   */
  function undoable(words, action) {
    const before = { ...inputs };
    const devices = machine.get().devices.map((device) => ({ ...device }));
    const current = models.get();
    const model = current?.entry?.id ?? "";
    action();
    undo.show(t("toast.applied", { x: words }), () => {
      if (!current?.opened && (models.get()?.entry?.id ?? "") !== model) chooseModel(model);
      machine.change({ devices });
      apply(before);
    });
  }

  /** @param {string} id @param {string} size GiB where it is sold in several */
  function deviceName(id, size) {
    const device = core.hardware_device(id);
    return device === null ? id : deviceTitle(size === "" ? device : { ...device, name: `${device.name} ${size}\u00a0GB` });
  }

  /** @param {import("../../core-types.js").Advice} row */
  function follow(row) {
    undoable(advice.wordsOf(row), () => {
      const more = addedGpus(row.changes);
      const other = otherDevice(row.changes);
      const { devices } = machine.get();
      const last = devices[devices.length - 1];
      if (more !== null && last) machine.change({ devices: [...devices, { ...last, count: more }] });
      if (other !== null) machine.change({ devices: [deviceInputs({ id: other.id, memory: other.gib })] });
      apply(inputsOf(row.changes));
    });
  }
  const advice = adviceCard({ t, formatName, deviceName, onApply: follow });
  const command = commandCard({ t, onShell: () => shown && showCommand(shown) });
  const devices = deviceTable({
    t,
    onChoose(choice, words) {
      const memory = choice.has_sizes ? soldGb(choice.memory) : "";
      undoable(words, () => machine.change({ devices: [deviceInputs({ id: choice.id, count: String(choice.n), memory })] }));
    },
  });
  const models_ = fitMap({
    t,
    core,
    question: llamaCppQuestion,
    signal,
    onChoose({ model, mix, context: tokens }, words) {
      undoable(words, () => {
        chooseModel(model);
        apply({ w: mix, c: String(tokens), ...(isLlamaCpp(inputs.r) ? {} : { r: "llama-server" }) });
      });
    },
  });

  const plan = h("p", { class: "note", id: "plan", role: "status" });
  const planButton = h(
    "button",
    { type: "button", class: "button-line", id: "plan-apply", on: { click: applyPlan } },
    t("plan.button"),
  );
  advice.element.append(h("div", { class: "row plan" }, planButton, plan));

  function applyPlan() {
    if (!shown) return;
    const found = core.plan_llama_cpp(shown, llamaCppQuestion(), false);
    if (!found.ok) {
      fill(plan, found.error.code === "none_fits" ? t("plan.none") : coreErrorSentence(t, found.error));
      return;
    }
    if (found.value.changes.length === 0) {
      fill(plan, t("plan.same"));
      return;
    }
    fill(plan, "");
    undoable(t("plan.done"), () => apply(inputsOf(found.value.changes)));
  }

  /** A name for the model's file that says what it is. */
  function fileName() {
    const { title, opened } = models.shown();
    if (opened && inputs.w === "file") return /\.gguf$/i.test(title) ? title : `${title}.gguf`;
    return `${title.replace(/\.gguf$/i, "")}-${inputs.w}.gguf`;
  }

  /** @type {InferenceStudy | null} */
  let shown = null;
  // The study goes with its model; the next one follows with the next answer.
  models.subscribe(() => (shown = null), signal);
  /** @param {InferenceStudy} study */
  function showCommand(study) {
    const name = models.shown().entry?.id ?? models.shown().title;
    const launch = isLlamaCpp(inputs.r)
      ? core.launch_llama_cpp(study, llamaCppQuestion(), fileName(), command.shell())
      : isLibrary(inputs.r)
        ? core.launch_library(study, libraryQuestion(), name)
        : core.launch_serving(study, servingQuestion(), name, command.shell());
    command.show(launch.ok ? launch.value : null, t(/** @type {any} */ (`runtime.${inputs.r}`)), !isLibrary(inputs.r));
  }

  return {
    advice: advice.element,
    command: command.element,
    devices: devices.element,
    models: models_.element,
    toast: undo.element,
    /**
     * @param {InferenceStudy} study
     * @param {Verdict} verdict of what is set
     */
    update(study, verdict) {
      shown = study;
      const aim = verdict === "over" ? "over" : verdict === "tight" ? "roomy" : "fits";
      const library = isLibrary(inputs.r);
      const server = !isLlamaCpp(inputs.r) && !library;
      advice.element.hidden = library;
      planButton.hidden = server || machine.get().devices.length === 0;
      fill(plan, "");
      const found =
        aim === "fits" || library
          ? null
          : server
            ? core.advise_serving(study, servingQuestion())
            : core.advise_llama_cpp(study, llamaCppQuestion(), aim === "roomy");
      const rows = found?.ok ? found.value : [];
      advice.show(rows, aim);
      showSmallest(aim === "over" && rows.length > 0 ? { label: advice.wordsOf(rows[0]), apply: () => follow(rows[0]) } : null);
      showCommand(study);
      const devicesFound = server ? core.devices_that_serve(study, servingQuestion()) : core.devices_that_run(study, llamaCppQuestion());
      devices.show(devicesFound.ok ? devicesFound.value : [], server);
      models_.update();
    },
  };
}
