/** What the visitor chose on this device: language, colours, keys. Absent storage is no error. */

/** @typedef {"auto" | "light" | "dark"} Theme */

/** @type {readonly Theme[]} */
export const THEMES = ["auto", "light", "dark"];

/** @param {string} name */
export function readPreference(name) {
  try {
    return localStorage.getItem(`meyasu.${name}`) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function writePreference(name, value) {
  try {
    localStorage.setItem(`meyasu.${name}`, value);
  } catch {
    // Private windows and sandboxed frames have no storage; the choice then lasts for this visit.
  }
}

/**
 * @param {string} value
 * @returns {Theme}
 */
export const asTheme = (value) => THEMES.find((theme) => theme === value) ?? "auto";

/** Whether single keys do something. */
export const keysAreOn = () => readPreference("keys") !== "off";

/** The theme the page shows now. */
export const currentTheme = () => asTheme(document.documentElement.dataset.theme ?? "");

/** @param {Theme} theme */
export function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
