// Writes the seed corpora: node tests/fuzz/make_seeds.mjs. Small valid files of every kind that the
// readers know, so that the fuzzers start inside the formats.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

function writer() {
  const parts = [];
  const put = (size, write) => {
    const b = Buffer.alloc(size);
    write(b);
    parts.push(b);
    return self;
  };
  const self = {
    raw: (text) => (parts.push(Buffer.from(text, 'latin1')), self),
    u8: (v) => put(1, (b) => b.writeUInt8(v)),
    u16: (v) => put(2, (b) => b.writeUInt16LE(v)),
    u32: (v) => put(4, (b) => b.writeUInt32LE(v)),
    u64: (v) => put(8, (b) => b.writeBigUInt64LE(BigInt(v))),
    f32: (v) => put(4, (b) => b.writeFloatLE(v)),
    text: (v) => self.u64(v.length).raw(v),
    start: (tensors, kvs, version = 3) => self.raw('GGUF').u32(version).u64(tensors).u64(kvs),
    number: (key, v) => self.text(key).u32(4).u32(v),
    string: (key, v) => self.text(key).u32(8).text(v),
    array: (key, type, count) => self.text(key).u32(9).u32(type).u64(count),
    tensor(name, ne, type, offset) {
      self.text(name).u32(ne.length);
      for (const n of ne) self.u64(n);
      return self.u32(type).u64(offset);
    },
    pad() {
      const size = self.bytes().length;
      return self.raw('\0'.repeat((32 - (size % 32)) % 32));
    },
    bytes: () => Buffer.concat(parts),
  };
  return self;
}

function model(architecture, numbers, tensors = [], more = 0, writeMore = () => {}) {
  const file = writer().start(tensors.length, 1 + Object.keys(numbers).length + more);
  file.string('general.architecture', architecture);
  for (const [key, value] of Object.entries(numbers)) {
    if (!Array.isArray(value)) file.number(`${architecture}.${key}`, value);
    else {
      file.array(`${architecture}.${key}`, 5, value.length);
      for (const v of value) file.u32(v);
    }
  }
  writeMore(file);
  let offset = 0;
  for (const [name, ne, type, bytes] of tensors) {
    file.tensor(name, ne, type, offset);
    offset += Math.ceil(bytes / 32) * 32;
  }
  return file.pad().bytes();
}

const size = { block_count: 2, embedding_length: 64, 'attention.head_count': 4 };
const llama_tensors = [
  ['token_embd.weight', [64, 10], 1, 1280],
  ['blk.0.ffn_down.weight', [256, 64], 12, 9216],
  ['blk.0.attn_norm.weight', [64], 0, 256],
];
const moe_tensors = [
  ['blk.0.ffn_gate_inp.weight', [64, 8], 0, 2048],
  ['blk.0.ffn_down_exps.weight', [32, 64, 8], 8, 17408],
  ['blk.0.attn_kv_b.weight', [32, 64], 2, 1152],
];
const gguf = {
  llama: model('llama', { ...size, context_length: 4096 }, llama_tensors),
  gemma: model('gemma3', { ...size, 'attention.sliding_window': 16 }),
  gemma4: model('gemma4', {
    ...size,
    'attention.sliding_window': 16,
    'attention.sliding_window_pattern': [1, 0],
    'attention.shared_kv_layers': 1,
  }),
  mla: model('deepseek2', { ...size, expert_count: 8, 'attention.kv_lora_rank': 32 }, moe_tensors),
  hybrid: model('nemotron_h', {
    ...size,
    'attention.head_count_kv': [0, 2],
    feed_forward_length: [0, 64],
    'ssm.conv_kernel': 4,
    'ssm.inner_size': 128,
    'ssm.state_size': 16,
    'ssm.group_count': 1,
    'ssm.time_step_rank': 8,
  }),
  qwen: model('qwen3next', { ...size, full_attention_interval: 2, nextn_predict_layers: 1 }),
  kimi: model('kimi-linear', { ...size, 'attention.head_count_kv': [0, 1], 'kda.head_dim': 16 }),
  tokens: model('llama', size, [], 2, (file) => {
    file.array('tokenizer.ggml.tokens', 8, 3).text('<s>').text('').text('word');
    file.array('tokenizer.ggml.scores', 6, 3).f32(0).f32(-1).f32(-2);
  }),
  split: model('llama', size, llama_tensors, 3, (file) => {
    file.text('split.no').u32(2).u16(0).text('split.count').u32(2).u16(2);
    file.text('split.tensors.count').u32(5).u32(6);
  }),
  types: model('llama', {}, [], 5, (file) => {
    file.text('a').u32(0).u8(1).text('b').u32(7).u8(1).text('c').u32(10).u64(1);
    file.text('d').u32(12).u64(0).number('general.alignment', 64);
  }),
  version2: writer().start(0, 0, 2).bytes(),
};

/** tensors: [name, dtype, shape, bytes]; `data` bytes follow, all of them unless given. */
function safetensors(tensors, data, metadata) {
  const header = metadata ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [name, dtype, shape, bytes] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, (end += bytes)] };
  }
  const json = JSON.stringify(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, Buffer.from(json), Buffer.alloc(data ?? end)]);
}

const layer = 'model.layers.0.mlp.up_proj';
const st = {
  plain: safetensors([['model.embed_tokens.weight', 'BF16', [4, 8], 64], ['lm_head.weight', 'F32', [2], 8]]),
  header_only: safetensors([['a', 'F16', [4], 8]], 0, { format: 'pt' }),
  gptq: safetensors([
    [`${layer}.qweight`, 'I32', [1, 8], 32],
    [`${layer}.qzeros`, 'I32', [1, 1], 4],
    [`${layer}.scales`, 'F16', [1, 8], 16],
    [`${layer}.g_idx`, 'I32', [8], 32],
  ], 0),
  bnb: safetensors([
    [`${layer}.weight`, 'U8', [32, 1], 32],
    [`${layer}.weight.absmax`, 'U8', [1], 1],
    [`${layer}.weight.quant_map`, 'F32', [16], 64],
    ['model.norm.weight', 'BF16', [8], 16],
  ], 0),
  fp8: safetensors([[`${layer}.weight`, 'F8_E4M3', [8, 8], 64], [`${layer}.weight_scale_inv`, 'F32', [1, 1], 4]], 0),
  mxfp4: safetensors([
    ['model.layers.0.mlp.experts.down_proj_blocks', 'U8', [2, 4, 1, 16], 128],
    ['model.layers.0.mlp.experts.down_proj_scales', 'U8', [2, 4, 1], 8],
  ], 0),
  packed: safetensors([
    [`${layer}.weight_packed`, 'I32', [4, 2], 32],
    [`${layer}.weight_scale`, 'BF16', [4, 1], 8],
    [`${layer}.weight_shape`, 'I64', [2], 16],
  ], 0),
  empty: safetensors([['e', 'F4', [0, 3], 0]]),
  index: Buffer.from('{"metadata":{"total_size":8},"weight_map":{"a":"m-00001-of-00002.safetensors","b":"m-00002-of-00002.safetensors"}}'),
};

const corpora = { gguf, safetensors: st };
for (const [reader, seeds] of Object.entries(corpora)) {
  mkdirSync(`${here}corpus/${reader}`, { recursive: true });
  for (const [name, bytes] of Object.entries(seeds)) {
    writeFileSync(`${here}corpus/${reader}/${name}`, bytes);
  }
}
