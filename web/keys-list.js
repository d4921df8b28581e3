/** The list of keys that "?" opens. */

import { dialog } from "./components/dialog.js";
import { h } from "./dom.js";

/**
 * @param {import("./i18n.js").Translate} t
 * @param {import("./keys.js").Key[]} keys
 */
export function keyList(t, keys) {
  const rows = [...keys.map(({ shown, label }) => ({ shown, words: t(label) })), { shown: "?", words: t("keys.list") }, { shown: "Esc", words: t("keys.close") }];
  return dialog({
    t,
    id: "key-list",
    title: t("keys.title"),
    class: "drawer",
    content: [h("dl", { class: "inputs" }, rows.map(({ shown, words }) => h("div", {}, h("dt", {}, words), h("dd", {}, h("kbd", { class: "key" }, shown)))))],
  });
}
