// llvm-cov export --summary-only | node scripts/lib/coverage.mjs ROOT: a table by folder, as Markdown.
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";

const root = process.argv[2];
const { data } = JSON.parse(readFileSync(0, "utf8"));
const measures = ["lines", "functions", "branches"];
/** @type {Map<string, Record<string, { count: number, covered: number }>>} */
const folders = new Map();
for (const { filename, summary } of data[0].files) {
  const path = relative(root, resolve(filename));
  if (!path.startsWith("core/")) continue;
  const folder = path.split("/").slice(0, 2).join("/");
  for (const key of [folder, "all"]) {
    const sums = folders.get(key) ?? Object.fromEntries(measures.map((measure) => [measure, { count: 0, covered: 0 }]));
    for (const measure of measures) {
      sums[measure].count += summary[measure].count;
      sums[measure].covered += summary[measure].covered;
    }
    folders.set(key, sums);
  }
}
const percent = ({ count, covered }) => (count === 0 ? "–" : `${((100 * covered) / count).toFixed(1)} %`);
console.log(`| folder | ${measures.join(" | ")} |\n|---|${"---|".repeat(measures.length)}`);
for (const [folder, sums] of [...folders].sort(([a], [b]) => (a === "all" ? 1 : b === "all" ? -1 : a.localeCompare(b)))) {
  console.log(`| ${folder} | ${measures.map((measure) => percent(sums[measure])).join(" | ")} |`);
}
