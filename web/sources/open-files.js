/** From files (on disk or on a server) to a model, each read no further than its header. */

import { readHeader, readText } from "./byte-source.js";
import { OpenError, valueOf } from "./open-error.js";

/** @typedef {import("./byte-source.js").ByteSource} ByteSource */
/** @typedef {import("../core-types.js").Core} Core */
/** @typedef {import("../core-types.js").CoreError} CoreError */
/** @typedef {import("../core-types.js").HeaderSummary} HeaderSummary */

/**
 * @typedef {object} Opened
 * @property {import("../core-types.js").Model} model the caller deletes it
 * @property {string} title
 * @property {"gguf" | "safetensors" | "config"} kind
 * @property {number} n_files
 * @property {number} bytesRead
 * @property {HeaderSummary | null} header of all files together; null for a config.json alone
 * @property {StoredWeights | null} checkpoint what a safetensors checkpoint stores
 * @property {CoreError[]} notes not fatal
 *
 * @typedef {Omit<import("../core-types.js").Checkpoint, "model"> &
 *   { parameters: import("../core-types.js").ModelParameters }} StoredWeights
 *
 * @typedef {object} Options
 * @property {AbortSignal} signal
 * @property {(part: number) => void} onProgress 0 to 1
 */

/** A config.json has a few KB, the largest index some 20 MB. */
const MOST_TEXT = 64 * 2 ** 20;

/** @param {string} name */
export function kindOf(name) {
  const lower = name.toLowerCase();
  if (lower.endsWith(".gguf")) return "gguf";
  if (lower.endsWith(".safetensors")) return "safetensors";
  if (lower.endsWith(".index.json")) return "index";
  if (lower.endsWith(".json")) return "config";
  return "unknown";
}

/** @param {string} name */
const withoutEnding = (name) =>
  name.replace(/\.(gguf|safetensors|json)$/i, "").replace(/-\d{5}-of-\d{5}$/, "");

/**
 * @param {Core} core
 * @param {ByteSource[]} sources
 * @param {Options} options
 * @returns {Promise<Opened>}
 */
export async function openSources(core, sources, options) {
  /** @param {ReturnType<typeof kindOf>} kind */
  const ofKind = (kind) => sources.filter(({ name }) => kindOf(name) === kind);
  const gguf = ofKind("gguf");
  if (gguf.length > 0) return openGguf(core, gguf, options);
  const safetensors = ofKind("safetensors");
  // A whole folder brings tokenizer.json and the like, too.
  const described = ofKind("config");
  const config = described.find(({ name }) => name.toLowerCase() === "config.json") ?? described[0];
  const [index] = ofKind("index");
  if (safetensors.length > 0) {
    return openSafetensors(core, { shards: safetensors, config, index }, options);
  }
  if (config) return openConfig(core, config, options);
  if (index) {
    const files = await filesOfIndex(core, index);
    throw new OpenError("shard_missing", files.slice(0, 3).join(", ") + (files.length > 3 ? ` +${files.length - 3}` : ""));
  }
  // The reader tells a GGUF file without its ending from anything else.
  return openGguf(core, sources, options);
}

/**
 * Reads the headers of several files, and their progress as one.
 * @template {{ summary(): HeaderSummary, delete(): void }} Header
 * @param {ByteSource[]} sources
 * @param {new (size: number) => import("../core-types.js").FileReader<Header>} Reader
 * @param {Options} options
 */
async function readAll(sources, Reader, { signal, onProgress }) {
  /** @type {{ file_name: string, header: Header }[]} */
  const parts = [];
  let bytesRead = 0;
  try {
    for (const [at, source] of sources.entries()) {
      const read = await readHeader(new Reader(source.size), source, {
        signal,
        onProgress(part, bytes) {
          bytesRead += bytes;
          onProgress((at + part) / sources.length);
        },
      });
      if (!read.ok && sources.length > 1) throw new OpenError(read.error.code, `${source.name}: ${read.error.detail}`);
      parts.push({ file_name: source.name, header: valueOf(read) });
    }
    return { parts, bytesRead };
  } catch (error) {
    for (const { header } of parts) header.delete();
    throw error;
  }
}

/**
 * @param {Core} core
 * @param {ByteSource[]} sources
 * @param {Options} options
 * @returns {Promise<Opened>}
 */
async function openGguf(core, sources, options) {
  const { parts, bytesRead } = await readAll(sources, core.GgufReader, options);
  const merged = core.merge_gguf_splits(parts);
  for (const { header } of parts) header.delete();
  const header = valueOf(merged);
  const summary = header.summary();
  const built = core.model_from_gguf(header);
  header.delete();
  const model = valueOf(built);
  return {
    model,
    title: model.summary().name || withoutEnding(sources[0].name),
    kind: "gguf",
    n_files: sources.length,
    bytesRead,
    header: summary,
    checkpoint: null,
    notes: summary.finding ? [summary.finding] : [],
  };
}

/**
 * @param {Core} core
 * @param {{ shards: ByteSource[], config?: ByteSource, index?: ByteSource }} files
 * @param {Options} options
 * @returns {Promise<Opened>}
 */
async function openSafetensors(core, { shards, config, index }, options) {
  const indexText = index ? await readText(index, MOST_TEXT) : null;
  const configText = config ? await readText(config, MOST_TEXT) : "";
  const { parts, bytesRead } = await readAll(shards, core.SafetensorsReader, options);
  const known = indexText === null ? null : core.parse_safetensors_index(indexText);
  try {
    const merged = core.merge_safetensors(parts, known ? valueOf(known) : null);
    const header = valueOf(merged);
    const summary = header.summary();
    const stored = core.checkpoint_from_safetensors(header, configText);
    header.delete();
    const { model: tensors, ...checkpoint } = valueOf(stored);
    const parameters = tensors.summary().parameters;
    /** @type {import("../core-types.js").Model} */
    let model = tensors;
    if (config) {
      const described = core.model_from_config(configText);
      tensors.delete();
      model = valueOf(described);
    }
    return {
      model,
      title: model.summary().name || withoutEnding(shards[0].name),
      kind: "safetensors",
      n_files: shards.length,
      bytesRead: bytesRead + (indexText?.length ?? 0) + configText.length,
      header: summary,
      checkpoint: { ...checkpoint, parameters },
      notes: summary.finding ? [summary.finding] : [],
    };
  } finally {
    for (const { header } of parts) header.delete();
    if (known?.ok) known.value.delete();
  }
}

/**
 * @param {Core} core
 * @param {ByteSource} config
 * @param {Options} options
 * @returns {Promise<Opened>}
 */
async function openConfig(core, config, { signal }) {
  const text = await readText(config, MOST_TEXT);
  signal.throwIfAborted();
  const model = valueOf(core.model_from_config(text));
  return {
    model,
    title: model.summary().name || withoutEnding(config.name),
    kind: "config",
    n_files: 1,
    bytesRead: text.length,
    header: null,
    checkpoint: null,
    notes: [],
  };
}

/**
 * @param {Core} core
 * @param {ByteSource} index
 */
export async function filesOfIndex(core, index) {
  const parsed = valueOf(core.parse_safetensors_index(await readText(index, MOST_TEXT)));
  const files = parsed.files();
  parsed.delete();
  return files;
}
