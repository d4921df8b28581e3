/**
 * A file on a server as a ByteSource: range requests, one after the other. A server that ignores
 * ranges answers with the whole file; then its stream is read as far as needed and dropped.
 */

import { decoded } from "../decoded.js";
import { OpenError } from "./open-error.js";

/** Without a byte for this long, the server counts as not answering. */
const PATIENCE_MS = 15_000;

/**
 * @param {Response} response
 * @returns {OpenError}
 */
function refusal(response) {
  const { status, headers } = response;
  // Hugging Face answers 401 for private and for missing repositories; a header tells them apart.
  const reason = headers.get("x-error-code");
  if (status === 404 || status === 410 || reason === "RepoNotFound") return new OpenError("hf_404");
  if (status === 401 || status === 403) return new OpenError("hf_gated");
  if (status === 429 || status === 503) {
    const seconds = Number(headers.get("retry-after") ?? NaN);
    return Number.isFinite(seconds) ? new OpenError("hf_429", String(seconds)) : new OpenError("hf_busy");
  }
  return new OpenError("http_status", String(status));
}

/**
 * A request that gives up when the server is silent. `alive` is called on every sign of life.
 * @param {AbortSignal} outer
 */
function patience(outer) {
  const controller = new AbortController();
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new OpenError("net_slow")), PATIENCE_MS);
  };
  const stop = () => controller.abort(outer.reason);
  outer.addEventListener("abort", stop, { once: true });
  if (outer.aborted) stop();
  alive();
  return {
    signal: controller.signal,
    alive,
    end() {
      clearTimeout(timer);
      outer.removeEventListener("abort", stop);
      controller.abort(new OpenError("net"));
    },
  };
}

/**
 * What fetch throws, as our own error: a cancelled one stays what it is.
 * @param {unknown} error
 * @param {AbortSignal} outer
 * @param {AbortSignal} inner
 */
function asOpenError(error, outer, inner) {
  if (outer.aborted) return outer.reason;
  if (error instanceof OpenError) return error;
  if (inner.aborted && inner.reason instanceof OpenError) return inner.reason;
  return new OpenError("net");
}

/** @param {string | null} value "bytes 0-65535/1234567" */
function totalOf(value) {
  const [, total] = /\/(\d+)$/.exec(value ?? "") ?? [];
  return total === undefined ? null : Number(total);
}

/**
 * Opens a file: one request for its first bytes, which also tells the size.
 * @param {string} url
 * @param {AbortSignal} signal
 * @param {number} [first] bytes of the first request
 * @returns {Promise<import("./byte-source.js").ByteSource & { url: string }>}
 */
export async function httpSource(url, signal, first = 65536) {
  /** Bytes that have arrived and were not asked for yet, from `at` on. */
  let ahead = { at: 0, bytes: new Uint8Array(0) };
  /** The rest of an answer that ignored the range. @type {ReadableStreamDefaultReader<Uint8Array> | null} */
  let stream = null;
  let waiting = patience(signal);
  let size = Number.MAX_SAFE_INTEGER;

  /**
   * @param {number} offset
   * @param {number} length
   */
  async function request(offset, length) {
    waiting.end();
    waiting = patience(signal);
    const response = await fetch(url, {
      headers: { range: `bytes=${offset}-${offset + length - 1}` },
      signal: waiting.signal,
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
    });
    waiting.alive();
    if (response.status === 416) return { bytes: new Uint8Array(0), total: totalOf(response.headers.get("content-range")) };
    if (!response.ok || !response.body) throw refusal(response);
    if (response.status === 206) {
      const bytes = await collect(response.body.getReader(), length);
      return { bytes, total: totalOf(response.headers.get("content-range")) };
    }
    stream = response.body.getReader();
    const total = Number(response.headers.get("content-length") ?? NaN);
    return { bytes: await collect(stream, offset + length, true), total: Number.isNaN(total) ? null : total };
  }

  /**
   * At least `length` bytes of a stream, or all there are.
   * @param {ReadableStreamDefaultReader<Uint8Array>} reader
   * @param {number} length
   * @param {boolean} [keepOpen]
   */
  async function collect(reader, length, keepOpen = false) {
    /** @type {Uint8Array[]} */
    const pieces = [];
    let have = 0;
    let ended = false;
    while (have < length && !ended) {
      const { value, done } = await reader.read();
      waiting.alive();
      ended = done;
      if (value) {
        pieces.push(value);
        have += value.length;
      }
    }
    if (!keepOpen && !ended) await reader.cancel();
    return joined(pieces, have);
  }

  /**
   * @param {number} offset
   * @param {number} length
   */
  async function read(offset, length) {
    try {
      const end = Math.min(offset + length, size);
      if (stream) {
        const missing = end - ahead.at - ahead.bytes.length;
        if (missing > 0) {
          const more = await collect(stream, missing, true);
          ahead = { at: ahead.at, bytes: joined([ahead.bytes, more], ahead.bytes.length + more.length) };
        }
      } else if (offset < ahead.at || end > ahead.at + ahead.bytes.length) {
        ahead = { at: offset, bytes: (await request(offset, end - offset)).bytes };
      }
      const bytes = ahead.bytes.subarray(offset - ahead.at, end - ahead.at);
      // What was given out is not needed again: readers move forward.
      if (stream) ahead = { at: offset, bytes: ahead.bytes.subarray(offset - ahead.at) };
      return bytes;
    } catch (error) {
      throw asOpenError(error, signal, waiting.signal);
    }
  }

  try {
    const start = await request(0, first);
    ahead = { at: 0, bytes: start.bytes };
    if (start.total !== null) size = start.total;
  } catch (error) {
    const known = asOpenError(error, signal, waiting.signal);
    waiting.end();
    throw known;
  }
  return {
    url,
    name: decoded(new URL(url).pathname.split("/").pop() ?? ""),
    size,
    read,
    close: () => waiting.end(),
  };
}

/**
 * @param {Uint8Array[]} pieces
 * @param {number} length
 */
function joined(pieces, length) {
  const result = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}
