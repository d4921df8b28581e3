/** The list of keys that "?" opens, and the switch for those who speak to their computer (WCAG 2.1.4). */

import { dialog } from "./components/dialog.js";
import { h } from "./dom.js";
import { keysAreOn, writePreference } from "./preferences.js";

/**
 * @param {import("./i18n.js").Translate} t
 * @param {import("./keys.js").Key[]} keys
 */
export function keyList(t, keys) {
  const rows = [...keys.map(({ shown, label }) => ({ shown, words: t(label) })), { shown: "?", words: t("keys.list") }, { shown: "Esc", words: t("keys.close") }];
  const on = h("input", { type: "checkbox", id: "keys-on", on: { change: () => writePreference("keys", on.checked ? "" : "off") } });
  on.checked = keysAreOn();
  return dialog({
    t,
    id: "key-list",
    title: t("keys.title"),
    class: "drawer",
    content: [
      h("dl", { class: "inputs" }, rows.map(({ shown, words }) => h("div", {}, h("dt", {}, words), h("dd", {}, h("kbd", { class: "key" }, shown))))),
      h("label", { class: "check" }, on, h("span", {}, t("keys.on"))),
    ],
  });
}
