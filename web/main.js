/** The page: reads the address, loads the core, builds the view, keeps the address up to date. */

import { bars } from "./bars/index.js";
import { explainDrawer } from "./components/explain.js";
import { loadCore } from "./core.js";
import { machineStore } from "./current-machine.js";
import { modelStore } from "./current-model.js";
import { fill, h } from "./dom.js";
import { embedDialog } from "./embed/generator.js";
import { guide } from "./guide/guide.js";
import { pageHeader } from "./header.js";
import { browserLanguage, isLanguage, translator } from "./i18n.js";
import { pageKeys } from "./keys.js";
import { changedAnswer, linkWithAnswer } from "./link.js";
import { keepOffline } from "./offline/register.js";
import { peekBar } from "./peek.js";
import { exportDialog } from "./results/export-dialog.js";
import { applyTheme, asTheme, readPreference, writePreference } from "./preferences.js";
import { fromFragment, toFragment, writeFragment } from "./state.js";
import { addToComparison } from "./tabs/compare/index.js";
import { TABS } from "./tabs/index.js";

/** @typedef {import("./i18n.js").Language} Language */
/** @typedef {import("./core-types.js").Core} Core */
/** @typedef {import("./current-model.js").ModelStore} ModelStore */

const ANNOUNCE_MS = 500;
/** Browsers refuse to change the address many times a second. */
const ADDRESS_MS = 200;

let address = fromFragment(location.hash);
let building = new AbortController();
/** The fragment that this page wrote last, to tell it from one that the visitor enters. */
let written = location.hash;
/** Outlives a change of the language. */
const updateNotice = h("div", { class: "wrap", id: "update-place" });

/** @returns {Language} */
function chosenLanguage() {
  if (isLanguage(address.lang)) return address.lang;
  const stored = readPreference("language");
  return isLanguage(stored) ? stored : browserLanguage();
}

/**
 * @param {Core} core
 * @param {ModelStore} models
 * @param {Language} language
 */
function build(core, models, language) {
  building.abort();
  building = new AbortController();
  const { signal } = building;
  const { state, bad } = address;
  const t = translator(language);
  document.documentElement.lang = language;
  document.title = t("app.document_title");

  const drawer = explainDrawer(t);
  const status = h("p", { class: "visually-hidden", role: "status" });
  const printLink = h("p", { class: "print-only note" });
  const announce = debounced((/** @type {string} */ sentence) => fill(status, sentence), ANNOUNCE_MS);
  const saveLater = debounced(() => saveAddress(), ADDRESS_MS);
  let savedAt = 0;
  const saveAddress = () => {
    if (`#${toFragment(state)}` === (location.hash || "#")) return;
    if (performance.now() - savedAt < ADDRESS_MS) {
      saveLater();
      return;
    }
    savedAt = performance.now();
    writeFragment(state);
    written = location.hash;
    fill(printLink, t("app.print_link", { x: location.href }));
  };
  /** @type {ReturnType<typeof peekBar> | null} */
  let peek = null;

  const guideView = guide({ t, language });
  const chosen = TABS.find(({ id }) => id === state.tab) ?? TABS[0];
  if (chosen.id !== state.tab) bad.push(`tab=${state.tab}`.slice(0, 40));
  state.tab = chosen.id;
  if (!models.follow(state.model)) {
    bad.push(`m=${state.model}`.slice(0, 40));
    state.model = "";
  }
  const machine = machineStore(core, state.machine);
  const tab = chosen.build({
    language,
    t,
    core,
    models,
    machine,
    state,
    explain: drawer.open,
    announce,
    openGuide: guideView.open,
    signal,
    onTab: (id) => switchTab(id),
    onChange() {
      saveAddress();
      peek?.update();
    },
  });
  models.subscribe(() => {
    state.model = models.get()?.entry?.id ?? "";
    saveAddress();
    peek?.update();
  }, signal);
  machine.subscribe(saveAddress, signal);
  /** A model of a file is in no link, so neither is its answer. */
  const link = () => linkWithAnswer(models.get()?.opened ? "" : (tab.document?.()?.answer ?? ""));
  const shared = chosen.alone
    ? null
    : bars({ t, core, models, machine, onFiles: () => switchTab("model"), link, signal });
  const keys = pageKeys({ t, signal, keys: shortcuts() });
  const embed = embedDialog({ t, language, state, signal });
  const exports = exportDialog({
    t,
    result: () => tab.document?.() ?? null,
    origin: () => ({ version: MEYASU_VERSION, catalog: core.catalog_version(), hardware: core.hardware_version(), link: link() }),
  });
  const notices = h("div", { class: "wrap stack" });
  const say = (/** @type {string} */ sentence) => notices.append(h("p", { class: "banner", role: "alert" }, sentence));
  const compare = () => {
    if (models.get()?.opened) say(t("compare.file_model"));
    else if (addToComparison(state, toFragment(state) || "v1")) switchTab("compare");
    else say(t("compare.full"));
  };
  pointOutChange(address.answer, tab, (changed) => say(changed), t, signal);
  peek = peekBar(tab, signal);
  function shortcuts() {
    /** @type {HTMLElement | null} */
    const search = tab.element.querySelector("#model-search");
    const openModel = search ? () => search.focus() : shared?.openModel;
    return [
      ...(openModel ? [{ key: "/", shown: "/", words: t("keys.model"), action: openModel }] : []),
      ...(shared ? [{ key: "m", shown: "m", words: t("keys.machine"), action: shared.openMachine }] : []),
      ...TABS.filter(({ inMenu }) => !inMenu).map(({ id, label }, index) => ({
        key: String(index + 1),
        shown: String(index + 1),
        words: t(label),
        action: () => switchTab(id),
      })),
      { key: "e", shown: "e", words: t("keys.largest"), action: openLargest },
    ];
  }
  /** Every number of the tab that stands for a term is a button with data-bytes. */
  function openLargest() {
    const terms = /** @type {HTMLElement[]} */ ([...tab.element.querySelectorAll("button[data-bytes]")]);
    const [largest] = terms.sort((a, b) => Number(b.dataset.bytes) - Number(a.dataset.bytes));
    largest?.focus();
    largest?.click();
  }
  /** The fragment is the state of the page, so the skip link moves the focus by itself. */
  const skip = (/** @type {Event} */ event) => {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (tab.element.querySelector("input, select"))?.focus();
  };
  const switchLanguage = () => {
    const next = language === "ja" ? "en" : "ja";
    address = { ...address, lang: "", bad: [] };
    writePreference("language", next);
    build(core, models, next);
    document.getElementById("lang-toggle")?.focus();
  };

  /** @param {string} id */
  const switchTab = (id) => {
    state.tab = id;
    history.pushState(null, "", `#${toFragment(state)}`);
    written = location.hash;
    build(core, models, language);
    (document.getElementById(`tab-${id}`) ?? tabPanel(id))?.focus();
  };

  document.body.replaceChildren(
    h("a", { class: "skip", href: `#${tab.element.id}`, on: { click: skip } }, t("app.skip")),
    pageHeader({
      t,
      language,
      onLanguage: switchLanguage,
      actions: [
        ...(tab.document ? [{ id: "export", label: /** @type {const} */ ("app.menu.export"), action: exports.open }, { id: "compare-add", label: /** @type {const} */ ("compare.add"), action: compare }] : []),
        { id: "embed", label: "app.menu.embed", action: embed.open },
        { id: "print", label: "app.menu.print", action: () => window.print() },
        { id: "keys", label: "keys.title", action: keys.open },
      ],
      link,
      tab: chosen.id,
      onTab: switchTab,
      signal,
    }),
    ...(shared ? [shared.element] : []),
    notices,
    updateNotice,
    h(
      "main",
      { class: "wrap", id: "main" },
      ...bad.map((part) => h("p", { class: "banner", role: "alert" }, t("error.link_bad", { x: part }))),
      tab.element,
      guideView.element,
    ),
    h(
      "footer",
      { class: "wrap footer" },
      h("p", { class: "note" }, t("app.footer", { version: MEYASU_VERSION })),
      printLink,
    ),
    status,
    peek.element,
    drawer.element,
    embed.element,
    exports.element,
    keys.element,
    ...(shared?.dialogs ?? []),
  );
  fill(printLink, t("app.print_link", { x: location.href }));
  document.documentElement.dataset.ready = "";
}

/**
 * Says so when the answer is another than the one that the link carries; searches take a moment.
 * @param {string} carried
 * @param {import("./tabs/index.js").TabView} tab
 * @param {(sentence: string) => void} say
 * @param {import("./i18n.js").Translate} t
 * @param {AbortSignal} signal
 */
async function pointOutChange(carried, tab, say, t, signal) {
  address.answer = "";
  for (let waits = 0; carried !== "" && waits < 50 && !signal.aborted; ++waits) {
    const answer = tab.document?.()?.answer;
    if (answer !== undefined) {
      const changed = changedAnswer(carried, answer);
      if (changed) say(t("link.changed", { a: changed.before, b: answer, v: changed.version }));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What is reached through the menu has no tab: its heading takes the focus. @param {string} id */
function tabPanel(id) {
  const heading = /** @type {HTMLElement | null} */ (document.querySelector(`#panel-${id} h1`));
  heading?.setAttribute("tabindex", "-1");
  return heading;
}

/**
 * @template {unknown[]} Arguments
 * @param {(...values: Arguments) => void} action
 * @param {number} delay
 */
function debounced(action, delay) {
  let timer = 0;
  return (/** @type {Arguments} */ ...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), delay);
  };
}

async function start() {
  applyTheme(asTheme(address.theme || readPreference("theme")));
  const language = chosenLanguage();
  try {
    const core = await loadCore();
    const models = modelStore(core);
    build(core, models, language);
    keepOffline(translator(language), updateNotice);
    addEventListener("hashchange", () => {
      if (location.hash === written) return;
      written = location.hash;
      address = fromFragment(location.hash);
      build(core, models, chosenLanguage());
    });
  } catch (error) {
    document.documentElement.lang = language;
    const sentence = h("p", { class: "banner", role: "alert" }, translator(language)("error.no_wasm"));
    document.body.replaceChildren(h("main", { class: "wrap" }, sentence));
    console.error(error);
  }
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
else start();
