/** Numbers of tokens on a slider: evenly spaced where they double, in steps of the runtime. */

/**
 * @param {number} step the least number, and what all are multiples of
 * @param {number} perDoubling notches from a number to its double
 */
export function tokenNotches(step, perDoubling) {
  /** @param {number} tokens */
  const toStep = (tokens) => Math.max(step, Math.round(tokens / step) * step);
  return {
    toStep,
    /** @param {number} notch */
    at: (notch) => toStep(step * 2 ** (notch / perDoubling)),
    /** @param {number} tokens */
    of: (tokens) => Math.round(Math.log2(Math.max(tokens, step) / step) * perDoubling),
  };
}
