import { accuracy } from "./accuracy-ja.js";
import { inference } from "./inference-ja.js";
import { machines } from "./machines-ja.js";
import { model } from "./model-ja.js";
import { offload } from "./offload-ja.js";
import { results } from "./results-ja.js";
import { shell } from "./shell-ja.js";
import { speed } from "./speed-ja.js";
import { training } from "./training-ja.js";

/** 最初の画面のほかの文言。later-en.js must have exactly the same ids (checked by tsc). */
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
