// node tests/bench/report.mjs [PICTURE.svg]: all benchmarks as one Markdown page, and how cost grows as
// a picture; scripts/bench builds what it needs first. Rates of the two sides are taken in turn in one run, so that their ratio holds on a
// busy machine too.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { AXES, exponent, growthPicture } from "./growth.mjs";
import { openingMemory } from "./memory.mjs";
import { firstResults } from "./navigation.mjs";
import { sideBySide } from "./side_by_side.mjs";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const whole = (/** @type {number} */ value) => Math.round(value).toLocaleString("en-US");
const three = (/** @type {number} */ value) => Number(value.toPrecision(3)).toLocaleString("en-US");

/** @param {string[]} heads @param {string[][]} rows */
function table(heads, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
  console.log([line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n"), "\n");
}

/** The form's formula as the page it replaces had it. */
function plainJavaScript() {
  const bytes = { FP32: 4, FP16: 2, BF16: 2, INT8: 1, INT4: 0.5 };
  const names = Object.keys(bytes);
  const n = 1e6;
  let best = 0;
  let sum = 0;
  for (let round = 0; round < 3; round++) {
    sum = 0;
    const start = performance.now();
    for (let i = 0; i < n; i++) sum += ((1 + (i % 1000)) * bytes[names[i % 5]] * Math.pow(10, 9)) / (1024 * 1024 * 1024);
    best = Math.max(best, (n / (performance.now() - start)) * 1000);
  }
  return { rate: best, sum };
}

console.log("## Reading a header\n");
const readers = JSON.parse(execFileSync(process.execPath, [here("gguf_header.mjs"), "9", "--json"], { encoding: "utf8" }));
table(
  ["reader", "median ms", "times ours"],
  readers.map(({ name, median, ratio }) => [name, three(median), `${three(ratio)}×`]),
);

console.log("## WebAssembly and native, one thread\n");
const agreeing = (/** @type {string} */ field) => (/** @type {any} */ a, /** @type {any} */ b) => a[field] === b[field];
const formats = sideBySide("formats", { rate: "models_per_second", agree: agreeing("checksum") });
const sweep = sideBySide("sweep", { rate: "estimates_per_second", agree: agreeing("checksum") });
const policy = sideBySide("policy_search", {
  rate: "searches_per_second",
  agree: (a, b) => Math.abs(b.tokens_per_second / a.tokens_per_second - 1) < 1e-6,
});
const single = sideBySide("estimate", { rate: "estimates_per_second", agree: agreeing("formula_sum") });
const script = plainJavaScript();
if (Math.abs(script.sum - single.wasm.formula_sum) > 1e-3) throw new Error("the formula differs");
const row = (/** @type {string} */ what, /** @type {number} */ wasm, /** @type {number} */ native, script_ = "") => [what, whole(wasm), whole(native), (wasm / native).toFixed(2), script_];
table(
  ["a second", "WebAssembly", "native", "ratio", "plain JavaScript"],
  [
    row("estimates with fit in one sweep (catalog × 12 mixes × 12 contexts × GPUs)", sweep.wasm.estimates_per_second, sweep.native.estimates_per_second),
    row("single estimates (Llama-3.1-8B, every term explained)", single.wasm.estimates_per_second, single.native.estimates_per_second),
    row("the form's formula, 10^6 in one call", single.wasm.formulas_per_second, single.native.formulas_per_second, whole(script.rate)),
    row("models weighed in every format", formats.wasm.models_per_second, formats.native.models_per_second),
    row("whole policy searches of the offload planner", policy.wasm.searches_per_second, policy.native.searches_per_second),
  ],
);

console.log("## How the cost grows\n");
const picture = process.argv[2];
if (picture) {
  writeFileSync(picture, growthPicture({ wasm: single.wasm.growth, native: single.native.growth }));
  console.log(`![Cost by size](${basename(picture)})\n`);
}
table(
  ["", "size: cost in WebAssembly (native)", "grows as size to the power of", "because"],
  Object.entries(AXES).map(([axis, { title, unit, why }]) => {
    const on = (/** @type {any} */ side) => side.growth.filter((/** @type {any} */ it) => it.axis === axis);
    const native = on(single.native);
    const cells = on(single.wasm).map(({ size, cost }, at) => `${whole(size)}: ${three(cost)} (${three(native[at].cost)})`);
    return [`${title}, ${unit}`, cells.join(", "), `${exponent(on(single.wasm)).toFixed(2)} (${exponent(native).toFixed(2)})`, why];
  }),
);

console.log("## First result after navigation\n");
table(
  ["a first visit in Chromium", "median ms", "times the bare page"],
  (await firstResults(15)).map(({ name, median, ratio }) => [name, three(median), `${ratio.toFixed(2)}×`]),
);

console.log("## Memory while a split model of 400 GiB is opened from disk\n");
const opening = await openingMemory();
const mib = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
table(
  ["", ""],
  [
    ["eight files", mib(opening.file_bytes)],
    ["their headers", mib(opening.header_bytes)],
    ["read from disk", mib(opening.read)],
    ["objects and buffers of the page before", mib(opening.heap_before)],
    ["the same, at most", mib(opening.heap_peak)],
    ["memory of the module, which never shrinks", mib(opening.wasm)],
    ["until the answer is shown", `${three(opening.ms)} ms`],
  ],
);

console.log("## Bytes shipped\n");
/** Names without the part that changes with the content. */
const files = readdirSync(here("../../dist/site/"))
  .filter((name) => name !== "meyasu.html")
  .map((name) => [name.replace(/-[0-9A-Za-z]{8}(?=\.js$)/, ""), readFileSync(here(`../../dist/site/${name}`))]);
files.push(["meyasu.html (everything in one file)", readFileSync(here("../../dist/meyasu.html"))]);
table(
  ["part", "bytes", "gzip", "brotli"],
  files.map(([name, bytes]) => [String(name), whole(bytes.length), whole(gzipSync(bytes).length), whole(brotliCompressSync(bytes).length)]),
);
