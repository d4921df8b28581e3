/** What builds each tab. */

import { accuracyTab } from "./accuracy/index.js";
import { compareTab } from "./compare/index.js";
import { inferenceTab } from "./inference/index.js";
import { logTab } from "./log/index.js";
import { modelTab } from "./model/index.js";
import { offloadTab } from "./offload/index.js";
import { quickTab } from "./quick/index.js";
import { trainingTab } from "./training/index.js";

/** @type {Readonly<Record<string, import("./index.js").Builder>>} */
export const builders = {
  quick: quickTab,
  infer: inferenceTab,
  train: trainingTab,
  off: offloadTab,
  model: modelTab,
  compare: (context) => compareTab(builders, context),
  log: logTab,
  acc: accuracyTab,
};
