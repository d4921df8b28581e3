/**
 * What llama.cpp was seen to take beside its buffers, by device of the catalog. Measured by this
 * visitor, so it stays in this browser and is in no link.
 */

import { readPreference, writePreference } from "./preferences.js";

const NAME = "overhead";

/** @returns {Record<string, number>} bytes by id of the device */
export function knownOverheads() {
  try {
    const known = JSON.parse(readPreference(NAME) || "{}");
    return Object.fromEntries(Object.entries(known).filter(([, bytes]) => Number.isSafeInteger(bytes) && bytes > 0));
  } catch {
    return {};
  }
}

/** @param {string} id @param {number} bytes */
export const rememberOverhead = (id, bytes) => writePreference(NAME, JSON.stringify({ ...knownOverheads(), [id]: bytes }));

/** @param {string} id */
export function forgetOverhead(id) {
  const { [id]: _forgotten, ...others } = knownOverheads();
  writePreference(NAME, JSON.stringify(others));
}
