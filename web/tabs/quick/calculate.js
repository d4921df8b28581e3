/**
 * From what is typed to what is shown, by calls into the core: no formula here. Every call either
 * gives a complete answer or the errors of the fields.
 */

import { typedNumber } from "../../format.js";

/** @typedef {import("../../core-types.js").Core} Core */
/** @typedef {import("../../core-types.js").CoreError} CoreError */
/** @typedef {import("../../state.js").State} State */

/**
 * @typedef {object} Answer
 * @property {import("../../core-types.js").ParameterCount} count
 * @property {import("../../core-types.js").Precision} precision
 * @property {import("../../core-types.js").WeightSize} size
 * @property {import("../../core-types.js").SizeOnScale} place
 */

/**
 * @param {Core} core
 * @param {State} state
 * @returns {{ answer: Answer, error: null } | { answer: null, error: CoreError }}
 */
export function calculateSize(core, state) {
  const count = core.parse_parameter_count(state.params);
  if (!count.ok) return { answer: null, error: count.error };
  const size = core.weight_size(count.value, state.precision);
  if (!size.ok) return { answer: null, error: size.error };
  return {
    answer: {
      count: count.value,
      precision: precisionNamed(core, state.precision),
      size: size.value,
      place: core.size_on_scale(size.value.vram.bytes),
    },
    error: null,
  };
}

/**
 * The rule of thumb for an answer; empty fields stand for the precision's bits and the usual factor.
 * @param {Core} core
 * @param {Answer} answer
 * @param {State} state
 */
export function calculateRule(core, answer, state) {
  const { bits, factor } = ruleInputs(core, state);
  return core.rule_of_thumb(answer.count, bits, factor);
}

/**
 * @param {Core} core
 * @param {State} state
 */
export function ruleInputs(core, state) {
  const { precision, bits, factor } = state;
  return {
    bits: bits.trim() === "" ? precisionNamed(core, precision).bits : typedNumber(bits),
    factor: factor.trim() === "" ? core.default_overhead_factor : typedNumber(factor),
  };
}

/**
 * @param {Core} core
 * @param {string} name
 */
function precisionNamed(core, name) {
  const precisions = core.precisions();
  return precisions.find((precision) => precision.name === name) ?? precisions[0];
}
