/**
 * LZMA, as scripts/lib/pack.mjs packs: browsers bring a decoder for deflate only, a quarter larger for
 * the module.
 *
 * The format is that of the LZMA specification (Igor Pavlov, public domain), raw, with lc = 2,
 * lp = 0, pb = 0.
 */

const LITERAL_CONTEXT_BITS = 2;
const HALF = 1024; // of 2048: a bit of which nothing is known yet

/** Probabilities of one kind of bit begin at these places of one array. */
const IS_MATCH = 0; // by state
const IS_REPEAT = 12;
const IS_REPEAT_0 = 24;
const IS_REPEAT_1 = 36;
const IS_REPEAT_2 = 48;
const IS_LONG_REPEAT_0 = 60;
const DISTANCE_SLOT = 72; // by length, 64 each
const DISTANCE_MIDDLE = DISTANCE_SLOT + 4 * 64;
const DISTANCE_LOW = DISTANCE_MIDDLE + 115;
const LENGTH = DISTANCE_LOW + 16; // choice, choice, 8 short, 8 middle, 256 long
const LENGTH_SIZE = 2 + 8 + 8 + 256;
const REPEAT_LENGTH = LENGTH + LENGTH_SIZE;
const LITERAL = REPEAT_LENGTH + LENGTH_SIZE;

/**
 * @param {Uint8Array} input
 * @param {number} size bytes that come out
 */
export function unlzma(input, size) {
  const output = new Uint8Array(size);
  const chances = new Uint16Array(LITERAL + (0x300 << LITERAL_CONTEXT_BITS)).fill(HALF);
  let position = 5;
  // Range and code of the decoder: in an array, since engines make an object of a variable past 2^31.
  const coder = new Uint32Array([0xffffffff, new DataView(input.buffer, input.byteOffset).getUint32(1)]);

  const refill = () => {
    coder[0] <<= 8;
    coder[1] = (coder[1] << 8) | input[position++];
  };
  /** @param {number} at */
  const bit = (at) => {
    const chance = chances[at];
    const bound = (coder[0] >>> 11) * chance;
    let result = 0;
    if (coder[1] < bound) {
      coder[0] = bound;
      chances[at] = chance + ((2048 - chance) >> 5);
    } else {
      coder[0] -= bound;
      coder[1] -= bound;
      chances[at] = chance - (chance >> 5);
      result = 1;
    }
    if (coder[0] < 0x1000000) refill();
    return result;
  };
  /** Highest bit first. @param {number} at @param {number} count */
  const tree = (at, count) => {
    let node = 1;
    for (let left = count; left > 0; --left) node = (node << 1) | bit(at + node);
    return node - (1 << count);
  };
  /** Lowest bit first. @param {number} at @param {number} count */
  const reversed = (at, count) => {
    let node = 1;
    let result = 0;
    for (let i = 0; i < count; ++i) {
      const next = bit(at + node);
      node = (node << 1) | next;
      result |= next << i;
    }
    return result;
  };
  /** @param {number} count */
  const direct = (count) => {
    let result = 0;
    for (let left = count; left > 0; --left) {
      coder[0] >>>= 1;
      const next = coder[1] >= coder[0] ? 1 : 0;
      if (next) coder[1] -= coder[0];
      result = (result << 1) | next;
      if (coder[0] < 0x1000000) refill();
    }
    return result;
  };
  /** @param {number} at */
  const length = (at) => {
    if (!bit(at)) return tree(at + 2, 3);
    return bit(at + 1) ? 16 + tree(at + 18, 8) : 8 + tree(at + 10, 3);
  };
  /** @param {number} matched its length less two */
  const distance = (matched) => {
    const slot = tree(DISTANCE_SLOT + 64 * Math.min(matched, 3), 6);
    if (slot < 4) return slot;
    const count = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) << count;
    if (slot < 14) return base + reversed(DISTANCE_MIDDLE + base - slot, count);
    return base + (direct(count - 4) << 4) + reversed(DISTANCE_LOW, 4);
  };

  let state = 0;
  let last = [0, 0, 0, 0];
  let at = 0;
  while (at < size) {
    if (!bit(IS_MATCH + state)) {
      const before = at > 0 ? output[at - 1] : 0;
      const base = LITERAL + 0x300 * (before >> (8 - LITERAL_CONTEXT_BITS));
      let symbol = 1;
      if (state >= 7) {
        let matched = output[at - last[0] - 1];
        do {
          const expected = (matched >> 7) & 1;
          matched <<= 1;
          const next = bit(base + ((1 + expected) << 8) + symbol);
          symbol = (symbol << 1) | next;
          if (expected !== next) break;
        } while (symbol < 0x100);
      }
      while (symbol < 0x100) symbol = (symbol << 1) | bit(base + symbol);
      output[at++] = symbol;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    let count = 0;
    if (!bit(IS_REPEAT + state)) {
      count = length(LENGTH);
      last = [distance(count), last[0], last[1], last[2]];
      state = state < 7 ? 7 : 10;
    } else if (!bit(IS_REPEAT_0 + state)) {
      if (!bit(IS_LONG_REPEAT_0 + state)) {
        output[at] = output[at - last[0] - 1];
        at++;
        state = state < 7 ? 9 : 11;
        continue;
      }
      count = length(REPEAT_LENGTH);
      state = state < 7 ? 8 : 11;
    } else {
      const which = !bit(IS_REPEAT_1 + state) ? 1 : !bit(IS_REPEAT_2 + state) ? 2 : 3;
      const [again] = last.splice(which, 1);
      last.unshift(again);
      count = length(REPEAT_LENGTH);
      state = state < 7 ? 8 : 11;
    }
    for (const end = Math.min(at + count + 2, size); at < end; ++at) output[at] = output[at - last[0] - 1];
  }
  return output;
}
