import { accuracy } from "./accuracy-en.js";
import { inference } from "./inference-en.js";
import { machines } from "./machines-en.js";
import { model } from "./model-en.js";
import { offload } from "./offload-en.js";
import { results } from "./results-en.js";
import { shell } from "./shell-en.js";
import { speed } from "./speed-en.js";
import { training } from "./training-en.js";

/** What the first view does not say. @type {Record<keyof typeof import("./later-ja.js").messages, string>} */
export const messages = {
  ...accuracy,
  ...inference,
  ...machines,
  ...model,
  ...offload,
  ...results,
  ...shell,
  ...speed,
  ...training,
};
