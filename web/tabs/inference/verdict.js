/** ○ △ ✕ and the dashed ring: shape, word and colour, always all three. */

import { icon } from "../../dom.js";

/** @typedef {import("../../core-types.js").Verdict | "unknown"} Shown */

/** Verdicts as the sweeps number them. @type {readonly import("../../core-types.js").Verdict[]} */
export const VERDICTS = ["fits", "tight", "over"];

/** @type {Record<Shown, string>} */
const PATHS = {
  fits: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14z",
  unknown: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14z",
  tight: "M10 3L18 17H2z",
  over: "M4 4l12 12M16 4L4 16",
};

/** @param {Shown} verdict */
export const verdictIcon = (verdict) =>
  icon(PATHS[verdict], { class: `verdict-icon verdict-${verdict}`, dashed: verdict === "unknown" });
