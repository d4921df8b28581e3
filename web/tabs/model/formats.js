/** The table of formats: every row opens its formula. */

import { segmented } from "../../components/segmented.js";
import { fill, h, icons } from "../../dom.js";
import * as format from "../../format.js";
import { coreSentence } from "../../i18n.js";
import { verdictIcon } from "../inference/verdict.js";

/** @typedef {import("../../i18n.js").Translate} Translate */
/** @typedef {import("../../core-types.js").FormatRow} FormatRow */
/** @typedef {import("../../core-types.js").FormatTable} FormatTable */
/** @typedef {import("../../components/explain.js").Explanation} Explanation */
/** @typedef {"all" | "gguf" | "server"} Family */

/** How formulas of server formats begin; the rest of them is letters and numbers. */
const SUM = "sum over quantized matrices";

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {FormatTable} options.table
 * @param {(explanation: Explanation) => void} options.explain
 * @param {import("../../core-types.js").Core} options.core
 * @param {import("../../current-machine.js").MachineStore} options.machine
 * @param {AbortSignal} options.signal
 */
export function formatTable({ t, table, explain, core, machine, signal }) {
  const body = h("tbody", {});
  /** @type {Family} */
  let shown = "all";
  /** @param {Family} family */
  const show = (family) => {
    shown = family;
    const rows = table.rows.filter((row) => family === "all" || row.family === family);
    const question = machine.question();
    fill(
      body,
      ...rows.map((row) => {
        const fit = core.machine_fit(question, row.bytes);
        return tableRow(row, fit.ok ? fit.value.verdict : null, t, explain);
      }),
    );
  };
  machine.subscribe(() => show(shown), signal);
  const filter = segmented({
    name: "format-family",
    legend: [t("model.format_family")],
    choices: [
      { value: /** @type {Family} */ ("all"), label: t("model.family_all") },
      { value: /** @type {Family} */ ("gguf"), label: "GGUF" },
      { value: /** @type {Family} */ ("server"), label: t("model.family_server") },
    ],
    value: "all",
    onChange: show,
  });
  show("all");
  const refused = table.refused.map(({ id }) => id.replace(/^gguf-/, ""));
  return h(
    "section",
    { class: "card stack", id: "formats", "aria-labelledby": "formats-title" },
    h("h2", { id: "formats-title" }, t("model.formats")),
    h("p", { class: "lead" }, t("model.formats_lead")),
    !table.gguf_names_missing && h("div", { class: "format-filter" }, filter.element),
    table.gguf_names_missing &&
      h("p", { class: "doubt" }, icons.doubt(), h("span", {}, t("model.gguf_names_missing"))),
    h(
      "table",
      { class: "format-table" },
      h("caption", { class: "visually-hidden" }, t("model.formats")),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, t("model.format")),
          h("th", { scope: "col" }, "GiB"),
          h("th", { scope: "col", class: "wide-cell" }, "GB"),
          h("th", { scope: "col" }, t("model.bits")),
          h("th", { scope: "col", class: "wide-cell" }, t("model.relative")),
          h("th", { scope: "col" }, t("model.quality")),
        ),
      ),
      body,
    ),
    refused.length > 0 && h("p", { class: "note" }, t("model.refused", { x: refused.join(", ") })),
  );
}

/**
 * @param {FormatRow} row
 * @param {import("../../core-types.js").Verdict | null} verdict of the weights on the machine that is chosen
 * @param {Translate} t
 * @param {(explanation: Explanation) => void} explain
 */
function tableRow(row, verdict, t, explain) {
  const open = () => explain(explanation(row, t));
  const { quality, recommendation } = row;
  return h(
    "tr",
    { on: { click: open }, "data-format": row.id, class: recommendation ? "recommended" : "" },
    h(
      "th",
      { scope: "row" },
      h("button", { type: "button", class: "number", "aria-haspopup": "dialog" }, row.name),
      row.family === "gguf" && h("span", { class: "tag tag-quiet" }, "GGUF"),
    ),
    h(
      "td",
      { class: verdict ? `format-fit verdict-${verdict}` : "" },
      verdict && [verdictIcon(verdict), h("span", { class: "visually-hidden" }, t(`verdict.${verdict}_word`)), " "],
      format.gibParts(row.bytes).value,
    ),
    h("td", { class: "wide-cell" }, format.gbParts(row.bytes).value),
    h("td", {}, format.bits(row.bits_per_weight)),
    h("td", { class: "wide-cell" }, format.percent(row.relative_to_bf16)),
    h(
      "td",
      { class: "format-quality" },
      coreSentence(t, "quality", quality.message),
      recommendation && h("strong", { class: "recommend" }, coreSentence(t, "quality", recommendation)),
    ),
  );
}

/**
 * "+0.18 perplexity, Llama-3-8B".
 * @param {import("../../core-types.js").Quality} quality
 * @param {Translate} t
 */
function measured({ measure, value, model }, t) {
  if (measure === "ppl_delta") return t("model.ppl_delta", { x: format.plain(value), model });
  if (measure === "ln_ppl_ratio") return t("model.ln_ppl_ratio", { x: format.plain(value), model });
  return "";
}

/**
 * @param {FormatRow} row
 * @param {Translate} t
 * @returns {Explanation}
 */
function explanation(row, t) {
  const { quality, formula } = row;
  const found = measured(quality, t);
  const notes = [
    t("model.quality_is", { x: coreSentence(t, "quality", quality.message) }),
    found,
    t("model.quality_source", { x: quality.source }),
    row.requires_imatrix ? t("model.requires_imatrix") : "",
    row.n_fallback > 0 ? t("model.fallback", { x: format.whole(row.n_fallback) }) : "",
    row.file_bytes > 0 ? t("model.file_bytes", { x: format.gib(row.file_bytes) }) : "",
  ];
  return {
    title: row.name,
    formula: row.family === "gguf" ? t("model.formula_gguf") : formula.expression.replace(SUM, t("model.sum_over")),
    inputs: [
      ...formula.inputs.map(({ name, value }) => ({
        name: coreSentence(t, "format_input", name, {}, name),
        value: format.whole(value),
      })),
      ...(formula.expression.startsWith(SUM) ? [{ name: t("format_input.NK"), value: t("model.each_matrix") }] : []),
    ],
    answer: format.gib(row.bytes),
    also: [
      format.gb(row.bytes),
      t("explain.bytes", { x: format.whole(row.bytes) }),
      t("model.bits_per_weight", { x: format.bits(row.bits_per_weight) }),
    ],
    evidence: row.evidence,
    source: row.source,
    movesTitle: t("model.quality"),
    moves: notes.filter((note) => note !== "").join(" "),
    data: row,
  };
}
