/**
 * What the page is packed with, on what today's module does not hold but another compiler's may: a
 * page that cannot be unpacked would show nothing.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { lzma, toSevenBits, toSixteenBits } from "../../scripts/lib/pack.mjs";
import { splitModule } from "../../scripts/lib/split-module.mjs";
import { unlzma } from "../../web/packed/lzma.js";
import { joinModule } from "../../web/packed/module.js";
import { fromSevenBits } from "../../web/packed/seven-bits.js";
import { fromSixteenBits } from "../../web/packed/sixteen-bits.js";

/** @param {number} id @param {number[]} content under 128 bytes */
const section = (id, content) => [id, content.length, ...content];

/** A module of one function, () -> (), with the usual memory, table, global and passive data. */
function moduleOf(body) {
  const code = [1, 2, 0x7f, 2, 0x7b, ...body, 0x0b]; // two i32, then two v128
  const locals = [2, ...code.slice(1)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(4, [1, 0x70, 0, 1]),
    ...section(5, [1, 0, 1]),
    ...section(6, [1, 0x7f, 1, 0x41, 0, 0x0b]),
    ...section(9, [1, 3, 0, 1, 0]), // declares function 0 for ref.func
    ...section(12, [1]),
    ...section(10, [1, locals.length, ...locals]),
    ...section(11, [1, 1, 1, 0x2a]),
  ]);
}

const DROP = 0x1a;
const instructions = {
  "constants of any length": [0x41, 0xff, 0xff, 0xff, 0xff, 0x07, DROP, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, DROP],
  "floats with bytes of opcodes": [0x43, 0x0b, 0x0b, 0x28, 0x41, DROP, 0x44, 0x0b, 0x28, 0x41, 0x0b, 0x0e, 0x10, 0xfc, 0xff, DROP],
  "natural and other alignments": [0x41, 0, 0x28, 2, 8, DROP, 0x41, 0, 0x28, 0, 0x88, 1, DROP, 0x41, 0, 0x29, 2, 0, DROP, 0x41, 0, 0x41, 0, 0x3a, 0, 0],
  "blocks and a branch table": [0x02, 0x40, 0x03, 0x40, 0x41, 0, 0x0d, 1, 0x41, 1, 0x0e, 2, 0, 1, 1, 0x0b, 0x0b],
  "calls": [0x10, 0, 0x41, 0, 0x11, 0, 0],
  "globals, memory and typed select": [0x23, 0, 0x24, 0, 0x3f, 0, 0x40, 0, 0x41, 1, 0x41, 2, 0x1c, 1, 0x7f, DROP],
  "references and tables": [0xd0, 0x70, DROP, 0xd2, 0, DROP, 0x41, 0, 0x25, 0, DROP, 0x41, 0, 0xd0, 0x70, 0x26, 0],
  "bulk memory": [...[0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0a, 0, 0], ...[0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0b, 0], ...[0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x08, 0, 0], 0xfc, 0x09, 0],
  "saturating conversion and sign extension": [0x43, 0, 0, 0, 0, 0xfc, 0x00, 0xc0, DROP],
};

for (const [name, body] of Object.entries(instructions))
  test(`a module comes back whole: ${name}`, () => {
    const module = moduleOf(body);
    assert.ok(WebAssembly.validate(module), "the test's own module is one");
    assert.deepEqual(joinModule(splitModule(module)), module);
  });

test("an instruction that is not known fails the build, by its number", () => {
  const simd = moduleOf([0x41, 0, 0xfd, 0x0f, DROP]); // i8x16.splat
  assert.ok(WebAssembly.validate(simd));
  assert.throws(() => splitModule(simd), /does not know the instruction 0xfd/);
});

/** Every word of two bytes, once. */
const everyWord = new Uint8Array(Uint16Array.from({ length: 1 << 16 }, (_, index) => index * 40503).buffer);

test("text of sixteen bits passes a decoder and a parser, and comes back", () => {
  for (const bytes of [everyWord, new Uint8Array(1001), Uint8Array.of(7)]) {
    const text = toSixteenBits(bytes);
    assert.doesNotMatch(text, /[\0\n\r<\p{Surrogate}]/u);
    const read = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, "utf16le"));
    assert.deepEqual(fromSixteenBits(read).slice(0, bytes.length), bytes);
  }
});

test("bytes of which no 250 words could be packed together can be", () => {
  // Numerical Recipes' generator; of half a hundred thousand seeds this one has such a block.
  let state = 57634;
  const words = Uint16Array.from({ length: 250 }, () => (state = (Math.imul(state, 1664525) + 1013904223) | 0) >>> 16);
  const bytes = new Uint8Array(words.buffer);
  assert.deepEqual(fromSixteenBits(toSixteenBits(bytes)), bytes);
});

test("text of seven bits passes UTF-8 and a string in a script, and comes back", () => {
  for (const bytes of [everyWord, new Uint8Array(1001), Uint8Array.of(7)]) {
    const text = toSevenBits(bytes);
    const read = new Function(`return "${new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(text))}"`)();
    assert.deepEqual(fromSevenBits(read).slice(0, bytes.length), bytes);
  }
});

test("LZMA comes back", () => {
  for (const bytes of [everyWord, new Uint8Array(100_001), Uint8Array.of(7)]) assert.deepEqual(unlzma(lzma(bytes), bytes.length), bytes);
});
