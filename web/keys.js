/** Keys of the whole page, off while somebody types or a dialog is open; "?" lists them (keys-list.js). */

import { keysAreOn } from "./preferences.js";

/**
 * @typedef {object} Key
 * @property {string} key
 * @property {string} shown in the list
 * @property {import("./i18n.js").MessageId} label
 * @property {() => void} action
 */

/**
 * @param {object} options
 * @param {Key[]} options.keys
 * @param {() => void} options.onList
 * @param {AbortSignal} options.signal
 */
export function pageKeys({ keys, onList, signal }) {
  document.addEventListener(
    "keydown",
    (event) => {
      const target = event.target instanceof Element ? event.target : null;
      const typing = target?.closest("input:not([type=checkbox], [type=radio], [type=range]), select, textarea, [contenteditable]");
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing) return;
      if (document.querySelector("dialog[open]") || !keysAreOn()) return;
      const found = keys.find(({ key }) => key === event.key);
      if (!found && event.key !== "?") return;
      event.preventDefault();
      if (found) found.action();
      else onList();
    },
    { signal },
  );
}
