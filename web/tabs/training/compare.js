/** The ways to train one model beside each other, and how many cards of each kind it takes. */

import { deviceTitle } from "../../bars/words.js";
import { explainTerm } from "../../components/explain.js";
import { fill, h } from "../../dom.js";
import { gb, gibParts, soldGb, whole } from "../../format.js";
import { verdictIcon } from "../inference/verdict.js";

/** @typedef {import("../../core-types.js").TrainingWays} TrainingWays */
/** @typedef {import("../../core-types.js").TrainingDevices} TrainingDevices */

/** @param {string} name @param {number} memory */
const shortTitle = (name, memory) => deviceTitle(/** @type {any} */ ({ name, memory }));

/**
 * @param {import("../../i18n.js").Translate} t
 * @param {(way: TrainingWays["rows"][number], words: string) => void} onChoose
 */
export function ways(t, onChoose) {
  const note = h("p", { class: "note" });
  const list = h("ul", { class: "runtimes", id: "train-ways" });
  return {
    element: h("section", { class: "card stack train-result", "aria-labelledby": "ways-title" }, h("div", { class: "title-row" }, h("h2", { id: "ways-title" }, t("train.ways")), note), list),
    /** @param {TrainingWays} found @param {string} length */
    show({ rows, cards }, length) {
      const most = Math.max(...rows.map(({ bytes }) => bytes), ...cards.map(({ usable }) => usable)) * 1.02;
      fill(note, t("train.ways_note", { x: length, y: cards.map(({ name, memory }) => shortTitle(name, memory)).join(t("infer.comma")) }));
      fill(
        list,
        ...rows.map((row) => {
          const name = t(/** @type {any} */ (`train.way_${row.id}`));
          const card = cards.find(({ id }) => id === row.card);
          const verdict = card ? "fits" : "over";
          const words = card ? t("train.way_fits", { x: shortTitle(card.name, card.memory) }) : t("train.way_none", { x: soldGb(cards[cards.length - 1].memory) });
          const bar = h("span", { class: "runtime-bar" });
          bar.style.width = `${((row.bytes / most) * 100).toFixed(2)}%`;
          const marks = cards.map(({ usable }) => {
            const mark = h("span", { class: "runtime-mark" });
            mark.style.left = `${((usable / most) * 100).toFixed(2)}%`;
            return mark;
          });
          const { value, unit } = gibParts(row.bytes);
          return h(
            "li",
            {},
            h(
              "button",
              { type: "button", class: "runtime", id: `way-${row.id}`, on: { click: () => onChoose(row, name) } },
              h("span", { class: "runtime-name" }, h("strong", {}, name), h("span", { class: "note" }, t(/** @type {any} */ (`train.way_${row.id}_note`)))),
              h("span", { class: "runtime-lane", "aria-hidden": "true" }, bar, ...marks),
              h("span", { class: "runtime-amount" }, h("span", {}, h("strong", {}, value), ` ${unit}`), h("span", { class: `runtime-words verdict-${verdict}` }, verdictIcon(verdict), ` ${words}`)),
            ),
          );
        }),
      );
    },
  };
}

/** The example of the ZeRO paper. */
const PAPER = { parameters: 7.5e9, ranks: 64 };

/**
 * Table 1 of the ZeRO paper, and the same for the model and the GPUs of this page.
 * @param {import("../../i18n.js").Translate} t
 * @param {import("../../core-types.js").Core} core
 * @param {(explanation: import("../../components/explain.js").Explanation) => void} explain
 */
export function zeroTable(t, core, explain) {
  const body = h("tbody");
  const own = h("th", { scope: "col" });
  /** @param {import("../../core-types.js").Term} term @param {string} where */
  const number = (term, where) => {
    const name = t(/** @type {any} */ (`train.data_parallel.${term.device}`));
    const open = () => explain({ ...explainTerm(term, `${t("train.zero")} ${name}`, t("train.zero_moves"), t), source: term.source });
    return h("td", {}, h("button", { type: "button", class: "button-line", id: `zero-${where}-${term.device}`, "aria-label": `${gb(term.bytes)} ${name}`, on: { click: open } }, gb(term.bytes)));
  };
  return {
    element: h(
      "section",
      { class: "card stack train-result", "aria-labelledby": "zero-title" },
      h("h2", { id: "zero-title" }, t("train.zero")),
      h("p", { class: "lead" }, t("train.zero_lead")),
      h("div", { class: "scroll" }, h("table", { class: "data", id: "zero" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("train.data_parallel")), h("th", { scope: "col" }, t("train.zero_paper")), own)), body)),
    ),
    /** @param {number} count of parameters @param {number} ranks @param {string} model */
    show(count, ranks, model) {
      fill(own, t("train.zero_own", { x: model, y: whole(ranks) }));
      const mine = core.zero_table(count, ranks);
      fill(
        body,
        ...core.zero_table(PAPER.parameters, PAPER.ranks).map((term, at) =>
          h("tr", {}, h("th", { scope: "row" }, t(/** @type {any} */ (`train.data_parallel.${term.device}`))), number(term, "paper"), number(mine[at], "own")),
        ),
      );
    },
  };
}

/** @param {import("../../i18n.js").Translate} t */
export function cardTable(t) {
  const body = h("tbody");
  return {
    element: h(
      "section",
      { class: "card stack train-result", "aria-labelledby": "cards-title" },
      h("h2", { id: "cards-title" }, t("train.cards")),
      h("p", { class: "lead" }, t("train.cards_lead")),
      h(
        "div",
        { class: "scroll" },
        h(
          "table",
          { class: "devices", id: "train-cards" },
          h("thead", {}, h("tr", {}, ["devices.device", "train.cards_n"].map((id) => h("th", { scope: "col" }, t(/** @type {any} */ (id)))))),
          body,
        ),
      ),
    ),
    /** @param {TrainingDevices[]} rows */
    show(rows) {
      fill(
        body,
        ...rows.map((row) => {
          const verdict = row.n > 0 ? "fits" : "over";
          const words = row.n === 0 ? t("train.cards_none") : t(row.sharded ? "train.cards_sharded" : "train.cards_count", { x: whole(row.n) });
          return h(
            "tr",
            {},
            h("th", { scope: "row" }, deviceTitle(/** @type {any} */ (row))),
            h("td", { class: `verdict-${verdict}` }, verdictIcon(verdict), ` ${words}`),
          );
        }),
      );
    },
  };
}
