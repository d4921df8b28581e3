// The other side of web/unpack.js: LZMA as text. The encoder is that of Python, which Emscripten
// brings on every system.
import { execFileSync } from "node:child_process";
import { PAIRS, UNSAFE, unpack } from "../../web/unpack.js";

const encoder = `
import lzma, sys
data = sys.stdin.buffer.read()
best = {"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0, "nice_len": 273, "depth": 1000}
sys.stdout.buffer.write(lzma.compress(data, format=lzma.FORMAT_RAW, filters=[best]))
`;

/**
 * Seven bits a character. Those that end a line, a string or a script, or do not survive a parser,
 * share a character of two bytes with the seven bits after them: no more bytes than two of one.
 * @param {Uint8Array} bytes
 */
export function toText(bytes) {
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
  return text;
}

/** @param {Uint8Array} bytes */
export function pack(bytes) {
  const python = process.env.EMSDK_PYTHON ?? "python3";
  const text = toText(execFileSync(python, ["-c", encoder], { input: bytes, maxBuffer: 1 << 26 }));
  if ([...UNSAFE].some((character) => text.includes(character))) throw new Error("packed text would not survive");
  if (Buffer.compare(unpack(text, bytes.length), bytes) !== 0) throw new Error("packed text does not come out as it was");
  return text;
}
