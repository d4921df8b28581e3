/**
 * The accuracy of the build, as scripts/validate wrote it (tests/validate/page.hpp says what is in
 * it). Nothing is calculated here: figures are read by name.
 */

import json from "./report.json";

/**
 * @typedef {object} Figures
 * @property {number} n
 * @property {number} median of |error|, in percent, as the two below
 * @property {number} p95
 * @property {number} max
 * @property {number} within share of errors up to 1 %
 * @property {number[]} bins counts between the edges, from far below to far above
 *
 * @typedef {{ name: string, figures: Figures }} ModelRow
 * @typedef {{ component: string, set: string, unit: string, figures: Figures, points: [number, number][], models: ModelRow[] }} Group
 * @typedef {{ row: string, model: string, component: string, estimate: number, measured: number, error: number, unit: string }} WorstRow
 *
 * @typedef {object} Table
 * @property {string} id
 * @property {string} file
 * @property {number} rows
 * @property {number} estimated
 * @property {number} unsupported
 * @property {Figures} all
 * @property {Group[]} groups
 * @property {ModelRow[]} models
 * @property {WorstRow[]} worst
 * @property {[number, string][]} reasons
 * @property {string[]} notes
 */

const report = /** @type {any} */ (json);

/** Edges of the bins, in percent; the first is 0. @type {number[]} */
export const edges = report.edges_pct;

/** @param {number | any[]} written @returns {Figures} */
function figures(written) {
  const bins = new Array(2 * edges.length + 1).fill(0);
  const [n, ...numbers] = Array.isArray(written) ? written : [written, 0, 1, edges.length];
  if (numbers.length === 3) {
    const [error, within, bin] = numbers;
    bins[bin] = n;
    return { n, median: error, p95: error, max: error, within, bins };
  }
  const [median, p95, max, within, pairs] = numbers;
  for (let at = 0; at < pairs.length; at += 2) bins[pairs[at]] = pairs[at + 1];
  return { n, median, p95, max, within, bins };
}

export const whole = {
  rows: /** @type {number} */ (report.rows),
  estimated: /** @type {number} */ (report.estimated),
  unsupported: /** @type {number} */ (report.unsupported),
  all: figures(report.all),
};

/** @type {Table[]} */
export const tables = report.tables.map((/** @type {any} */ table) => ({
  ...table,
  id: table.file.replace(/\.csv$/, ""),
  all: figures(table.all),
  groups: table.groups.map((/** @type {any} */ group) => ({
    ...group,
    figures: figures(group.figures),
    points: group.points.map((/** @type {number | [number, number]} */ point) => (Array.isArray(point) ? point : [point, point])),
    models: table.models
      .map((/** @type {any[]} */ [name], /** @type {number} */ at) => ({ name, figures: figures(group.models[at]) }))
      .filter((/** @type {ModelRow} */ row) => row.figures.n > 0),
  })),
  models: table.models.map((/** @type {any[]} */ [name, all]) => ({ name, figures: figures(all) })),
  worst: table.worst.map((/** @type {any[]} */ [row, model, component, estimate, measured, error, unit]) => ({ row, model, component, estimate, measured, error, unit })),
}));
