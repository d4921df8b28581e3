/** Which devices run this model, how many of each; sorted by capacity, margin or speed. */

import { deviceTitle } from "../../bars/words.js";
import { fill, h } from "../../dom.js";
import { gib, rate, searchable, soldGb, whole } from "../../format.js";
import { verdictIcon } from "./verdict.js";

/** @typedef {import("../../core-types.js").DeviceChoice} DeviceChoice */
/** @typedef {"capacity" | "margin" | "tok_s"} SortKey */

const FIRST_ROWS = 12;

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {(choice: DeviceChoice, words: string) => void} options.onChoose
 */
export function deviceTable({ t, onChoose }) {
  /** @type {DeviceChoice[]} */
  let choices = [];
  /** @type {SortKey} */
  let key = "capacity";
  let down = false;
  let all = false;
  let text = "";

  const lead = h("p", { class: "lead" });
  const body = h("tbody");
  const said = h("p", { class: "note", role: "status" });
  const filter = h("input", {
    type: "search",
    id: "devices-filter",
    autocomplete: "off",
    "aria-label": t("devices.filter"),
    placeholder: t("devices.filter"),
    on: {
      input() {
        text = searchable(filter.value);
        draw();
      },
    },
  });
  const more = h("button", { type: "button", class: "button-line", id: "devices-more", on: { click: () => ((all = true), draw()) } }, t("devices.more"));

  /** @type {Map<SortKey, HTMLTableCellElement>} */
  const heads = new Map();
  /**
   * @param {SortKey} by
   * @param {string} name
   */
  const sortable = (by, name) => {
    const cell = h("th", { scope: "col" }, h("button", { type: "button", class: "link", id: `devices-by-${by}`, on: { click: () => sortBy(by) } }, name));
    heads.set(by, cell);
    return cell;
  };
  /** Sizes ascend at first, the rest descends. @param {SortKey} by */
  function sortBy(by) {
    down = key === by ? !down : by !== "capacity";
    key = by;
    draw();
  }

  const table = h(
    "table",
    { class: "devices", id: "devices" },
    h("caption", { class: "visually-hidden" }, t("devices.title")),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, t("devices.device")),
        sortable("capacity", t("devices.capacity")),
        sortable("margin", t("devices.margin")),
        sortable("tok_s", t("devices.speed")),
        h("td", {}),
      ),
    ),
    body,
  );
  const element = h(
    "section",
    { class: "card stack", "aria-labelledby": "devices-title" },
    h("h2", { id: "devices-title" }, t("devices.title")),
    lead,
    h("div", { class: "row" }, filter),
    h("div", { class: "scroll" }, table),
    said,
    h("div", { class: "row" }, more),
  );

  /** @param {DeviceChoice} choice */
  function titleOf(choice) {
    const title = `${choice.vendor === "NVIDIA" ? "" : `${choice.vendor} `}${deviceTitle(/** @type {any} */ (choice))}`;
    return choice.n > 1 ? `${whole(choice.n)} × ${title}` : title;
  }

  function draw() {
    const fitting = choices
      .filter((choice) => choice.verdict !== "over" && searchable(titleOf(choice)).includes(text))
      .sort((a, b) => (down ? b[key] - a[key] : a[key] - b[key]));
    for (const [by, cell] of heads) cell.setAttribute("aria-sort", by !== key ? "none" : down ? "descending" : "ascending");
    const shown = all ? fitting : fitting.slice(0, FIRST_ROWS);
    more.hidden = shown.length === fitting.length;
    fill(said, fitting.length === 0 ? t("devices.none") : t("devices.count", { x: whole(shown.length), y: whole(fitting.length) }));
    fill(
      body,
      ...shown.map((choice) => {
        const title = titleOf(choice);
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, title),
          h("td", {}, `${soldGb(choice.capacity)}\u00a0GB`),
          h("td", { class: `verdict-${choice.verdict}` }, verdictIcon(choice.verdict), h("span", { class: "visually-hidden" }, t(`verdict.${choice.verdict}_word`)), ` ${gib(choice.margin)}`),
          h("td", {}, choice.tok_s > 0 ? [rate(choice.tok_s), h("span", { class: "note" }, ` ${t("infer.range", { a: rate(choice.tok_s_low), b: rate(choice.tok_s_high) })}`)] : "–"),
          h(
            "td",
            {},
            h("button", { type: "button", class: "button-line", id: `devices-${choice.id}-${choice.memory}`, "aria-label": t("devices.use_this", { x: title }), on: { click: () => onChoose(choice, title) } }, t("devices.use")),
          ),
        );
      }),
    );
  }

  return {
    element,
    /** @param {DeviceChoice[]} found @param {boolean} server */
    show(found, server) {
      choices = found;
      fill(lead, t(server ? "devices.lead_server" : "devices.lead"));
      draw();
    },
  };
}
