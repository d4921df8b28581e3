/** Which models of the catalog run on this machine, in which format, at which context. */

import { fill, h } from "../../dom.js";
import { namedSize, searchable, whole } from "../../format.js";
import { shortContext } from "./chart.js";
import { map } from "./map.js";

const CONTEXTS = [4096, 8192, 32768, 131072];
const FIRST_ROWS = 15;

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {import("../../core-types.js").Core} options.core
 * @param {() => object} options.question the options of an estimate; model, context and mix are ours
 * @param {(choice: { model: string, mix: string, context: number }, words: string) => void} options.onChoose
 * @param {AbortSignal} options.signal
 */
export function fitMap({ t, core, question, onChoose, signal }) {
  /** @typedef {{ id: string, name: string, params_total: number, cells: (import("../../core-types.js").FormatFit | null)[] }} Row */
  /** @type {Row[]} */
  let rows = [];
  let known = "";
  let round = 0;
  let all = false;
  let text = "";

  const grid = map({ id: "fit-map", caption: t("fitmap.title"), corner: "" });
  const said = h("p", { class: "note", id: "fit-map-said", role: "status" });
  const filter = h("input", {
    type: "search",
    id: "fit-map-filter",
    autocomplete: "off",
    "aria-label": t("fitmap.filter"),
    placeholder: t("fitmap.filter"),
    on: {
      input() {
        text = searchable(filter.value);
        draw();
      },
    },
  });
  const more = h("button", { type: "button", class: "button-line", hidden: true, on: { click: () => ((all = true), draw()) } }, t("devices.more"));
  const details = h(
    "details",
    { class: "card", id: "fit-map-card" },
    h("summary", {}, h("h2", {}, t("fitmap.title"))),
    h("div", { class: "stack" }, h("p", { class: "lead" }, t("fitmap.lead")), h("div", { class: "row" }, filter), grid.element, said, h("div", { class: "row" }, more)),
  );
  details.addEventListener("toggle", () => details.open && calculate());

  function draw() {
    const fitting = rows.filter(({ name, cells }) => cells.some(Boolean) && searchable(name).includes(text));
    const shown = all ? fitting : fitting.slice(0, FIRST_ROWS);
    more.hidden = shown.length === fitting.length;
    fill(said, t("fitmap.count", { x: whole(fitting.length), y: whole(rows.length) }));
    grid.update(
      CONTEXTS.map(shortContext),
      shown.map((row) => ({
        name: `${row.name} (${namedSize(row.params_total / 1e9)})`,
        cells: row.cells.map((fit, at) => {
          const words = `${row.name}, ${shortContext(CONTEXTS[at])}: ${fit ? `${fit.mix}, ${t(`verdict.${fit.verdict}`)}` : t("verdict.over")}`;
          return {
            verdict: fit ? fit.verdict : null,
            label: fit ? fit.mix : "✕",
            words,
            current: false,
            apply: () => fit && onChoose({ model: row.id, mix: fit.mix, context: CONTEXTS[at] }, `${row.name} ${fit.mix}`),
          };
        }),
      })),
    );
  }

  /** Some models a turn, so that the page keeps answering. */
  async function calculate() {
    const options = question();
    const key = JSON.stringify(options);
    const mine = (round += 1); // ends what is being calculated for another question
    if (key === known) return draw();
    /** @type {Row[]} */
    const found = [];
    const entries = core.catalog_search("", 10_000).filter(({ has_shape }) => has_shape);
    for (const { id, name, params_total } of entries) {
      if (found.length % 4 === 0) {
        fill(said, t("fitmap.busy", { x: whole(found.length), y: whole(entries.length) }));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      if (mine !== round || signal.aborted) return;
      const model = core.catalog_model(id);
      if (!model.ok) continue;
      const fits = core.best_formats(model.value, options, CONTEXTS);
      model.value.delete();
      if (!fits.ok) {
        fill(said, t("fitmap.refused"));
        return;
      }
      found.push({ id, name, params_total, cells: fits.value });
    }
    rows = found.sort((a, b) => b.params_total - a.params_total);
    known = key;
    draw();
  }

  return {
    element: details,
    update() {
      if (details.open) calculate();
    },
  };
}
