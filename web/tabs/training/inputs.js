/**
 * The inputs of 学習 as the address holds them, and as the core takes them. Everything is kept as
 * text, as typed; empty: as usual for the method (core/training/recipes.hpp).
 */

import { typedNumber } from "../../format.js";

/**
 * Each input: its key in the address, the core's name, what it is, its default.
 * @type {readonly (readonly [string, string, "choice" | "number" | "flag", string])[]}
 */
const FIELDS = [
  ["tm", "method", "choice", "qlora"],
  ["sq", "sequence", "number", "2048"],
  ["bs", "batch", "number", "1"],
  ["op", "optimizer", "choice", ""],
  ["cw", "counter", "choice", ""],
  ["ga", "accumulation", "number", "1"],
  ["pr", "precision", "choice", ""],
  ["fg", "fp32_gradients", "flag", ""],
  ["ck", "checkpointing", "choice", ""],
  ["lo", "loss", "choice", ""],
  ["lc", "loss_chunks", "number", ""],
  ["ev", "eval_batch", "number", ""],
  ["ob", "objective", "choice", ""],
  ["co", "completions", "number", ""],
  ["rm", "reference_model", "flag", ""],
  ["rs", "rollout_share", "number", ""],
  ["rk", "rank", "number", "16"],
  ["lt", "targets", "choice", ""],
  ["bf", "base", "choice", ""],
  ["ld", "lora_dropout", "number", ""],
  ["da", "dora", "flag", ""],
  ["fa32", "fp32_adapters", "flag", ""],
  ["se", "save_embeddings", "flag", ""],
  ["fe", "fp32_embeddings", "flag", ""],
  ["up", "update", "choice", ""],
  ["gr", "galore_rank", "number", ""],
  ["pg", "paged", "flag", ""],
  ["ib", "in_backward", "flag", ""],
  ["fa", "flash_attention", "flag", ""],
  ["fu", "fused", "flag", ""],
  ["dr", "dropout", "number", ""],
  ["es", "expandable_segments", "flag", ""],
  ["dpm", "data_parallel", "choice", ""],
  ["dp", "dp", "number", ""],
  ["sg", "shard_group", "number", ""],
  ["tp", "tp", "number", ""],
  ["sp", "sequence_parallel", "flag", ""],
  ["pp", "pp", "number", ""],
  ["sch", "schedule", "choice", ""],
  ["vs", "virtual_stages", "number", ""],
  ["cp", "cp", "number", ""],
  ["ep", "ep", "number", ""],
  ["ds", "deepspeed", "flag", ""],
  ["bv", "bucket_view", "flag", ""],
  ["of", "offload", "choice", ""],
];

/** @type {Readonly<Record<string, string>>} */
export const trainingDefaults = Object.freeze(Object.fromEntries(FIELDS.map(([key, , , value]) => [key, value])));

/** @typedef {Record<string, string>} TrainingInputs */

/** Which input a field of the core is. @type {Readonly<Record<string, string>>} */
export const KEY_OF = Object.freeze(Object.fromEntries(FIELDS.map(([key, field]) => [field, key])));

/** Which field of the core an input is. @type {Readonly<Record<string, string>>} */
export const FIELD_OF = Object.freeze(Object.fromEntries(FIELDS.map(([key, field]) => [key, field])));

/**
 * @param {TrainingInputs} inputs
 * @param {import("../../core-types.js").MachineOptions} machine
 */
export function trainingOptions(inputs, machine) {
  /** @type {Record<string, unknown>} */
  const options = { machine };
  for (const [key, field, kind, usual] of FIELDS) {
    const text = inputs[key];
    if (kind === "number") options[field] = text.trim() === "" && usual === "" ? null : typedNumber(text);
    else if (text === "") options[field] = null;
    else options[field] = kind === "flag" ? text === "1" : text;
  }
  return options;
}

/** A value of the core as an input holds it. @param {unknown} value */
const asText = (value) => (typeof value === "boolean" ? (value ? "1" : "0") : String(value));

/**
 * Settings of the core as inputs: what is usual for their method stays empty.
 * @param {import("../../core-types.js").TrainingSettings} settings
 * @param {import("../../core-types.js").TrainingSettings} usual
 * @returns {TrainingInputs}
 */
export function inputsOf(settings, usual) {
  const inputs = { ...trainingDefaults };
  for (const [key, field] of FIELDS) {
    const value = /** @type {any} */ (settings)[field];
    if (value === undefined || field === "dp") continue;
    const always = field === "method" || trainingDefaults[key] !== "";
    if (always || value !== /** @type {any} */ (usual)[field]) inputs[key] = asText(value);
  }
  return inputs;
}

/** Another method starts from what is usual for it. */
export const startMethod = Object.freeze({ pr: "", bf: "", fe: "", fa32: "" });

/** Changes of settings that the core advises, as inputs. @param {import("../../core-types.js").OptionChange[]} changes */
export const inputsOfChanges = (changes) =>
  Object.fromEntries(changes.filter(({ option }) => option in KEY_OF).map(({ option, value }) => [KEY_OF[option], value]));
