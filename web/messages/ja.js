import { messages as first } from "./first-ja.js";
import { messages as later } from "./later-ja.js";

/** すべての文言。 */
export const messages = { ...first, ...later };

/** @typedef {keyof typeof messages} MessageId */
