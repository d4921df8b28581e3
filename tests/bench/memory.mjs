// node tests/bench/memory.mjs
// What the page holds while it opens a split model of 400 GiB from disk, in Chromium: eight sparse
// files of 50 GiB, the first with a tokenizer of 128,256 words.
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { programs } from "../browser/lib/engines.mjs";
import { splitModel } from "../browser/lib/gguf.mjs";
import { startServer } from "../browser/lib/server.mjs";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
const n_words = 128_256;
const words = Array.from({ length: n_words }, (_, at) => at.toString(36).padStart(1 + (at % 11), "a"));

/** Counts what is read of files, and keeps the linear memories of the module in sight. */
function watch() {
  /** @type {{ memories: WebAssembly.Memory[], read: number }} */
  const seen = { memories: [], read: 0 };
  Object.assign(window, { seen });
  const instantiate = /** @type {any} */ (WebAssembly.instantiate);
  /** @type {any} */ (WebAssembly).instantiate = async (/** @type {any} */ module, /** @type {any} */ imports) => {
    const made = await instantiate(module, imports);
    seen.memories.push(...Object.values((made.instance ?? made).exports).filter((one) => one instanceof WebAssembly.Memory));
    return made;
  };
  const { arrayBuffer } = Blob.prototype;
  Blob.prototype.arrayBuffer = function () {
    seen.read += this.size;
    return arrayBuffer.call(this);
  };
}

/** @returns {Promise<{ file_bytes: number, header_bytes: number, read: number, heap_before: number, heap_peak: number, wasm: number, ms: number }>} bytes */
export async function openingMemory() {
  const folder = mkdtempSync(join(tmpdir(), "meyasu-split-"));
  const server = await startServer(`${dist}site`, { probe: false });
  const browser = await puppeteer.launch({ headless: true, executablePath: programs.chromium().browser, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
  try {
    const parts = splitModel(8, [["tokenizer.ggml.tokens", "strings", words]]);
    const paths = parts.map(({ name, header, size }) => {
      const path = join(folder, name);
      const file = openSync(path, "w");
      writeSync(file, header);
      ftruncateSync(file, size);
      closeSync(file);
      return path;
    });
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(watch);
    await page.goto(`${server.site}#v1;tab=model`);
    const input = /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (await page.waitForSelector("#files"));
    const session = await page.createCDPSession();
    await session.send("HeapProfiler.enable");
    await session.send("HeapProfiler.collectGarbage");
    // Buffers that files are read into lie beside the heap of the objects.
    const held = async () => {
      const { usedSize, backingStorageSize = 0 } = /** @type {any} */ (await session.send("Runtime.getHeapUsage"));
      return usedSize + backingStorageSize;
    };
    const before = await held();
    let peak = before;
    const start = performance.now();
    await input.uploadFile(...paths);
    for (;;) {
      peak = Math.max(peak, await held());
      const text = await page.evaluate(() => document.querySelector("#weight-gib")?.textContent ?? "");
      if (text.startsWith("400.0")) break;
      if (performance.now() - start > 60_000) throw new Error(`the model was not opened in 60 s: "${text}"`);
    }
    const seen = await page.evaluate(() => {
      const { memories, read } = /** @type {any} */ (window).seen;
      return { read, wasm: memories.reduce((/** @type {number} */ sum, /** @type {WebAssembly.Memory} */ memory) => sum + memory.buffer.byteLength, 0) };
    });
    return {
      file_bytes: parts.reduce((sum, { size }) => sum + size, 0),
      header_bytes: parts.reduce((sum, { header }) => sum + header.length, 0),
      heap_before: before,
      heap_peak: peak,
      ms: performance.now() - start,
      ...seen,
    };
  } finally {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await openingMemory());
