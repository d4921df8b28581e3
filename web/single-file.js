/**
 * What the single file starts with: the styles, the script and the module of the page are one packed
 * text in it. The Content-Security-Policy names the hashes of what comes out, so nothing else runs.
 */

import { unlzma } from "./packed/lzma.js";
import { fromSixteenBits } from "./packed/sixteen-bits.js";

const packed = /** @type {HTMLScriptElement} */ (document.getElementById("packed"));
const [style, script, module] = (packed.dataset.sizes ?? "").split(" ").map(Number);
const bytes = unlzma(fromSixteenBits(packed.text), style + script + module);
const text = new TextDecoder();

const sheet = document.createElement("style");
sheet.textContent = text.decode(bytes.subarray(0, style));
document.head.append(sheet);

globalThis.meyasuModule = bytes.subarray(style + script);

const code = text.decode(bytes.subarray(style, style + script));
const element = document.createElement("script");
/** @type {any} Where the browser has Trusted Types, a policy has to vouch for the text of a script. */
const types = /** @type {any} */ (globalThis).trustedTypes;
element.text = types ? types.createPolicy("meyasu", { createScript: (/** @type {string} */ words) => words }).createScript(code) : code;
packed.replaceWith(element);
