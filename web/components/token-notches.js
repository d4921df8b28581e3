/** Numbers of tokens on a slider: evenly spaced where they double, in steps of the runtime. */

/**
 * @param {number} step the least number, and what all are multiples of
 * @param {number} perDoubling notches from a number to its double
 */
export function tokenNotches(step, perDoubling) {
  /** @param {number} tokens */
  const toStep = (tokens) => Math.max(step, Math.round(tokens / step) * step);
  /** @param {number} notch */
  const at = (notch) => toStep(step * 2 ** (notch / perDoubling));
  /** @param {number} tokens */
  const of = (tokens) => Math.round(Math.log2(Math.max(tokens, step) / step) * perDoubling);
  return {
    toStep,
    at,
    of,
    /**
     * Where a key leads, if anywhere. The first notches lie closer than a step, so one notch may be none.
     * @param {number} tokens NaN: none yet
     * @param {string} key
     */
    moved(tokens, key) {
      const now = toStep(tokens || step);
      const more = Math.max(now + step, at(of(now) + 1));
      const less = Math.min(now - step, at(of(now) - 1));
      return new Map([["ArrowRight", more], ["ArrowUp", more], ["ArrowLeft", less], ["ArrowDown", less], ["PageUp", now * 2], ["PageDown", now / 2]]).get(key);
    },
  };
}
