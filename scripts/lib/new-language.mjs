// Prints the English sentences and guide as the one file that a further language is, to be translated:
//   node scripts/lib/new-language.mjs Français > web/languages/fr.js
import { guide, messages } from "../../web/languages/en.js";

const text = (value) => JSON.stringify(value, null, 2);
console.log(`/** What the language calls itself. */
export const name = ${text(process.argv[2] ?? "")};

/** {x} and the id in [[id|label]] stay as they are. @type {Record<import("./ja.js").MessageId, string>} */
export const messages = ${text(messages)};

/** Topics that are left out are shown in English. @type {import("../guide/guide.js").Topic[]} */
export const guide = ${text(guide)};`);
