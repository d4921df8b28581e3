// node tests/bench/navigation.mjs [ROUNDS]
// From the start of a navigation to the first number on the page, in Chromium, each time as a first
// visit: from disk and hosted, beside the floor: a bare page with the formula in a script of 20 lines.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";
import { programs } from "../browser/lib/engines.mjs";
import { startServer } from "../browser/lib/server.mjs";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

/** What the calculator replaces: a form and its formula, calculated at once. */
const floor = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>floor</title>
<label>Parameters (B) <input id="params" type="number" value="7"></label>
<select id="precision"><option>FP32<option selected>FP16<option>BF16<option>INT8<option>INT4</select>
<button id="calculate">Calculate</button> <p id="vram-gib"></p>
<script>
const bytesPerParameter = { FP32: 4, FP16: 2, BF16: 2, INT8: 1, INT4: 0.5 };
function calculate() {
  const params = parseFloat(document.getElementById("params").value);
  const precision = document.getElementById("precision").value;
  const result = document.getElementById("vram-gib");
  if (isNaN(params) || params <= 0) {
    result.textContent = "Enter a number";
    return;
  }
  const bytes = params * bytesPerParameter[precision] * Math.pow(10, 9);
  const gib = bytes / (1024 * 1024 * 1024);
  result.textContent = gib.toFixed(2) + " GiB";
}
document.getElementById("calculate").addEventListener("click", calculate);
calculate();
</script></html>`;

/** Notes when the answer is in the document, and when the frame after it was painted. */
function watch() {
  const done = () => (document.getElementById("vram-gib")?.textContent ?? "").includes("13.04");
  const look = () => {
    if (!done()) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => Object.assign(window, { firstResult: performance.now() })));
  };
  look();
}

const median = (/** @type {number[]} */ values) => values.slice().sort((a, b) => a - b)[values.length >> 1];

/**
 * @param {number} rounds
 * @returns {Promise<{ name: string, median: number, ratio: number }[]>} ms; ratio: to the floor opened the same way
 */
export async function firstResults(rounds) {
  const folder = mkdtempSync(join(tmpdir(), "meyasu-floor-"));
  const server = await startServer(`${dist}site`, { probe: false });
  const browser = await puppeteer.launch({ headless: true, executablePath: programs.chromium().browser, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
  try {
    writeFileSync(join(folder, "floor.html"), floor);
    server.page("/floor", floor);
    const fragment = "#v1;p=7;q=fp16";
    const pages = {
      "bare page, from disk": pathToFileURL(join(folder, "floor.html")).href,
      "Meyasu, from disk": `${pathToFileURL(`${dist}meyasu.html`).href}${fragment}`,
      "bare page, hosted": `${server.site}floor`,
      "Meyasu, hosted": `${server.site}${fragment}`,
      "embedded calculator, hosted": `${server.site}embed.html${fragment}`,
    };
    /** @type {Record<string, number[]>} */
    const times = Object.fromEntries(Object.keys(pages).map((name) => [name, []]));
    for (let round = 0; round <= rounds; ++round) {
      const order = Object.entries(pages); // round 0 warms up; the order alternates
      if (round % 2) order.reverse();
      for (const [name, url] of order) {
        const context = await browser.createBrowserContext(); // nothing cached, no service worker
        const page = await context.newPage();
        await page.evaluateOnNewDocument(watch);
        await page.goto(url);
        const result = await (await page.waitForFunction("window.firstResult", { polling: 20 })).jsonValue();
        if (round > 0) times[name].push(Number(result));
        await context.close();
      }
    }
    return Object.entries(times).map(([name, list]) => {
      const bare = times[name.includes("disk") ? "bare page, from disk" : "bare page, hosted"];
      return { name, median: median(list), ratio: median(list) / median(bare) };
    });
  } finally {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, median: ms, ratio } of await firstResults(Number(process.argv[2] ?? 11))) {
    console.log(`${name.padEnd(30)}${ms.toFixed(1).padStart(9)} ms${ratio.toFixed(2).padStart(8)}×`);
  }
}
