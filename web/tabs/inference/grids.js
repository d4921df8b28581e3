/**
 * What the chart and the maps show, for every kind of runtime alike: rows of points along the
 * context, by KV type, format or users.
 */

import { typedNumber } from "../../format.js";
import { KV_TYPES, isLibrary, isLlamaCpp, libraryOptions, llamaCppOptions, servingOptions } from "./inputs.js";
import { VERDICTS } from "./verdict.js";

/** @typedef {import("./inputs.js").InferenceInputs} InferenceInputs */
/** `verdict` null: refused. @typedef {{ verdict: import("./verdict.js").Shown | null, bytes: number }} Point */
/** @typedef {{ name: string, changes: Partial<InferenceInputs>, current: boolean, at: (contexts: number[]) => Promise<Point[]> }} Row */

const SERVER_KV_TYPES = ["bf16", "fp8", "nvfp4"];
const EXLLAMA_BITS = [16, 8, 4];

/**
 * @param {object} options
 * @param {import("../../core-types.js").Core} options.core
 * @param {import("../../core-types.js").InferenceStudy} options.study
 * @param {InferenceInputs} options.inputs
 * @param {import("../../core-types.js").MachineOptions} options.machine
 * @param {import("../../core-types.js").InferenceChoices} options.choices
 * @param {{ format: string, kv_type: string }} options.like
 * @param {(runtime: string) => { format: string, k_bits: number, v_bits: number }} options.likeLibrary
 * @param {(key: string, make: () => Float64Array) => Promise<Float64Array>} options.keep calculates once for each key
 */
export function grids({ core, study, inputs, machine, choices, like, likeLibrary, keep }) {
  const runtime = inputs.r;
  const context = typedNumber(inputs.c);

  /**
   * A row of points: `options` with what the row changes, at every context.
   * @template {object} Options
   * @param {(study: import("../../core-types.js").InferenceStudy, asked: object, contexts: number[]) => Float64Array} sweep
   * @param {Options} options
   * @returns {(changed: Partial<Options>) => (contexts: number[]) => Promise<Point[]>}
   */
  const rowOf = (sweep, options) => (changed) => async (contexts) => {
    const asked = { ...options, ...changed, n_ctx: 0 };
    const numbers = await keep(JSON.stringify([asked, contexts]), () => sweep(study, asked, contexts));
    return Array.from({ length: numbers.length / 2 }, (_unused, at) => ({
      verdict: VERDICTS[numbers[2 * at]] ?? null,
      bytes: numbers[2 * at + 1],
    }));
  };

  /** @param {(changed: { users?: number }) => (contexts: number[]) => Promise<Point[]>} row */
  const common = (row) => ({
    /** @param {number} users @returns {Row} */
    users: (users) => ({ name: "", changes: { u: String(users) }, current: String(users) === inputs.u, at: row({ users }) }),
    now: async () => (await row({})([context]))[0],
  });

  if (isLlamaCpp(runtime)) {
    const options = llamaCppOptions(inputs, machine, runtime);
    const row = rowOf(core.sweep_llama_cpp, options);
    return {
      /** @returns {Row[]} */
      kvTypes: () =>
        KV_TYPES.map((type) => ({ name: type, changes: { k: type, v: "" }, current: type === inputs.k, at: row({ type_k: type, type_v: type }) })),
      /** @returns {Row[]} */
      formats: () => choices.map_mixes.map((mix) => ({ name: mix, changes: { w: mix }, current: mix === inputs.w, at: row({ mix }) })),
      ...common(row),
    };
  }
  if (isLibrary(runtime)) {
    const options = libraryOptions(inputs, machine, runtime, likeLibrary(runtime));
    const row = rowOf(core.sweep_library, options);
    return {
      /** Transformers keeps the cache in the type of its computation. @returns {Row[]} */
      kvTypes: () =>
        runtime === "transformers"
          ? [{ name: "bf16", changes: {}, current: true, at: row({}) }]
          : EXLLAMA_BITS.map((bits) => ({ name: `${bits} bit`, changes: {}, current: bits === options.k_bits, at: row({ k_bits: bits, v_bits: bits }) })),
      /** @returns {Row[]} */
      formats: () => core.library_formats(runtime).map(({ id, name }) => ({ name, changes: { lf: id }, current: id === options.format, at: row({ format: id }) })),
      ...common(row),
    };
  }
  const options = servingOptions(inputs, machine, runtime, like);
  const row = rowOf(core.sweep_serving, options);
  return {
    /** @returns {Row[]} */
    kvTypes: () =>
      SERVER_KV_TYPES.map((type) => ({ name: type, changes: { kt: type }, current: type === options.kv_type, at: row({ kv_type: type }) })),
    /** @returns {Row[]} */
    formats: () => choices.formats.map(({ id, name }) => ({ name, changes: { wf: id }, current: id === options.format, at: row({ format: id }) })),
    ...common(row),
  };
}
