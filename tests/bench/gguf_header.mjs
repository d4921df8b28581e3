// Reading the header of a Llama-3.1-like GGUF (291 tensors, 128,256 tokens, 280,147 merges): our
// WebAssembly reader beside two npm packages, in one run. Needs scripts/test or a wasm build first.
//
//   node tests/bench/gguf_header.mjs [ROUNDS] [--json]
//
// The file is generated. All three start from the file on disk and end with metadata and tensor
// infos; ours reads the ranges it asks for, hyllama takes a buffer, @huggingface/gguf a path.
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { gguf } from '@huggingface/gguf';
import { ggufMetadata } from 'hyllama';

const rounds = Number(process.argv[2] ?? 9);
const targets = { '@huggingface/gguf': 50, hyllama: 12 };
const n = { layers: 32, embd: 4096, kv: 1024, ff: 14336, vocab: 128256, merges: 280147 };

/** Words of the lengths that byte-pair vocabularies have; the same on every run. */
function* words(count, join_with) {
  let state = 12345;
  const random = (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % limit;
  };
  const word = (longest) => {
    let text = '';
    for (let left = 1 + random(longest); left > 0; --left) text += String.fromCharCode(97 + random(26));
    return text;
  };
  for (let i = 0; i < count; ++i) yield join_with ? `${word(10)}${join_with}${word(10)}` : word(16);
}

function generate() {
  const parts = [];
  const u32 = (v) => { const b = Buffer.alloc(4); b.writeUInt32LE(v); parts.push(b); };
  const u64 = (v) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(v)); parts.push(b); };
  const text = (v) => { u64(Buffer.byteLength(v)); parts.push(Buffer.from(v)); };
  const number = (key, v) => { text(`llama.${key}`); u32(4); u32(v); };
  const strings = (key, list, count) => {
    text(key); u32(9); u32(8); u64(count);
    for (const item of list) text(item);
  };
  const shapes = [];
  const add = (name, ...ne) => shapes.push([name, ne]);
  add('token_embd.weight', n.embd, n.vocab);
  for (let il = 0; il < n.layers; ++il) {
    const block = (name, ...ne) => add(`blk.${il}.${name}.weight`, ...ne);
    block('attn_norm', n.embd);
    block('attn_q', n.embd, n.embd);
    block('attn_k', n.embd, n.kv);
    block('attn_v', n.embd, n.kv);
    block('attn_output', n.embd, n.embd);
    block('ffn_norm', n.embd);
    block('ffn_gate', n.embd, n.ff);
    block('ffn_up', n.embd, n.ff);
    block('ffn_down', n.ff, n.embd);
  }
  add('output_norm.weight', n.embd);
  add('output.weight', n.embd, n.vocab);

  parts.push(Buffer.from('GGUF'));
  u32(3); u64(shapes.length); u64(13);
  text('general.architecture'); u32(8); text('llama');
  text('general.name'); u32(8); text('Llama 3.1 8B, generated');
  number('block_count', n.layers); number('context_length', 131072);
  number('embedding_length', n.embd); number('feed_forward_length', n.ff);
  number('attention.head_count', 32); number('attention.head_count_kv', 8);
  number('vocab_size', n.vocab);
  text('tokenizer.ggml.model'); u32(8); text('gpt2');
  strings('tokenizer.ggml.tokens', words(n.vocab), n.vocab);
  text('tokenizer.ggml.token_type'); u32(9); u32(5); u64(n.vocab);
  parts.push(Buffer.alloc(n.vocab * 4, 1));
  strings('tokenizer.ggml.merges', words(n.merges, ' '), n.merges);
  let offset = 0n;
  for (const [name, ne] of shapes) {
    text(name); u32(ne.length);
    for (const value of ne) u64(value);
    u32(1); u64(offset);
    offset += BigInt(ne.reduce((a, b) => a * b, 2));
  }
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(Buffer.alloc((32 - (size % 32)) % 32));
  return Buffer.concat(parts);
}

async function load_core(scratch) {
  const built = fileURLToPath(new URL('../../build/wasm/wasm/', import.meta.url));
  const script = join(scratch, 'meyasu.cjs'); // a classic script; .js here would mean a module
  copyFileSync(join(built, 'meyasu.js'), script);
  const create = createRequire(import.meta.url)(script);
  return create({ wasmBinary: readFileSync(join(built, 'meyasu.wasm')) });
}

/** As the page does it: read what the reader needs, feed it, until it has finished. */
function read_with_core(core, path) {
  const file = openSync(path);
  const reader = new core.GgufReader(statSync(path).size);
  const buffer = new Uint8Array(2 << 20);
  while (!reader.finished()) {
    const { offset, length } = reader.need();
    const count = readSync(file, buffer, 0, length, offset);
    reader.feed(buffer.subarray(0, count));
  }
  const result = reader.take();
  reader.delete();
  closeSync(file);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const model = core.model_from_gguf(result.value);
  const answer = { tensors: result.value.summary().n_tensors, vocab: model.value.summary().n_vocab };
  model.value.delete();
  result.value.delete();
  return answer;
}

const median = (values) => values.slice().sort((a, b) => a - b)[values.length >> 1];

const folder = mkdtempSync(join(tmpdir(), 'meyasu-bench-'));
const path = join(folder, 'llama-3.1-like.gguf');
try {
  writeFileSync(path, generate());
  const core = await load_core(folder);
  const readers = {
    meyasu: async () => read_with_core(core, path),
    hyllama: async () => {
      const file = readFileSync(path);
      const { metadata, tensorInfos } = ggufMetadata(
        file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
      return { tensors: tensorInfos.length, vocab: metadata['tokenizer.ggml.tokens'].length };
    },
    '@huggingface/gguf': async () => {
      const { metadata, tensorInfos } = await gguf(path, { allowLocalFile: true });
      return { tensors: tensorInfos.length, vocab: metadata['tokenizer.ggml.tokens'].length };
    },
  };
  const times = Object.fromEntries(Object.keys(readers).map((name) => [name, []]));
  for (let round = 0; round <= rounds; ++round) { // round 0 warms up; the order alternates
    const order = Object.keys(readers);
    if (round % 2) order.reverse();
    for (const name of order) {
      const start = performance.now();
      const answer = await readers[name]();
      if (round > 0) times[name].push(performance.now() - start);
      if (answer.tensors !== 291 || answer.vocab !== n.vocab) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    }
  }
  const ours = median(times.meyasu);
  if (process.argv[3] === '--json') {
    console.log(JSON.stringify(Object.entries(times).map(([name, list]) => ({ name, median: median(list), ratio: median(list) / ours }))));
  } else {
    console.log(`${(statSync(path).size / 1e6).toFixed(2)} MB, 291 tensors, median of ${rounds} rounds`);
    console.log(`${'reader'.padEnd(20)}${'ms'.padStart(9)}${'min ms'.padStart(9)}${'ratio'.padStart(9)}${'target'.padStart(9)}`);
    for (const [name, list] of Object.entries(times)) {
      const ratio = median(list) / ours;
      const target = targets[name] ? `${targets[name]}x` : '';
      console.log(`${name.padEnd(20)}${median(list).toFixed(2).padStart(9)}${Math.min(...list).toFixed(2).padStart(9)}${`${ratio.toFixed(1)}x`.padStart(9)}${target.padStart(9)}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
