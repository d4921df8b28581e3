/**
 * The module's code, put together again from what scripts/lib/split-module.mjs took apart: opcodes and
 * each kind of operand lie in streams of their own, which LZMA packs a twelfth smaller than the code,
 * where they alternate.
 *
 * What came apart: eight-byte head (where the code section's content goes, and its length), sizes of
 * the streams (four bytes each, low byte first), the module without that content, the streams.
 * Source: WebAssembly Core Specification, 5.4 (instructions) and 5.5.13 (code section).
 */

export const STREAM_COUNT = 13;
const [HEAD, OPCODES, BLOCKS, BRANCHES, BRANCH_TABLES, CALLS, LOCALS, GLOBALS, OFFSETS, I32, I64, FLOATS, OTHERS] = Array(STREAM_COUNT).keys();
export { OPCODES };

/** Stands before an access to memory whose alignment is not that of its type, and follows in OPCODES. */
export const UNALIGNED = 0xff; // no opcode

/** Base-2 logarithm of the alignment of i32.load (0x28) to i64.store32 (0x3e). */
const ALIGNMENT = "23230011001122232301012";
/** @param {number} opcode @returns {number} NaN: not an access to memory */
export const naturalAlignment = (opcode) => (opcode >= 0x28 ? Number.parseInt(ALIGNMENT[opcode - 0x28]) : NaN);

/** Operands of 0xfc 0 (i32.trunc_sat_f32_s) to 0xfc 17 (table.fill). */
const BULK_OPERANDS = "000000002121212111";

/** block, loop and if, which reach to an END; as each body does. */
const opensBlock = (/** @type {number} */ op) => op >= 0x02 && op <= 0x04;
const END = 0x0b;

/**
 * Moves one unit from where it is read to where it is written.
 * @typedef {object} Mover
 * @property {(move: () => void) => void} body what `move` moves, and its size, which follows from it
 * @property {() => number} opcode moved, with the alignment of an access to memory
 * @property {(stream: number) => number} byte
 */

/**
 * Walks the content of a code section: the same steps take it apart and put it together.
 * @param {Mover} mover
 */
export function walkCode({ body, opcode, byte }) {
  /** @param {number} stream @returns {number} unsigned, as far as 32 bits go */
  const leb = (stream) => {
    let value = 0;
    let next = 128;
    for (let shift = 0; next > 127; shift += 7) {
      next = byte(stream);
      value |= (next & 127) << shift;
    }
    return value >>> 0;
  };
  /** @param {number} count @param {(stream: number) => number} move @param {number} stream */
  const several = (count, move, stream) => {
    while (count-- > 0) move(stream);
  };
  const instructions = () => {
    several(2 * leb(HEAD), leb, HEAD); // locals: how many of which type
    for (let depth = 1; depth > 0; ) {
      const op = opcode();
      if (opensBlock(op)) ++depth;
      if (op === END) --depth;
      if (op >= 0x20 && op <= 0x22) leb(LOCALS);
      else if (op >= 0x28 && op <= 0x3e) leb(OFFSETS);
      else if (op === 0x41) leb(I32);
      else if (op === 0x10) leb(CALLS);
      else if (opensBlock(op)) leb(BLOCKS);
      else if (op === 0x0c || op === 0x0d) leb(BRANCHES);
      else if (op === 0x23 || op === 0x24) leb(GLOBALS);
      else if (op === 0x42) leb(I64);
      else if (op === 0x44) several(8, byte, FLOATS);
      else if (op === 0x43) several(4, byte, FLOATS);
      else if (op === 0x0e) several(leb(BRANCH_TABLES) + 1, leb, BRANCH_TABLES);
      else if (op === 0x11) several(2, leb, OTHERS);
      else if (op === 0x1c) several(leb(OTHERS), leb, OTHERS);
      else if (op === 0x25 || op === 0x26 || op === 0x3f || op === 0x40 || op === 0xd0 || op === 0xd2) leb(OTHERS);
      else if (op === 0xfc) several(Number.parseInt(BULK_OPERANDS[leb(OTHERS)]), leb, OTHERS);
    }
  };
  for (let bodies = leb(HEAD); bodies > 0; --bodies) body(instructions);
}

/**
 * @param {Uint8Array} parts
 * @returns {Uint8Array<ArrayBuffer>} the module
 */
export function joinModule(parts) {
  const view = new DataView(parts.buffer, parts.byteOffset);
  const word = (/** @type {number} */ index) => view.getUint32(4 * index, true);
  const [place, length] = [word(0), word(1)];
  const begins = new Uint32Array(STREAM_COUNT);
  let end = parts.length;
  for (let stream = STREAM_COUNT - 1; stream >= 0; --stream) begins[stream] = end -= word(2 + stream);
  const rest = parts.subarray(4 * (2 + STREAM_COUNT), end);

  const module = new Uint8Array(rest.length + length);
  module.set(rest.subarray(0, place));
  module.set(rest.subarray(place), place + length);
  let to = place;
  const byte = (/** @type {number} */ stream) => (module[to++] = parts[begins[stream]++]);
  walkCode({
    byte,
    body(move) {
      const begin = to;
      move();
      const size = [];
      for (let rest = to - begin; size.length === 0 || rest > 0; rest >>= 7) size.push(rest > 127 ? (rest & 127) | 128 : rest);
      module.copyWithin(begin + size.length, begin, to);
      module.set(size, begin);
      to += size.length;
    },
    opcode() {
      let op = parts[begins[OPCODES]++];
      const unaligned = op === UNALIGNED;
      if (unaligned) op = parts[begins[OPCODES]++];
      module[to++] = op;
      if (unaligned) byte(OPCODES);
      else if (naturalAlignment(op) >= 0) module[to++] = naturalAlignment(op);
      return op;
    },
  });
  return module;
}
