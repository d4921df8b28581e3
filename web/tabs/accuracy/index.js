/** The page 精度: measured tables, how near the estimates come, and what could not be estimated. */

import { copyButton } from "../../components/copy.js";
import { rich } from "../../components/rich.js";
import { fill, h } from "../../dom.js";
import { gib, mib, percent, plain, whole as count } from "../../format.js";
import { coreSentence } from "../../i18n.js";
import { binNames, histogram, scatter, strip } from "./plots.js";
import { tables, whole } from "./report.js";

/** @typedef {import("./report.js").Figures} Figures */
/** @typedef {import("./report.js").Table} Table */

const FIRST_MODELS = 15;
const GIB = 1024 ** 3;

/** An error in percent, three digits. @param {number} value */
const error = (value) => `${value === 0 ? "0" : plain(Number(value.toPrecision(3)))}\u00a0%`;

/**
 * @param {import("../../context.js").Context} context
 * @returns {import("../index.js").TabView}
 */
export function accuracyTab({ t, state, onChange }) {
  const inputs = state.tabs.acc;
  const place = h("div", { class: "stack acc-table" });
  const overview = h("tbody");
  let allModels = false;

  const titleOf = (/** @type {Table} */ table) => coreSentence(t, "acc.table", table.id, {}, table.file);
  const nameOf = (/** @type {{ component: string, set: string }} */ group) => {
    const name = coreSentence(t, "acc.component", group.component);
    return group.set ? `${name} (${coreSentence(t, "acc.set", group.set)})` : name;
  };
  const keyOf = (/** @type {{ component: string, set: string }} */ group) => `${group.component}/${group.set}`;
  const amount = (/** @type {number} */ value, /** @type {string} */ unit) =>
    unit === "B" ? (value < GIB ? mib(value) : gib(value)) : `${plain(value)}${unit === "" || unit === "count" ? "" : `\u00a0${unit}`}`;

  const head = (/** @type {string} */ first) =>
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, first),
        ["acc.n", "acc.median", "acc.p95", "acc.max", "acc.within"].map((id) => h("th", { scope: "col" }, t(/** @type {any} */ (id)))),
        h("th", { scope: "col" }, t("acc.spread")),
      ),
    );
  const cells = (/** @type {Figures} */ figures) => [
    h("td", {}, count(figures.n)),
    h("td", {}, error(figures.median)),
    h("td", {}, error(figures.p95)),
    h("td", {}, error(figures.max)),
    h("td", {}, percent(figures.within)),
    h("td", {}, strip(figures.bins)),
  ];
  /**
   * @param {string} caption
   * @param {...import("../../dom.js").Child} content
   */
  const dataTable = (caption, ...content) =>
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      h("table", { class: "data acc" }, h("caption", { class: "visually-hidden" }, caption), ...content),
    );

  /** @param {Partial<Record<"at" | "ag", string>>} changes */
  function choose(changes) {
    Object.assign(inputs, changes);
    allModels = false;
    onChange();
    show();
  }

  /** On a phone what it shows lies below the list. @param {string} id */
  function chooseTable(id) {
    choose({ at: id, ag: "" });
    place.querySelector("h2")?.scrollIntoView({ block: "nearest" });
  }

  function show() {
    const table = tables.find(({ id }) => id === inputs.at) ?? tables[0];
    fill(
      overview,
      ...tables.map((row) =>
        h(
          "tr",
          {},
          h(
            "th",
            { scope: "row" },
            h("button", { type: "button", class: "link", id: `acc-${row.id}`, "aria-pressed": String(row === table), on: { click: () => chooseTable(row.id) } }, titleOf(row)),
          ),
          h("td", {}, count(row.rows)),
          h("td", {}, row.unsupported === 0 ? "0" : h("strong", {}, count(row.unsupported))),
          ...cells(row.all),
        ),
      ),
    );
    fill(place, ...details(table));
  }

  /** @param {Table} table */
  function details(table) {
    const at = table.groups.findIndex((group) => keyOf(group) === inputs.ag);
    const chosen = at < 0 ? null : table.groups[at];
    const figures = chosen?.figures ?? table.all;
    const unit = (chosen ?? table.groups[0]).unit;
    const shown = chosen ? [chosen] : table.groups.filter((group) => group.unit === unit);
    const points = shown.flatMap((group) => group.points);
    const name = chosen ? nameOf(chosen) : t("acc.all");
    const select = h(
      "select",
      { id: "acc-group", on: { change: () => choose({ ag: select.value }) } },
      h("option", { value: "" }, t("acc.all")),
      table.groups.map((group) => h("option", { value: keyOf(group) }, nameOf(group))),
    );
    select.value = chosen ? keyOf(chosen) : "";
    const models = [...(chosen ?? table).models].sort(
      (a, b) => b.figures.p95 - a.figures.p95 || b.figures.max - a.figures.max || b.figures.n - a.figures.n,
    );
    const visible = allModels ? models : models.slice(0, FIRST_MODELS);
    const names = binNames(t);
    const spread = figures.bins;
    const command = `scripts/validate tests/truth/${table.file} --headers tests/truth/gguf --rows rows.csv --report report.md`;
    return [
      h("h2", { class: "acc-title" }, titleOf(table)),
      h("p", { class: "lead" }, ...rich(coreSentence(t, "acc.about", table.id, {}, ""), t)),
      h("p", {}, t("acc.counts", { rows: count(table.rows), yes: count(table.estimated), no: count(table.unsupported) })),
      ...table.notes.map((note) => h("p", { class: "note", lang: "en" }, note)),
      h("div", { class: "field acc-group" }, h("label", { class: "label", for: "acc-group" }, t("acc.group")), select),
      h(
        "div",
        { class: "infer-pair" },
        h(
          "div",
          { class: "card stack" },
          h("h3", {}, t("acc.scatter")),
          points.length === 0
            ? h("p", { class: "note" }, t("acc.no_points"))
            : [
                scatter(points, unit, t("acc.scatter_words", { name, x: count(points.length), median: error(figures.median), max: error(figures.max) }), t),
                h("p", { class: "note" }, t("acc.scatter_note", { x: count(points.length), y: count(shown.reduce((sum, group) => sum + group.figures.n, 0)) })),
              ],
        ),
        h(
          "div",
          { class: "card stack" },
          h("h3", {}, t("acc.histogram")),
          histogram(spread, t("acc.histogram_words", { name, list: names.map((bin, index) => `${bin}: ${count(spread[index])}`).join(t("infer.comma")) }), t),
          h("p", { class: "note" }, t("acc.histogram_note")),
        ),
      ),
      h(
        "div",
        { class: "card stack" },
        h("h3", {}, t("acc.by_component")),
        dataTable(t("acc.by_component"), head(t("acc.component")), h("tbody", {}, table.groups.map((group) => h("tr", {}, h("th", { scope: "row" }, nameOf(group)), ...cells(group.figures))))),
      ),
      h(
        "div",
        { class: "card stack" },
        h("div", { class: "title-row" }, h("h3", {}, t("acc.by_model")), h("p", { class: "note" }, name)),
        dataTable(t("acc.by_model"), head(t("bar.model")), h("tbody", {}, visible.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name || t("acc.no_model")), ...cells(row.figures))))),
        visible.length < models.length &&
          h("div", { class: "row" }, h("button", { type: "button", class: "button-line", id: "acc-more", on: { click: () => ((allModels = true), show()) } }, t("acc.more", { x: count(models.length) }))),
      ),
      table.worst.length > 0 &&
        h(
          "div",
          { class: "card stack" },
          h("h3", {}, t("acc.worst")),
          dataTable(
            t("acc.worst"),
            h("thead", {}, h("tr", {}, ["acc.row", "acc.component", "bar.model", "acc.estimate", "acc.measured", "acc.error"].map((id, at) => h("th", { scope: "col", class: at < 3 ? "acc-words" : null }, t(/** @type {any} */ (id)))))),
            h(
              "tbody",
              {},
              table.worst.map((row) =>
                h(
                  "tr",
                  {},
                  h("th", { scope: "row", class: "acc-id" }, row.row),
                  h("td", { class: "acc-words" }, coreSentence(t, "acc.component", row.component)),
                  h("td", { class: "acc-words" }, row.model),
                  h("td", {}, amount(row.estimate, row.unit)),
                  h("td", {}, amount(row.measured, row.unit)),
                  h("td", {}, error(row.error)),
                ),
              ),
            ),
          ),
        ),
      h(
        "div",
        { class: "card stack", id: "acc-unsupported" },
        h("h3", {}, t("acc.unsupported_title", { x: count(table.unsupported) })),
        table.unsupported === 0 && table.reasons.length === 0
          ? h("p", {}, t("acc.unsupported_none"))
          : dataTable(
              t("acc.reasons"),
              h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("acc.reason")), h("th", { scope: "col" }, t("acc.rows")))),
              h("tbody", {}, table.reasons.map(([rows, reason]) => h("tr", {}, h("th", { scope: "row", class: "acc-reason" }, reasonWords(reason)), h("td", {}, count(rows))))),
            ),
      ),
      h(
        "div",
        { class: "card stack" },
        h("div", { class: "row row-apart" }, h("h3", {}, t("acc.command")), copyButton({ t, label: t("app.copy"), text: () => command })),
        h("p", { class: "lead" }, t("acc.command_note")),
        h("div", { class: "command" }, h("pre", { tabindex: "0", "aria-label": t("acc.command") }, h("code", {}, command))),
      ),
    ];
  }

  /** Reasons are sentences of the program, in English; those that are known have a translation. @param {string} reason */
  function reasonWords(reason) {
    const graph = /^no graph is known for (.+)$/.exec(reason);
    if (graph) return t("acc.reason_no_graph", { x: graph[1] });
    const key = reason.replace(/[^a-z0-9]+/gi, "_").toLowerCase();
    const words = coreSentence(t, "acc.reason", key, {}, "");
    return words === "" ? h("span", { lang: "en" }, reason) : words;
  }

  const element = h(
    "section",
    { class: "stack acc-page", id: "panel-acc", role: "tabpanel", "aria-label": t("acc.tab") },
    h("div", {}, h("h1", {}, t("acc.title")), h("p", { class: "lead" }, ...rich(t("acc.lead"), t))),
    h(
      "div",
      { class: "card stack" },
      h("p", { class: "acc-whole" }, t("acc.whole", { n: count(whole.all.n), within: percent(whole.all.within), rows: count(whole.rows), no: count(whole.unsupported) })),
      dataTable(
        t("acc.tables"),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["acc.measurements", "acc.rows", "acc.unsupported", "acc.n", "acc.median", "acc.p95", "acc.max", "acc.within", "acc.spread"].map((id) => h("th", { scope: "col" }, t(/** @type {any} */ (id)))),
          ),
        ),
        overview,
      ),
    ),
    place,
  );
  show();
  return { element, result: element, summary: () => null };
}
