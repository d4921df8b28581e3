/** The inputs of オフロード as the address holds them, and as the core takes them. */

import { optionalNumber } from "../../format.js";

/**
 * op prompt tokens, og generated tokens, ob sequences in a block (empty: the best), oz FlexGen's
 * --percent (empty: the best placement), on "": weights of such a placement in pinned memory, "0": not,
 * oc "1": weights and cache in 4 bits, oa "": the CPU attends to the cache that it holds, "0": it does
 * not, or "": rates re-derived from the paper's measurements, "a": the authors' constants.
 */
export const offloadDefaults = Object.freeze({ op: "512", og: "32", ob: "", oz: "", on: "", oc: "", oa: "", or: "" });

/** @typedef {Record<keyof typeof offloadDefaults, string>} OffloadInputs */

/**
 * @param {OffloadInputs} inputs
 * @param {import("../../core-types.js").MachineOptions} machine
 */
export const offloadOptions = (inputs, machine) => ({
  machine,
  prompt: optionalNumber(inputs.op) ?? NaN,
  generated: optionalNumber(inputs.og) ?? NaN,
  block: optionalNumber(inputs.ob),
  percent: inputs.oz.normalize("NFKC").trim(),
  pin: inputs.on !== "0",
  authors_rates: inputs.or === "a",
  compress: inputs.oc === "1",
  cpu_attention: inputs.oa !== "0",
});

/** Which input a field of the core is. @type {Record<string, keyof OffloadInputs>} */
export const INPUT_OF = { prompt: "op", generated: "og", block: "ob", percent: "oz" };
