/** A result as Markdown, CSV and JSON. Numbers are those of the core, to the byte. */

import { whole } from "../format.js";
import { explainedTerms } from "./document.js";

/** @typedef {import("./document.js").ResultDocument} ResultDocument */
/** @typedef {import("../i18n.js").Translate} Translate */

/**
 * @typedef {object} Origin where the numbers come from
 * @property {string} version
 * @property {string} catalog date
 * @property {string} hardware date
 * @property {string} link
 */

/** @param {string} text inside a cell of a Markdown table */
const cell = (text) => text.replaceAll("|", "\\|").replace(/\s*\n\s*/g, " ");

/** @param {{ name: string, value: string }[]} inputs */
const listed = (inputs) => inputs.map(({ name, value }) => `${name} = ${value}`).join("; ");

/**
 * @param {ResultDocument} result
 * @param {Origin} origin
 * @param {Translate} t
 */
export function toMarkdown(result, origin, t) {
  const head = ["term", "place", "size", "bytes", "formula", "inputs", "evidence", "source"].map((id) => t(/** @type {any} */ (`export.${id}`)));
  const rows = explainedTerms(result, t).map(({ term, title, place, size, formula, inputs, source }) =>
    [title, place, size, whole(term.bytes), formula, listed(inputs), t(`evidence.${term.evidence}`), source].map(cell),
  );
  return [
    `## ${result.headline}`,
    "",
    result.subject,
    "",
    ...result.settings.map(({ name, value }) => `- ${name}: ${value}`),
    "",
    ...[head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`),
    "",
    `[${t("export.origin", { v: origin.version, a: origin.catalog, b: origin.hardware })}](${origin.link})`,
    "",
  ].join("\n");
}

/** Quoted where needed; a leading sign is no formula of a spreadsheet. @param {string | number} value */
function field(value) {
  const text = typeof value === "string" && /^[=+\-@\t]/.test(value) ? `'${value}` : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * @param {ResultDocument} result
 * @param {Origin} origin
 * @param {Translate} t
 */
export function toCsv(result, origin, t) {
  const head = ["id", "name", "place", "device", "bytes", "low", "high", "formula", "inputs", "evidence", "source", "version", "catalog", "hardware"];
  const rows = explainedTerms(result, t).map(({ term, title, place, formula, inputs, source }) => [
    term.id,
    title,
    place,
    term.device,
    term.bytes,
    term.low,
    term.high,
    formula,
    listed(inputs),
    term.evidence,
    source,
    origin.version,
    origin.catalog,
    origin.hardware,
  ]);
  return `${[head, ...rows].map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;
}

/**
 * @param {ResultDocument} result
 * @param {Origin} origin
 */
export const toJson = (result, origin) => `${JSON.stringify({ meyasu: origin, ...result }, null, 2)}\n`;
