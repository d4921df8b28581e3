// The other side of web/packed/module.js: a module taken apart, so that it packs smaller.
import { joinModule, naturalAlignment, OPCODES, STREAM_COUNT, UNALIGNED, walkCode } from "../../web/packed/module.js";

const CODE_SECTION = 10;

/** Content of the code section: [first byte, byte after the last]. */
function findCode(module) {
  for (let at = 8; at < module.length; ) {
    const id = module[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      size += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    if (id === CODE_SECTION) return [at, at + size];
    at += size;
  }
  throw new Error("the module has no code");
}

/**
 * @param {Uint8Array} module
 * @returns {Uint8Array} what joinModule() takes
 */
export function splitModule(module) {
  const [begin, end] = findCode(module);
  const streams = Array.from({ length: STREAM_COUNT }, () => []);
  let from = begin;
  const byte = (stream) => {
    if (from >= end) throw new Error("the module's code ends early");
    const value = module[from++];
    streams[stream].push(value);
    return value;
  };
  walkCode({
    byte,
    body(move) {
      while (module[from++] > 127); // its size
      move();
    },
    opcode() {
      const op = module[from];
      if (op > 0xfc) throw new Error(`web/packed/module.js does not know the instruction 0x${op.toString(16)}`);
      const natural = naturalAlignment(op);
      if (Number.isNaN(natural)) return byte(OPCODES);
      const unaligned = module[from + 1] !== natural;
      if (unaligned) streams[OPCODES].push(UNALIGNED);
      byte(OPCODES);
      if (unaligned) byte(OPCODES);
      else ++from;
      return op;
    },
  });
  const head = Uint32Array.of(begin, end - begin, ...streams.map(({ length }) => length));
  const parts = Buffer.concat([Buffer.from(head.buffer), module.subarray(0, begin), module.subarray(end), ...streams.map((stream) => Buffer.from(stream))]);
  if (Buffer.compare(joinModule(parts), module) !== 0) throw new Error("the module does not come out as it was");
  return parts;
}
