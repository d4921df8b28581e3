// node tests/bench/policy_search.mjs
// Whole policy searches of the offload planner, natively and as WebAssembly in turn, one thread;
// prints both rates, and fails where WebAssembly needs 30 ms or more for a search: then the page
// could not follow a slider.
import { sideBySide } from "./side_by_side.mjs";

const { native, wasm } = sideBySide("policy_search", {
  rate: "searches_per_second",
  agree: (a, b) => Math.abs(b.tokens_per_second / a.tokens_per_second - 1) < 1e-6,
});
for (const [name, result] of Object.entries({ native, wasm })) {
  console.log(`${name.padEnd(6)} ${result.searches_per_second} searches a second, ${result.milliseconds} ms each`);
}
const goal = 30;
process.exit(wasm.milliseconds < goal ? 0 : 1);
