/** A model's file name: typed, pasted or dropped; chips say what was recognised and doubted. */

import { rich } from "../../components/rich.js";
import { fill, h } from "../../dom.js";
import { coreSentence } from "../../i18n.js";

/** @typedef {import("../../i18n.js").Translate} Translate */
/** @typedef {import("../../core-types.js").ModelNameReading} ModelNameReading */
/** @typedef {import("../../core-types.js").NameNote} NameNote */

const PAUSE_MS = 300;

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {string} options.value
 * @param {(text: string) => ModelNameReading} options.read
 * @param {(reading: ModelNameReading, text: string) => void} options.onRead the typing has paused
 * @param {() => void} options.onEnter
 * @param {(text: string) => import("../../core-types.js").CatalogEntry | null} options.entryOf
 * @param {(entry: import("../../core-types.js").CatalogEntry) => void} options.onEntry
 */
export function nameCard({ t, value, read, onRead, onEnter, entryOf, onEntry }) {
  const input = h("input", {
    id: "name-input",
    type: "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder: t("name.placeholder"),
    "aria-labelledby": "name-title",
    "aria-describedby": "name-hint",
  });
  input.value = value;
  const chips = h("ul", {
    id: "name-chips",
    class: "chips",
    "aria-label": t("name.chips"),
    "aria-live": "polite",
  });
  const inCatalog = h("p", { class: "name-catalog", id: "name-catalog", hidden: true });
  let pause = 0;
  let settled = value;

  const showChips = () => {
    const text = input.value;
    fill(chips, text.trim() === "" ? [] : read(text).notes.map((note) => chip(note, t)));
    const entry = entryOf(text);
    inCatalog.hidden = entry === null;
    fill(
      inCatalog,
      entry && `${t("name.in_catalog", { x: entry.name })} `,
      entry && h("button", { type: "button", class: "link", on: { click: () => onEntry(entry) } }, t("name.open_in_catalog")),
    );
  };
  const settle = () => {
    clearTimeout(pause);
    if (input.value === settled) return;
    settled = input.value;
    onRead(read(settled), settled);
  };
  input.addEventListener("input", (event) => {
    showChips();
    clearTimeout(pause);
    const pasted = /** @type {InputEvent} */ (event).inputType === "insertFromPaste";
    if (pasted) settle();
    else pause = setTimeout(settle, PAUSE_MS);
  });
  input.addEventListener("blur", settle);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    settle();
    onEnter();
  });
  showChips();

  return {
    element: h(
      "section",
      { class: "card stack", "aria-labelledby": "name-title" },
      h("h2", { id: "name-title", class: "card-title" }, t("name.title")),
      h("div", { class: "input input-name" }, input),
      h("p", { id: "name-hint", class: "note" }, t("name.hint")),
      chips,
      inCatalog,
    ),
    refresh: showChips,
    /** @param {string} text a name that was dropped */
    set(text) {
      input.value = text;
      showChips();
      settle();
    },
  };
}

/**
 * @param {NameNote} note
 * @param {Translate} t
 */
function chip({ id, level, match, value }, t) {
  const sentence = coreSentence(t, "note", id, { x: match, v: value });
  return h("li", { class: `chip chip-${level}`, "data-note": id }, ...rich(sentence, t));
}
