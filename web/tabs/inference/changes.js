/** Changes that the core advises, as inputs of this tab and of the machine, and as words. */

import { whole } from "../../format.js";

/** @typedef {import("./inputs.js").InferenceInputs} InferenceInputs */
/** @typedef {import("./inputs.js").InferenceKey} InferenceKey */
/** @typedef {import("../../core-types.js").OptionChange} OptionChange */
/** @typedef {import("../../i18n.js").Translate} Translate */

/** @type {Record<string, InferenceKey>} */
const KEY_OF = {
  mix: "w",
  format: "wf",
  type_k: "k",
  type_v: "v",
  kv_type: "kt",
  n_ctx: "c",
  users: "u",
  n_ubatch: "ub",
  n_batch: "b",
  n_gpu_layers: "ngl",
  n_cpu_moe: "nmoe",
  tensor_split: "ts",
  flash_attention: "fa",
  runtime: "r",
  memory_fraction: "mf",
  release: "rel",
};
/** Flags whose box is ticked when the option is true, or false. @type {Record<string, [InferenceKey, string]>} */
const BOX_OF = { cpu_moe: ["cmoe", "true"], offload_kv: ["nkvo", "false"], enforce_eager: ["eg", "true"] };

/**
 * @param {OptionChange[]} changes
 * @returns {Partial<InferenceInputs>}
 */
export function inputsOf(changes) {
  /** @type {Partial<InferenceInputs>} */
  const inputs = {};
  for (const { option, value } of changes) {
    if (option in KEY_OF) inputs[KEY_OF[option]] = value;
    const box = BOX_OF[option];
    if (box) inputs[box[0]] = value === box[1] ? "1" : "";
  }
  if (inputs.v === inputs.k) inputs.v &&= ""; // "like K"
  return inputs;
}

/** How many devices like the last are added; null: none. @param {OptionChange[]} changes */
export const addedGpus = (changes) => changes.find(({ option }) => option === "add_gpus")?.value ?? null;

/** The device to have instead, and its size where it is sold in several; null: none. @param {OptionChange[]} changes */
export function otherDevice(changes) {
  const of = (/** @type {string} */ name) => changes.find(({ option }) => option === name)?.value ?? "";
  return of("device") === "" ? null : { id: of("device"), gib: of("device_gib") };
}

/** @type {Record<string, string>} */
const FLAGS = { n_gpu_layers: "-ngl", n_cpu_moe: "--n-cpu-moe", tensor_split: "-ts" };

/** "-ngl 24 --n-cpu-moe 3", as placement is written on a command line. @param {OptionChange[]} changes */
export function placementFlags(changes) {
  return changes
    .map(({ option, value }) => {
      if (option in FLAGS) return `${FLAGS[option]} ${value}`;
      return option === "offload_kv" && value === "false" ? "-nkvo" : "";
    })
    .filter(Boolean)
    .join(" ");
}

/**
 * One change in words.
 * @param {import("../../core-types.js").AdviceKind} kind
 * @param {OptionChange[]} changes
 * @param {Translate} t
 * @param {(format: string) => string} formatName
 * @param {(id: string, gib: string) => string} deviceName
 */
export function changeWords(kind, changes, t, formatName, deviceName) {
  const of = (/** @type {string} */ name) => changes.find(({ option }) => option === name)?.value ?? "";
  switch (kind) {
    case "mix":
      return t("advice.mix", { x: of("mix") || formatName(of("format")) });
    case "kv_type":
      return t("advice.kv_type", { x: of("type_k") || of("kv_type") });
    case "ubatch":
      return t("advice.ubatch", { x: of("n_ubatch") });
    case "context":
      return t("advice.context", { x: whole(Number(of("n_ctx"))) });
    case "users":
      return t("advice.users", { x: of("users") });
    case "offload":
      return t("advice.offload", { x: placementFlags(changes) });
    case "runtime":
      return t("advice.runtime", { x: t(/** @type {any} */ (`runtime.${of("runtime")}`)) });
    case "flash_attention":
      return t("advice.flash_attention");
    case "memory_fraction":
      return t("advice.memory_fraction", { x: of("memory_fraction") });
    case "eager":
      return t("advice.eager");
    case "more_gpus":
      return t("advice.more_gpus", { x: of("add_gpus") });
    case "other_gpu":
      return t("advice.other_gpu", { x: deviceName(of("device"), of("device_gib")) });
  }
}
