/** A map: rows and columns of choices, each cell says what fits and applies it when pressed. */

import { fill, h } from "../../dom.js";
import { verdictIcon } from "./verdict.js";

/**
 * @typedef {object} Cell
 * @property {import("./verdict.js").Shown | null} verdict null: the runtime refuses it
 * @property {string} label
 * @property {string} words what a screen reader says
 * @property {boolean} current
 * @property {() => void} apply
 */

/**
 * @param {object} options
 * @param {string} options.id cells are "<id>-<row>-<column>"
 * @param {string} options.caption
 * @param {string} options.corner
 */
export function map({ id, caption, corner }) {
  const head = h("thead");
  const body = h("tbody");
  const element = h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "map", id }, h("caption", { class: "visually-hidden" }, caption), head, body),
  );
  return {
    element,
    /**
     * @param {string[]} columns
     * @param {{ name: string, cells: Cell[] }[]} rows
     */
    update(columns, rows) {
      fill(
        head,
        h(
          "tr",
          {},
          h("td", {}, corner),
          columns.map((name) => h("th", { scope: "col" }, name)),
        ),
      );
      fill(
        body,
        ...rows.map(({ name, cells }, row) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            cells.map((cell, column) => h("td", {}, button(`${id}-${row}-${column}`, cell))),
          ),
        ),
      );
    },
  };
}

/**
 * @param {string} id
 * @param {Cell} cell
 */
function button(id, { verdict, label, words, current, apply }) {
  if (verdict === null) return h("span", { class: "cell cell-none" }, label);
  return h(
    "button",
    {
      type: "button",
      id,
      class: `cell cell-${verdict}`,
      "aria-label": words,
      "aria-pressed": String(current),
      on: { click: apply },
    },
    verdictIcon(verdict),
    h("span", {}, label),
  );
}
