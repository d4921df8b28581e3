// The other side of web/packed/: bytes as LZMA, and that as text. The encoder is that of Python, which
// Emscripten brings on every system.
import { execFileSync } from "node:child_process";
import { unlzma } from "../../web/packed/lzma.js";
import { fromSevenBits, PAIRS, UNSAFE } from "../../web/packed/seven-bits.js";
import { BLOCK_LENGTH, fromSixteenBits } from "../../web/packed/sixteen-bits.js";

const encoder = `
import lzma, sys
data = sys.stdin.buffer.read()
best = {"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "lc": 2, "lp": 0, "pb": 0, "nice_len": 273, "depth": 1000}
sys.stdout.buffer.write(lzma.compress(data, format=lzma.FORMAT_RAW, filters=[best]))
`;

const checked = (bytes, expected) => {
  if (Buffer.compare(bytes.subarray(0, expected.length), expected) !== 0) throw new Error("what was packed does not come out as it was");
};

/** @param {Uint8Array} bytes */
export function lzma(bytes) {
  const python = process.env.EMSDK_PYTHON ?? "python3";
  const packed = execFileSync(python, ["-c", encoder], { input: bytes, maxBuffer: 1 << 26 });
  checked(unlzma(packed, bytes.length), bytes);
  return packed;
}

/**
 * Those seven bits that end a line, a string or a script, or do not survive a parser, share a character
 * of two bytes with the seven bits after them: no more bytes than two of one.
 * @param {Uint8Array} bytes
 */
export function toSevenBits(bytes) {
  let text = "";
  let taken = 0;
  const ends = bytes.length * 8;
  const seven = () => {
    const at = taken >> 3;
    const word = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const bits = (word >> (9 - (taken & 7))) & 127;
    taken += 7;
    return bits;
  };
  while (taken < ends) {
    const bits = seven();
    const at = UNSAFE.indexOf(String.fromCharCode(bits));
    text += String.fromCharCode(at < 0 ? bits : PAIRS + 128 * at + seven());
  }
  if ([...UNSAFE].some((character) => text.includes(character))) throw new Error("packed text would not survive");
  checked(fromSevenBits(text), bytes);
  return text;
}

/** Half of a pair, or what a parser of HTML changes or acts upon ("<"). */
const unsafe = (code) => (code >= 0xd800 && code < 0xe000) || code === 0 || code === 0x0a || code === 0x0d || code === 0x3c;

/** Of an odd number, modulo 2^16. Each step of Newton's method doubles the bits that are right. */
function inverse(odd) {
  let guess = odd; // right in three bits
  for (let step = 0; step < 3; ++step) guess = Math.imul(guess, 2 - Math.imul(odd, guess));
  return guess & 0xffff;
}

/**
 * A block whose characters are all safe. 2,052 of the 65,536 codes are not, so of n characters all are
 * with a probability of 0.9687^n: at 220 about thirty of the 32 thousand factors will do, and a block
 * without any comes once in 10^13. (At 250 eleven would, and one page in a hundred could not be packed.)
 * @param {number[]} words
 */
function sixteenBitBlock(words) {
  for (let factor = 1; factor < 1 << 16; factor += 2) {
    const divide = inverse(factor);
    const coded = (word) => (word * divide - 1) & 0xffff;
    if (!unsafe(factor) && !words.some((word) => unsafe(coded(word)))) return String.fromCharCode(factor, ...words.map(coded));
  }
  throw new Error("packed text would not survive");
}

/** @param {Uint8Array} bytes */
export function toSixteenBits(bytes) {
  const word = (index) => bytes[2 * index] | ((bytes[2 * index + 1] ?? 0) << 8);
  const words = Array.from({ length: Math.ceil(bytes.length / 2) }, (_, index) => word(index));
  let text = "";
  for (let begin = 0; begin < words.length; begin += BLOCK_LENGTH) text += sixteenBitBlock(words.slice(begin, begin + BLOCK_LENGTH));
  checked(fromSixteenBits(text), bytes);
  return text;
}
