// node tests/bench/sweep.mjs
// The whole catalog x mixes x contexts x devices, natively and as WebAssembly in turn, one thread;
// prints both rates and their ratio, and fails below the goals: 1,000,000 estimates a second in
// WebAssembly, and at least 0.6 of the native rate.
import { sideBySide } from "./side_by_side.mjs";

const { native, wasm, ratio } = sideBySide("sweep", {
  rate: "estimates_per_second",
  agree: (a, b) => a.checksum === b.checksum,
});
for (const [name, result] of Object.entries({ native, wasm })) {
  console.log(
    `${name.padEnd(6)} ${result.models} models, ${result.machines} machines, ` +
      `${result.estimates} estimates: ${result.estimates_per_second} a second`,
  );
}
console.log(`WebAssembly runs at ${ratio.toFixed(2)} of the native rate (best of 3 each)`);
const goal = 1_000_000;
const ratioGoal = 0.6;
process.exit(wasm.estimates_per_second >= goal && ratio >= ratioGoal ? 0 : 1);
