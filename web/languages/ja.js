import { messages as first } from "../messages/first-ja.js";
import { accuracy } from "../messages/accuracy-ja.js";
import { inference } from "../messages/inference-ja.js";
import { machines } from "../messages/machines-ja.js";
import { model } from "../messages/model-ja.js";
import { offload } from "../messages/offload-ja.js";
import { results } from "../messages/results-ja.js";
import { shell } from "../messages/shell-ja.js";
import { speed } from "../messages/speed-ja.js";
import { training } from "../messages/training-ja.js";

export { guide } from "../guide/content-ja.js";

/** 言語の名前。その言語で。 */
export const name = "日本語";

/** すべての文言。Every other language has exactly these ids (scripts/lib/check-messages.mjs). */
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

/** @typedef {keyof typeof messages} MessageId */
