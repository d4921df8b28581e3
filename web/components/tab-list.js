/** The row of tabs: arrow keys, Home and End move between them, only the current one is a stop. */

import { h } from "../dom.js";

/**
 * @param {object} options
 * @param {string} options.label
 * @param {{ id: string, label: string }[]} options.tabs
 * @param {string} options.current
 * @param {(id: string) => void} options.onSelect
 */
export function tabList({ label, tabs, current, onSelect }) {
  // None is current while a view of the menu is shown: the first is the stop then.
  const at = Math.max(tabs.findIndex(({ id }) => id === current), 0);
  /** @param {KeyboardEvent} event */
  const keydown = (event) => {
    const last = tabs.length - 1;
    const targets = new Map([
      ["ArrowLeft", at === 0 ? last : at - 1],
      ["ArrowRight", at === last ? 0 : at + 1],
      ["Home", 0],
      ["End", last],
    ]);
    const target = targets.get(event.key);
    // With Alt or Cmd an arrow is the browser's: back and forward.
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onSelect(tabs[target].id);
  };
  return h(
    "div",
    { class: "tabs", role: "tablist", "aria-label": label, on: { keydown } },
    tabs.map((tab, index) =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${tab.id}`,
          class: "tab",
          "aria-selected": String(tab.id === current),
          "aria-controls": `panel-${tab.id}`,
          tabindex: index === at ? "0" : "-1",
          on: { click: () => onSelect(tab.id) },
        },
        tab.label,
      ),
    ),
  );
}
