/**
 * ⋯ 比較: setups side by side. Each is calculated by the tab that it belongs to, away from the page,
 * so that the numbers are those of this version and the words those of this language.
 */

import { fill, h } from "../../dom.js";
import { gib } from "../../format.js";
import { machineStore } from "../../current-machine.js";
import { modelStore } from "../../current-model.js";
import { fromFragment } from "../../state.js";
import { termName } from "../inference/terms.js";
import { verdictIcon } from "../inference/verdict.js";

/** @typedef {import("../../results/document.js").ResultDocument} ResultDocument */

const WAIT_MS = 100;
const MOST_WAITS = 100;

/**
 * The answer of another setup. Searches take a moment, so it is asked for until it is there.
 * @param {import("../../context.js").Context} context of the page
 * @param {Readonly<Record<string, import("../index.js").Builder>>} builders
 * @param {string} fragment
 * @returns {Promise<ResultDocument | null>}
 */
async function answerOf({ core, t, language, signal }, builders, fragment) {
  const { state } = fromFragment(fragment);
  const models = modelStore(core);
  if (!Object.hasOwn(builders, state.tab) || !models.follow(state.model)) return null;
  const ending = new AbortController();
  const nothing = () => {};
  const view = builders[state.tab]({
    language,
    t,
    core,
    models,
    machine: machineStore(core, state.machine),
    state,
    explain: nothing,
    announce: nothing,
    openGuide: nothing,
    onTab: nothing,
    onChange: nothing,
    signal: ending.signal,
  });
  try {
    for (let waits = 0; view.document && waits < MOST_WAITS && !signal.aborted; ++waits) {
      const found = view.document();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
    return null;
  } finally {
    ending.abort();
    models.end();
  }
}

/**
 * Rows of the table: settings by name, then terms by device.
 * @param {ResultDocument[]} results
 * @param {import("../../i18n.js").Translate} t
 */
function rowsOf(results, t) {
  /** @type {Map<string, { name: string, values: string[], number: boolean }>} */
  const rows = new Map();
  const put = (/** @type {string} */ key, /** @type {string} */ name, /** @type {number} */ column, /** @type {string} */ value, number = false) => {
    let row = rows.get(key);
    if (!row) rows.set(key, (row = { name, values: results.map(() => "–"), number }));
    row.values[column] = value;
  };
  results.forEach(({ settings }, column) => settings.forEach(({ name, value }) => put(`s ${name}`, name, column, value)));
  results.forEach(({ places }, column) =>
    places.forEach(({ title, terms }) => {
      terms.forEach(({ id, bytes }) => put(`t ${title} ${id}`, `${title}: ${termName(id, t)}`, column, gib(bytes), true));
      if (terms.length > 1) put(`u ${title}`, t("compare.total", { x: title }), column, gib(terms.reduce((sum, { bytes }) => sum + bytes, 0)), true);
    }),
  );
  return [...rows.values()];
}

/**
 * @param {Readonly<Record<string, import("../index.js").Builder>>} builders
 * @param {import("../../context.js").Context} context
 * @returns {import("../index.js").TabView}
 */
export function compareTab(builders, context) {
  const { t, state, onChange, signal } = context;
  const inputs = /** @type {import("./inputs.js").CompareInputs} */ (state.tabs.compare);
  const keys = /** @type {(keyof typeof inputs)[]} */ (Object.keys(inputs));
  const place = h("div", { class: "stack", id: "compare-place" });
  let round = 0;

  async function show() {
    onChange();
    const mine = (round += 1);
    const used = keys.filter((key) => inputs[key] !== "");
    if (used.length === 0) {
      fill(place, h("p", { class: "lead" }, t("compare.none")));
      return;
    }
    const answers = [];
    for (const key of used) {
      answers.push(await answerOf(context, builders, inputs[key]));
      if (mine !== round || signal.aborted) return;
    }
    const shown = answers.map((answer) => answer ?? empty());
    const columns = shown.map(({ answer }, at) => `${t("compare.column", { x: at + 1 })} ${answer}`);
    fill(
      place,
      used.length === 1 && h("p", { class: "lead" }, t("compare.one")),
      h(
        "div",
        { class: "table-scroll", tabindex: "0", role: "region", "aria-label": t("compare.tab") },
        h(
          "table",
          { class: "compare-table" },
          h(
            "thead",
            {},
            h("tr", {}, h("th", { scope: "col" }, t("compare.item")), columns.map((name) => h("th", { scope: "col" }, name))),
            h("tr", {}, h("th", { scope: "row" }, t("compare.answer")), shown.map((one, at) => h("td", {}, head(one, used[at], columns[at])))),
          ),
          h("tbody", {}, rowsOf(shown, t).map(({ name, values, number }) => row(name, values, number))),
        ),
      ),
    );
  }

  /** @returns {ResultDocument} */
  const empty = () => ({ tab: "", verdict: null, headline: t("compare.broken"), subject: "", settings: [], places: [], answer: "–" });

  /**
   * @param {ResultDocument} one
   * @param {keyof typeof inputs} key
   * @param {string} name
   */
  function head({ tab, verdict, headline, subject }, key, name) {
    const remove = () => {
      inputs[key] = "";
      show();
      title.focus(); // the button goes with its column
    };
    return h(
      "div",
      { class: "stack-tight" },
      h("span", { class: "note" }, tab),
      h("strong", { class: verdict ? `verdict-${verdict}` : "" }, verdict && verdictIcon(verdict), " ", headline),
      h("span", { class: "note" }, subject),
      h("a", { href: `#${inputs[key]}` }, t("compare.open")),
      h("button", { type: "button", class: "button-line", "aria-label": t("compare.remove_one", { x: name }), on: { click: remove } }, t("compare.remove")),
    );
  }

  /**
   * @param {string} name
   * @param {string[]} values
   * @param {boolean} number
   */
  function row(name, values, number) {
    const differs = values.some((value) => value !== values[0]);
    return h(
      "tr",
      { class: differs ? "differs" : "" },
      h("th", { scope: "row" }, differs && h("span", { class: "differs-mark" }, "≠", h("span", { class: "visually-hidden" }, t("compare.differs"))), name),
      values.map((value) => h("td", { class: number ? "amount" : "" }, value)),
    );
  }

  show();
  const title = h("h1", { tabindex: "-1" }, t("compare.tab"));
  const element = h(
    "section",
    { class: "stack", id: "panel-compare" },
    title,
    h("p", { class: "lead" }, t("compare.lead")),
    h("div", { class: "card" }, place),
  );
  return { element, result: place, summary: () => null };
}

/**
 * Puts a setup into the first free place.
 * @param {import("../../state.js").State} state
 * @param {string} fragment
 * @returns {boolean} false: all are taken
 */
export function addToComparison(state, fragment) {
  const inputs = state.tabs.compare;
  const free = Object.keys(inputs).find((key) => inputs[key] === fragment) ?? Object.keys(inputs).find((key) => inputs[key] === "");
  if (free !== undefined) inputs[free] = fragment;
  return free !== undefined;
}
