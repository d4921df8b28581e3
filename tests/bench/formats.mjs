// node tests/bench/formats.mjs
// Derives the tensors of every catalog model and weighs them in every format, natively and as
// WebAssembly in turn, and prints both rates and their ratio.
import { sideBySide } from "./side_by_side.mjs";

const { native, wasm, ratio } = sideBySide("formats", {
  rate: "models_per_second",
  agree: (a, b) => a.checksum === b.checksum,
});
for (const [name, result] of Object.entries({ native, wasm })) {
  console.log(
    `${name.padEnd(6)} ${result.models} models, ${result.estimates} sizes: ` +
      `${result.models_per_second} models/s, ${result.estimates_per_second} sizes/s`,
  );
}
console.log(`native is ${(1 / ratio).toFixed(2)} times as fast as WebAssembly (best of 3 each)`);
