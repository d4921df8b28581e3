/** Keys of the whole page, off while somebody types or a dialog is open; "?" lists them. */

import { dialog } from "./components/dialog.js";
import { h } from "./dom.js";

/**
 * @typedef {object} Key
 * @property {string} key
 * @property {string} shown in the list
 * @property {string} words
 * @property {() => void} action
 */

/**
 * @param {object} options
 * @param {import("./i18n.js").Translate} options.t
 * @param {Key[]} options.keys
 * @param {AbortSignal} options.signal
 */
export function pageKeys({ t, keys, signal }) {
  const rows = [...keys.filter(({ words }) => words !== ""), { shown: "?", words: t("keys.list") }, { shown: "Esc", words: t("keys.close") }];
  const list = dialog({
    t,
    id: "key-list",
    title: t("keys.title"),
    class: "drawer",
    content: [h("dl", { class: "inputs" }, rows.map(({ shown, words }) => h("div", {}, h("dt", {}, words), h("dd", {}, h("kbd", { class: "key" }, shown)))))],
  });
  document.addEventListener(
    "keydown",
    (event) => {
      const target = event.target instanceof Element ? event.target : null;
      const typing = target?.closest("input:not([type=checkbox], [type=radio], [type=range]), select, textarea, [contenteditable]");
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing) return;
      if (document.querySelector("dialog[open]")) return;
      const found = keys.find(({ key }) => key === event.key);
      if (!found && event.key !== "?") return;
      event.preventDefault();
      if (found) found.action();
      else list.open();
    },
    { signal },
  );
  return { element: list.element, open: list.open };
}
