/**
 * A model hub for the tests, under /hub/ of the test server: files of any size of which only the
 * first bytes exist, answers by range or not, redirects, refusals and silence. It notes what it was
 * asked and how much it sent.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const truth = (path) => readFileSync(fileURLToPath(new URL(`../../truth/${path}`, import.meta.url)));

/** The header, followed by as many zeros as the weights would take. */
const llamaGguf = { bytes: truth('gguf/Llama-3.1-8B.gguf'), size: 17_952 + 16_061_055_232 };

function safetensors(tensors) {
  let end = 0;
  const members = tensors.map(([name, shape]) => {
    const begin = end;
    end += shape.reduce((product, length) => product * length, 2);
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(members)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return { bytes: Buffer.concat([length, json]), size: 8 + json.length + end };
}

/** Qwen3-0.6B's own shapes are not needed here: what counts is what is read and summed. */
const shardOf = (part) =>
  safetensors(Array.from({ length: 20 }, (_, at) => [`model.layers.${part * 20 + at}.mlp.up_proj.weight`, [65536, 8192]]));
const shards = [shardOf(0), shardOf(1)];
const shardName = (part) => `model-0000${part + 1}-of-00002.safetensors`;
const index = Buffer.from(
  JSON.stringify({
    metadata: { total_size: 40 * 65536 * 8192 * 2 },
    weight_map: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`model.layers.${at}.mlp.up_proj.weight`, shardName(at < 20 ? 0 : 1)])),
  }),
);
const small = (bytes) => ({ bytes, size: bytes.length });

const files = {
  'org/gguf/resolve/main/Llama-3.1-8B.gguf': llamaGguf,
  'org/sharded/resolve/main/model.safetensors.index.json': small(index),
  [`org/sharded/resolve/main/${shardName(0)}`]: shards[0],
  [`org/sharded/resolve/main/${shardName(1)}`]: shards[1],
  'org/config/resolve/main/config.json': small(truth('config/gpt-oss-20b.json')),
  'org/only-gguf/resolve/main/x-Q4_K_M.gguf': llamaGguf,
  'api/models/org/only-gguf/tree/main': small(
    Buffer.from(JSON.stringify([{ type: 'file', path: 'README.md', size: 3 }, { type: 'file', path: 'x-Q4_K_M.gguf', size: llamaGguf.size }])),
  ),
  'api/models/org/foreign/tree/main': small(Buffer.from(JSON.stringify([{ type: 'file', path: '//127.0.0.2:9/x.gguf', size: 1 }]))),
  'whole/gguf/resolve/main/Llama-3.1-8B.gguf': llamaGguf,
  'cdn/Llama-3.1-8B.gguf': llamaGguf,
};

export function startHub() {
  const asked = [];
  let sent = 0;

  const send = (response, status, headers, body) => {
    sent += body?.length ?? 0;
    response.writeHead(status, { 'cache-control': 'no-store', ...headers });
    response.end(body);
  };
  /** Zeros for as long as somebody reads. */
  const pour = (response, file) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.size });
    const zeros = Buffer.alloc(65536);
    const more = () => {
      while (!response.destroyed) {
        sent += zeros.length;
        if (!response.write(zeros)) return void response.once('drain', more);
      }
    };
    sent += file.bytes.length;
    response.write(file.bytes);
    more();
  };

  return {
    asked,
    sent: () => sent,
    handle(request, response, path) {
      asked.push(path);
      const [who] = path.split('/');
      if (path.startsWith('api/models/gated/') || who === 'gated') return send(response, 401, { 'x-error-code': 'GatedRepo' });
      if (who === 'forbidden') return send(response, 403, {});
      if (who === 'busy') return send(response, 429, { 'retry-after': '30' });
      if (who === 'broken') return request.socket.destroy();
      if (who === 'silent') return undefined; // never answers
      if (who === 'moved') return send(response, 302, { location: `/hub/cdn/${path.split('/').pop()}` });
      const file = files[path];
      if (!file) return send(response, 404, { 'x-error-code': 'EntryNotFound' }, 'Entry not found');
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
      if (!range || who === 'whole') return pour(response, file);
      const [first, last] = [Number(range[1]), Math.min(Number(range[2]), file.size - 1)];
      const body = Buffer.alloc(last - first + 1);
      file.bytes.copy(body, 0, first, Math.min(last + 1, file.bytes.length));
      return send(response, 206, { 'content-type': 'application/octet-stream', 'content-range': `bytes ${first}-${last}/${file.size}` }, body);
    },
  };
}
