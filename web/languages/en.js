import { messages as first } from "../messages/first-en.js";
import { accuracy } from "../messages/accuracy-en.js";
import { inference } from "../messages/inference-en.js";
import { machines } from "../messages/machines-en.js";
import { model } from "../messages/model-en.js";
import { offload } from "../messages/offload-en.js";
import { results } from "../messages/results-en.js";
import { shell } from "../messages/shell-en.js";
import { speed } from "../messages/speed-en.js";
import { training } from "../messages/training-en.js";

export { guide } from "../guide/content-en.js";

/** What the language calls itself. */
export const name = "English";

/** All sentences. @type {Record<import("./ja.js").MessageId, string>} */
export const messages = {
  ...first,
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
