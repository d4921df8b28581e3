/** The page: reads the address, loads the core, builds the view, keeps the address up to date. */

import { explainDrawer } from "./components/explain.js";
import { loadCore } from "./core.js";
import { machineStore } from "./current-machine.js";
import { modelStore } from "./current-model.js";
import { fill, h } from "./dom.js";
import { guide, loadGuide } from "./guide/guide.js";
import { pageHeader } from "./header.js";
import { browserLanguage, isLanguage, loadLanguage, translator } from "./i18n.js";
import { pageKeys } from "./keys.js";
import { changedAnswer, linkWithAnswer } from "./link.js";
import { NotLoaded, restOfPage } from "./load-rest.js";
import { peekBar } from "./peek.js";
import { applyTheme, asTheme, readPreference, writePreference } from "./preferences.js";
import { fromFragment, toFragment, writeFragment } from "./state.js";
import { TABS } from "./tabs/index.js";
import { quickTab } from "./tabs/quick/index.js";

/** @typedef {import("./i18n.js").Language} Language */
/** @typedef {import("./core-types.js").Core} Core */
/** @typedef {import("./current-model.js").ModelStore} ModelStore */
/** @typedef {import("./load-rest.js").Rest} Rest */

const ANNOUNCE_MS = 500;
/** Browsers refuse to change the address many times a second. */
const ADDRESS_MS = 200;
/** A load that takes no longer is not mentioned. */
const QUIET_MS = 400;

let address = fromFragment(location.hash);
let building = new AbortController();
/** The fragment that this page wrote last, to tell it from one that the visitor enters. */
let written = location.hash;
/** These outlive a change of the language. */
const updateNotice = h("div", { class: "wrap", id: "update-place" });
const loadNotice = h("div", { id: "load-place", role: "status" });

/** Complete once the rest of the page is here. */
const core = /** @type {Core} */ ({});
const models = modelStore(core);
const rest = restOfPage(core);
/** Of the tab in view. @type {(() => void) | undefined} */
let arrived;
/** What the visitor waits for; only the last wish counts. */
let wishes = 0;

/** @returns {Language} */
function chosenLanguage() {
  if (isLanguage(address.lang)) return address.lang;
  const stored = readPreference("language");
  return isLanguage(stored) ? stored : browserLanguage();
}

/** かんたん without a model is all that the first view can. @param {import("./state.js").State} state */
const needsRest = ({ tab, model, name }) => TABS.some(({ id }) => id === tab && id !== "quick") || model !== "" || name !== "";

/**
 * Does what needs the rest of the page, at once or when it has come. What is typed meanwhile stays.
 * @param {Language} language
 * @param {(rest: Rest) => void} wish
 */
async function withRest(language, wish) {
  const here = rest.get();
  if (here && rest.ready(language)) {
    wishes += 1;
    wish(here);
    return;
  }
  const mine = (wishes += 1);
  const t = translator(document.documentElement.lang);
  const slow = setTimeout(() => fill(loadNotice, h("p", { class: "toast" }, t("app.loading"))), QUIET_MS);
  try {
    await rest.load(language);
    clearTimeout(slow);
    fill(loadNotice);
    wholeIsHere();
    if (mine === wishes) wish(/** @type {Rest} */ (rest.get()));
  } catch (error) {
    clearTimeout(slow);
    console.warn(error);
    if (mine !== wishes) return;
    const again = h("button", { type: "button", class: "button-line", id: "load-again", on: { click: () => withRest(language, wish) } }, t("app.load_again"));
    fill(loadNotice, h("p", { class: "toast" }, h("span", {}, t("app.load_failed"), t("app.load_failed_quick")), again));
  }
}

/**
 * A core that broke off inside a question, for want of memory or by a fault, answers no more. All that
 * was typed is in the address, so a new start loses nothing.
 * @param {unknown} reason
 */
function coreBroke(reason) {
  // By its name: where a browser has no WebAssembly, as in some locked modes, there is no such class.
  if (!(reason instanceof Error && reason.name === "RuntimeError")) return;
  const t = translator(document.documentElement.lang);
  const again = h("button", { type: "button", class: "button-line", id: "start-again", on: { click: () => location.reload() } }, t("app.load_again"));
  fill(loadNotice, h("p", { class: "toast" }, h("span", {}, t("app.broke_off")), again));
}

/** Once: the tab in view may know more now, and a hosted copy is kept for use without a network. */
function wholeIsHere() {
  if ("whole" in document.documentElement.dataset) return;
  document.documentElement.dataset.whole = "";
  arrived?.();
  rest.get()?.keepOffline(translator(document.documentElement.lang), updateNotice);
}

/** @param {Language} language its words are loaded, and the rest of the page if the address needs it */
function build(language) {
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
    if (address.state !== state || location.hash !== written) return; // another address was entered
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
  const builder = rest.get()?.builders[chosen.id] ?? quickTab;
  const tab = builder({
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
  arrived = tab.arrived;
  /** A model of a file is in no link, so neither is its answer. */
  const link = () => linkWithAnswer(models.get()?.opened ? "" : (tab.document?.()?.answer ?? ""));
  const shared = (!chosen.alone && rest.get()?.bars({ t, core, models, machine, onFiles: () => switchTab("model"), link, signal })) || null;
  /** Dialogs are made when they are first opened. @param {(rest: Rest) => { element: HTMLElement, open: () => void }} make */
  const later = (make) => {
    /** @type {ReturnType<typeof make> | null} */
    let made = null;
    return () =>
      withRest(language, (here) => {
        if (!made) document.body.append((made = make(here)).element);
        made.open();
      });
  };
  const keys = shortcuts();
  const openKeys = later(({ keyList }) => keyList(t, keys));
  pageKeys({ signal, keys, onList: openKeys });
  const openEmbed = later(({ embedDialog }) => embedDialog({ t, language, state, signal }));
  const openExport = later(({ exportDialog }) =>
    exportDialog({
      t,
      result: () => tab.document?.() ?? null,
      origin: () => ({ version: MEYASU_VERSION, catalog: core.catalog_version(), hardware: core.hardware_version(), link: link() }),
    }),
  );
  const notices = h("div", { class: "wrap stack" });
  const say = (/** @type {string} */ sentence) => fill(notices, h("p", { class: "banner", role: "alert" }, sentence));
  const compare = () =>
    withRest(language, ({ addToComparison }) => {
      if (models.get()?.opened) say(t("compare.file_model"));
      else if (addToComparison(state, toFragment(state) || "v1")) switchTab("compare");
      else say(t("compare.full"));
    });
  pointOutChange(address.answer, tab, (changed) => say(changed), t, signal);
  peek = peekBar(tab, signal);
  /** @returns {import("./keys.js").Key[]} */
  function shortcuts() {
    /** @type {HTMLElement | null} */
    const search = tab.element.querySelector("#model-search");
    const openModel = search ? () => search.focus() : shared?.openModel;
    return [
      ...(openModel ? [{ key: "/", shown: "/", label: /** @type {const} */ ("keys.model"), action: openModel }] : []),
      ...(shared ? [{ key: "m", shown: "m", label: /** @type {const} */ ("keys.machine"), action: shared.openMachine }] : []),
      ...TABS.filter(({ inMenu }) => !inMenu).map(({ id, label }, index) => ({
        key: String(index + 1),
        shown: String(index + 1),
        label,
        action: () => switchTab(id),
      })),
      { key: "e", shown: "e", label: /** @type {const} */ ("keys.largest"), action: openLargest },
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
  const switchLanguage = (/** @type {Language} */ next) =>
    withRest(next, () => {
      address = { ...address, lang: "", bad: [] };
      writePreference("language", next);
      build(next);
      document.getElementById("lang-toggle")?.focus();
    });

  /** @param {string} id */
  const switchTab = (id) =>
    withRest(language, () => {
      state.tab = id;
      history.pushState(null, "", `#${toFragment(state)}`);
      written = location.hash;
      build(language);
      (document.getElementById(`tab-${id}`) ?? tabPanel(id))?.focus();
    });

  document.body.replaceChildren(
    h("a", { class: "skip", href: `#${tab.element.id}`, on: { click: skip } }, t("app.skip")),
    pageHeader({
      t,
      language,
      onLanguage: switchLanguage,
      actions: [
        ...(tab.document ? [{ id: "export", label: /** @type {const} */ ("app.menu.export"), action: openExport }, { id: "compare-add", label: /** @type {const} */ ("compare.add"), action: compare }] : []),
        { id: "embed", label: "app.menu.embed", action: openEmbed },
        { id: "print", label: "app.menu.print", action: () => window.print() },
        { id: "keys", label: "keys.title", action: openKeys },
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
    loadNotice,
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

/** A first touch is when the rest begins to come: before a finger lifts or a word is typed. */
const TOUCHES = ["pointerdown", "keydown", "focusin", "dragenter"];

function awaitTouch() {
  const touched = new AbortController();
  const touch = () => {
    touched.abort();
    if (wishes === 0) withRest(document.documentElement.lang, () => {}); // or it is coming already
  };
  for (const type of TOUCHES) addEventListener(type, touch, { capture: true, signal: touched.signal });
}

/** The fragment was changed by hand, by a link or by going back. */
function follow() {
  if (location.hash === written) return;
  written = location.hash;
  const next = fromFragment(location.hash);
  const show = () => {
    address = next;
    build(chosenLanguage());
  };
  address.lang = next.lang;
  const language = chosenLanguage();
  if (needsRest(next.state) || language !== document.documentElement.lang) withRest(language, show);
  else {
    wishes += 1;
    show();
  }
}

async function start() {
  addEventListener("error", ({ error }) => coreBroke(error));
  addEventListener("unhandledrejection", ({ reason }) => coreBroke(reason));
  applyTheme(asTheme(address.theme || readPreference("theme")));
  const language = chosenLanguage();
  try {
    if (MEYASU_SINGLE_FILE || needsRest(address.state)) await rest.load(language);
    else {
      const [small] = await Promise.all([loadCore("./core-quick.js"), loadLanguage(language), loadGuide(language)]);
      Object.assign(core, small);
    }
    build(language);
    if (rest.get()) wholeIsHere();
    else awaitTouch();
    addEventListener("hashchange", follow);
  } catch (error) {
    document.documentElement.lang = language;
    console.error(error);
    try {
      await loadLanguage(language);
    } catch {
      document.getElementById("no-words")?.removeAttribute("hidden"); // those of the page itself
      return;
    }
    const t = translator(language);
    const again = h("button", { type: "button", class: "button-line", on: { click: () => location.reload() } }, t("app.load_again"));
    const sentence = error instanceof NotLoaded ? [t("app.load_failed"), " ", again] : [t("error.no_wasm")];
    document.body.replaceChildren(h("main", { class: "wrap" }, h("p", { class: "banner", role: "alert" }, sentence)));
  }
}

start();
