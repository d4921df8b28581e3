/** Brand, tabs, language, colours, and the menu of things that do something now. */

import { copyButton } from "./components/copy.js";
import { tabList } from "./components/tab-list.js";
import { h, icon, icons } from "./dom.js";
import { languageNames } from "./i18n.js";
import { applyTheme, currentTheme, THEMES, writePreference } from "./preferences.js";
import { TABS } from "./tabs/index.js";

/** @typedef {import("./i18n.js").Translate} Translate */

/**
 * @typedef {object} MenuAction
 * @property {string} id
 * @property {import("./i18n.js").MessageId} label
 * @property {() => void} action
 */

const BRAND_PATH = "M3 4v20h22V6M9 24v-5M14 24v-9M19 24v-5";

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("./i18n.js").Language} options.language
 * @param {(language: import("./i18n.js").Language) => void} options.onLanguage
 * @param {MenuAction[]} options.actions
 * @param {() => string} options.link
 * @param {string} options.tab the current one
 * @param {(id: string) => void} options.onTab
 * @param {AbortSignal} options.signal ends what it listens to outside of itself
 */
export function pageHeader({ t, language, onLanguage, actions, link, tab, onTab, signal }) {
  return h(
    "header",
    { class: "top" },
    h(
      "div",
      { class: "wrap" },
      h(
        "span",
        { class: "brand" },
        icon(BRAND_PATH, { size: 28 }),
        h("span", { lang: "ja" }, "目安"),
        h("small", { lang: "en" }, "Meyasu"),
      ),
      tabList({
        label: t("app.tabs"),
        tabs: TABS.filter(({ inMenu }) => !inMenu).map(({ id, label }) => ({ id, label: t(label) })),
        current: tab,
        onSelect: onTab,
      }),
      h("div", { class: "tools" }, languageSwitch(t, language, onLanguage), themeButton(t), menu(t, actions, link, onTab, signal)),
    ),
  );
}

/**
 * Of two languages a button shows the other; more are a list.
 * @param {Translate} t
 * @param {import("./i18n.js").Language} language
 * @param {(language: import("./i18n.js").Language) => void} onLanguage
 */
function languageSwitch(t, language, onLanguage) {
  const id = "lang-toggle";
  const others = Object.keys(languageNames).filter((tag) => tag !== language);
  if (others.length === 1) {
    const name = languageNames[others[0]];
    const press = () => onLanguage(others[0]);
    return h("button", { type: "button", id, class: "tool", "aria-label": t("app.other_language", { x: name }), on: { click: press } }, h("span", { lang: others[0] }, name));
  }
  const options = Object.entries(languageNames).map(([tag, name]) => h("option", { value: tag, lang: tag, selected: tag === language }, name));
  const list = h("select", { id, class: "tool", "aria-label": t("app.language") }, ...options);
  list.addEventListener("change", () => {
    const chosen = list.value;
    list.value = language; // until its words are here, or should they not come
    onLanguage(chosen);
  });
  return list;
}

/** @param {Translate} t */
function themeButton(t) {
  const button = h("button", { type: "button", id: "theme-toggle", class: "tool" }, icons.theme());
  const name = () => {
    const sentence = t("app.theme", { x: t(`app.theme.${currentTheme()}`) });
    button.setAttribute("aria-label", sentence);
    button.title = sentence;
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length];
    writePreference("theme", next);
    applyTheme(next);
    name();
  });
  name();
  return button;
}

/**
 * @param {Translate} t
 * @param {MenuAction[]} actions
 * @param {() => string} link
 * @param {(id: string) => void} onTab
 * @param {AbortSignal} signal
 */
function menu(t, actions, link, onTab, signal) {
  const list = h("div", { class: "menu-list", id: "menu-list", hidden: true });
  const button = h(
    "button",
    {
      type: "button",
      id: "menu-toggle",
      class: "tool",
      "aria-label": t("app.menu"),
      "aria-expanded": "false",
      "aria-controls": "menu-list",
    },
    icons.more(),
  );
  const element = h("div", { class: "menu" }, button, list);
  /** @param {boolean} open */
  const setOpen = (open) => {
    list.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  /** @param {() => void} action */
  const choose = (action) => () => {
    setOpen(false);
    button.focus(); // where a dialog that is closed gives it back to
    action();
  };
  list.append(
    ...TABS.filter(({ inMenu }) => inMenu).map(({ id, label }) => menuButton(`menu-${id}`, t(label), choose(() => onTab(id)))),
    copyButton({ t, label: t("app.menu.link"), text: link, class: "menu-copy" }),
    ...actions.map(({ id, label, action }) => menuButton(`menu-${id}`, t(label), choose(action))),
  );
  const file = "meyasu.html";
  if (location.protocol.startsWith("http")) {
    const address = MEYASU_SINGLE_FILE ? location.pathname : file;
    list.append(h("a", { id: "menu-save", href: address, download: file }, t("app.menu.save")));
  }
  button.addEventListener("click", () => setOpen(Boolean(list.hidden)));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || list.hidden) return;
    setOpen(false);
    button.focus();
  });
  element.addEventListener("focusout", (event) => {
    const next = event.relatedTarget;
    if (next instanceof Node && !element.contains(next)) setOpen(false);
  });
  document.addEventListener(
    "pointerdown",
    (event) => {
      if (event.target instanceof Node && !element.contains(event.target)) setOpen(false);
    },
    { signal },
  );
  return element;
}

/**
 * @param {string} id
 * @param {string} label
 * @param {() => void} click
 */
const menuButton = (id, label, click) => h("button", { type: "button", id, on: { click } }, label);
