// The other side of web/unpack.js: LZMA in base 85. The encoder is that of Python, which Emscripten
// brings on every system.
import { execFileSync } from "node:child_process";

const encoder = `
import lzma, sys
data = sys.stdin.buffer.read()
best = {"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0, "nice_len": 273, "depth": 1000}
sys.stdout.buffer.write(lzma.compress(data, format=lzma.FORMAT_RAW, filters=[best]))
`;

/** Characters from "#" on, but not those that end a script or a string. */
const character = (digit) => String.fromCharCode(digit + 35 === 60 ? 120 : digit + 35 === 92 ? 121 : digit + 35);

function base85(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4) {
    let word = 0;
    for (let k = 0; k < 4; ++k) word = word * 256 + (bytes[i + k] ?? 0);
    let digits = "";
    for (let k = 0; k < 5; ++k) {
      digits = character(word % 85) + digits;
      word = Math.floor(word / 85);
    }
    text += digits;
  }
  return text;
}

/** @param {Uint8Array} bytes */
export const pack = (bytes) =>
  base85(execFileSync(process.env.EMSDK_PYTHON ?? "python3", ["-c", encoder], { input: bytes, maxBuffer: 1 << 26 }));
