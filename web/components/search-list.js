/** A search field over a catalog: a combobox with the list of what was found below it. */

import { fill, h } from "../dom.js";

/** More than anybody scrolls through; a whole catalog would make typing slow on a phone. */
const MOST = 60;
const PAGE = 8;

/**
 * @template Entry
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {string} options.id
 * @param {string} options.label
 * @param {string} options.placeholder
 * @param {string} options.hint
 * @param {string} [options.key] the shortcut that leads here
 * @param {boolean} [options.inline] the list is always there, not over what follows
 * @param {boolean} [options.quiet] the focus alone does not open the list
 * @param {string} options.value name of what is chosen now
 * @param {(query: string, limit: number) => Entry[]} options.search
 * @param {(entry: Entry) => string} options.nameOf
 * @param {(entry: Entry, query: string) => import("../dom.js").Child[]} options.row
 * @param {(query: string) => import("../dom.js").Child[]} options.none what stands there when nothing is found
 * @param {(entry: Entry, query: string) => void} options.onChoose
 */
export function searchList({ t, id, label, placeholder, hint, key, inline = false, quiet = false, value, search, nameOf, row, none, onChoose }) {
  /** @type {Entry[]} */
  let found = [];
  let active = -1;
  let chosen = value;
  const input = h("input", {
    id: `${id}-search`,
    type: "search",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder,
    "aria-label": label,
    "aria-expanded": String(inline),
    "aria-controls": `${id}-list`,
    "aria-autocomplete": "list",
    "aria-describedby": `${id}-search-hint`,
  });
  input.value = value;
  const list = h("ul", { id: `${id}-list`, class: "picker-list", role: "listbox", "aria-label": label });
  const nothing = h("div", { class: "picker-none note" });
  const box = h("div", { class: inline ? "picker-inline" : "picker-box", hidden: !inline }, list, nothing);
  const count = h("p", { class: "visually-hidden", role: "status" });

  /** @param {boolean} open */
  const setOpen = (open) => {
    box.hidden = !open && !inline;
    input.setAttribute("aria-expanded", String(open && found.length > 0));
    if (!open) setActive(-1);
  };
  /** @param {number} index */
  const setActive = (index) => {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = index;
    const option = list.children[active];
    option?.setAttribute("aria-selected", "true");
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const queryNow = () => (input.value === chosen ? "" : input.value);
  const show = () => {
    const query = queryNow();
    found = search(query, MOST);
    fill(list, ...found.map((entry, index) => option(entry, index, query)));
    list.hidden = found.length === 0;
    nothing.hidden = found.length > 0;
    if (found.length === 0) fill(nothing, ...none(query));
    list.scrollTop = 0;
    active = -1;
    setOpen(true);
    setActive(query.trim() !== "" && found.length > 0 ? 0 : -1);
    fill(count, found.length > 0 ? t("model.search_count", { x: found.length }) : t("model.search_none"));
  };
  /** @param {Entry} entry */
  const choose = (entry) => {
    const query = queryNow();
    chosen = nameOf(entry);
    input.value = chosen;
    setOpen(false);
    onChoose(entry, query);
  };
  /**
   * @param {Entry} entry
   * @param {number} index
   * @param {string} query
   */
  const option = (entry, index, query) =>
    h(
      "li",
      {
        id: `${id}-option-${index}`,
        class: "picker-row",
        role: "option",
        "aria-selected": "false",
        on: {
          // Not the click: it comes after the field has lost the focus and the list is gone.
          pointerdown: (/** @type {PointerEvent} */ event) => event.preventDefault(),
          click: () => choose(entry),
        },
      },
      ...row(entry, query),
    );
  input.addEventListener("focus", () => {
    input.select();
    if (!quiet) show();
  });
  input.addEventListener("click", () => {
    // WebKit drops the selection made on focus when the mouse button comes up.
    if (input.value === chosen) input.select();
    if (box.hidden) show();
  });
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const last = found.length - 1;
    const moves = new Map([
      ["ArrowDown", active >= last ? 0 : active + 1],
      ["ArrowUp", active <= 0 ? last : active - 1],
      ["PageDown", Math.min(active + PAGE, last)],
      ["PageUp", Math.max(active - PAGE, 0)],
    ]);
    const move = moves.get(event.key);
    if (move !== undefined) {
      event.preventDefault();
      if (box.hidden) show();
      else setActive(move);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!box.hidden && found[active]) choose(found[active]);
    } else if (event.key === "Escape" && !inline && !(box.hidden && input.value === "")) {
      event.preventDefault(); // a dialog around it stays open
      if (box.hidden) input.value = "";
      setOpen(false);
    }
  });
  const element = h(
    "div",
    { class: "field picker" },
    h("div", { class: "label" }, label),
    h("div", { class: "input" }, input, key && h("kbd", { class: "picker-key", "aria-hidden": "true" }, key)),
    h("p", { id: `${id}-search-hint`, class: "note" }, hint),
    box,
    count,
  );
  // The button that stands where nothing was found can be reached with Tab.
  element.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && nothing.contains(relatedTarget)) return;
    setOpen(false);
    input.value = chosen;
  });
  return {
    element,
    input,
    /** @param {string} name of what is shown now; empty: not from the catalog */
    set(name) {
      chosen = name;
      input.value = name;
    },
  };
}
