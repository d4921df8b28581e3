/** A benchmark program natively and as WebAssembly in turn, one thread: what the benches share. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Runs build/…/tests/bench_<name> `rounds` times on each side; ends the process where one is not
 * built or where the two disagree.
 * @param {string} name
 * @param {object} options
 * @param {string} options.rate field of the printed JSON; the larger, the better
 * @param {(native: any, wasm: any) => boolean} options.agree
 * @param {number} [options.rounds]
 * @returns {{ native: any, wasm: any, ratio: number }} the best of each; ratio: of WebAssembly to native
 */
export function sideBySide(name, { rate, agree, rounds = 3 }) {
  const native = `${root}build/release/tests/bench_${name}`;
  const wasm = `${root}build/wasm/tests/bench_${name}.js`;
  for (const file of [native, wasm]) {
    if (existsSync(file)) continue;
    console.error(
      `${file} is missing. Build it first:\n` +
        `  cmake --preset release && cmake --build --preset release --target bench_${name}\n` +
        `  emcmake cmake --preset wasm && cmake --build --preset wasm --target bench_${name}`,
    );
    process.exit(1);
  }
  const run = (command, args) => JSON.parse(execFileSync(command, args, { encoding: "utf8" }));
  const best = { native: null, wasm: null };
  for (let round = 0; round < rounds; round++) {
    for (const [side, result] of [
      ["native", run(native, [])],
      ["wasm", run(process.execPath, [wasm])],
    ]) {
      if (!best[side] || result[rate] > best[side][rate]) best[side] = result;
    }
  }
  if (!agree(best.native, best.wasm)) {
    console.error("native and WebAssembly disagree");
    process.exit(1);
  }
  return { ...best, ratio: best.wasm[rate] / best.native[rate] };
}
