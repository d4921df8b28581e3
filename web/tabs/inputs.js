/**
 * The inputs of each tab in the address. A tab with inputs of its own has a line here; it finds
 * them, as typed, in `state.tabs[<id>]`. Only those of the tab in view are in the link, those that
 * are not their default. Keys of different tabs may be alike, but none may be one that the whole
 * page uses: tab, lang, theme, p, q, n, m, rb, rf, and those of current-machine.js.
 */

import { accuracyDefaults } from "./accuracy/inputs.js";
import { compareDefaults } from "./compare/inputs.js";
import { inferenceDefaults } from "./inference/inputs.js";
import { offloadDefaults } from "./offload/inputs.js";
import { trainingDefaults } from "./training/inputs.js";

/**
 * @typedef {object} TabInputs
 * @property {Readonly<Record<string, string>>} defaults
 * @property {readonly string[]} [always] keys that the link holds even at their default
 */

/** @type {Readonly<Record<string, TabInputs>>} */
export const TAB_INPUTS = {
  infer: { defaults: inferenceDefaults, always: ["w", "c"] },
  train: { defaults: trainingDefaults, always: ["tm", "sq", "bs"] },
  acc: { defaults: accuracyDefaults },
  off: { defaults: offloadDefaults },
  compare: { defaults: compareDefaults },
};
