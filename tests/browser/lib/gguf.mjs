/** Small GGUF headers for tests. Layout: the description in core/readers/gguf_header.hpp. */

const types = { u16: 2, u32: 4, string: 8, strings: 9 };

function text(value) {
  const bytes = Buffer.from(value, 'utf8');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes]);
}
function number(value, bytes) {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes > 6 ? 6 : bytes);
  return buffer;
}

/**
 * @param {[string, 'u16' | 'u32' | 'string' | 'strings', any][]} kvs
 * @param {{ name: string, ne: number[] }[]} tensors of F16
 * @returns {{ header: Buffer, size: number }} size: of the file with its data, which nobody needs
 */
export function ggufFile(kvs, tensors, version = 3) {
  const parts = [Buffer.from('GGUF'), number(version, 4), number(tensors.length, 8), number(kvs.length, 8)];
  for (const [key, type, value] of kvs) {
    parts.push(text(key), number(types[type], 4));
    if (type === 'string') parts.push(text(value));
    else if (type === 'strings') parts.push(number(types.string, 4), number(value.length, 8), Buffer.concat(value.map(text)));
    else parts.push(number(value, type === 'u16' ? 2 : 4));
  }
  let offset = 0;
  for (const { name, ne } of tensors) {
    parts.push(text(name), number(ne.length, 4), ...ne.map((length) => number(length, 8)), number(1, 4), number(offset, 8));
    offset += ne.reduce((product, length) => product * length, 2);
  }
  const bytes = Buffer.concat(parts);
  const header = Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)]);
  return { header, size: header.length + offset };
}

/**
 * A model of `n_parts` files with 50 tensors of 1 GiB each.
 * @param {number} n_parts
 * @param {[string, 'strings', string[]][]} more of the first part, as a tokenizer
 */
export function splitModel(n_parts, more = []) {
  const common = [
    ['general.architecture', 'string', 'llama'],
    ['general.name', 'string', 'Giant'],
    ['llama.block_count', 'u32', n_parts * 50],
    ['llama.context_length', 'u32', 8192],
    ['llama.embedding_length', 'u32', 4096],
    ['llama.attention.head_count', 'u32', 32],
    ['llama.feed_forward_length', 'u32', 131072],
  ];
  return Array.from({ length: n_parts }, (_, part) => {
    const tensors = Array.from({ length: 50 }, (_tensor, at) => ({ name: `blk.${part * 50 + at}.ffn_up.weight`, ne: [4096, 131072] }));
    const kvs = [...(part === 0 ? [...common, ...more] : []), ['split.no', 'u16', part], ['split.count', 'u16', n_parts], ['split.tensors.count', 'u32', n_parts * 50]];
    const number_of = (value) => String(value).padStart(5, '0');
    return { name: `giant-${number_of(part + 1)}-of-${number_of(n_parts)}.gguf`, ...ggufFile(kvs, tensors) };
  });
}
