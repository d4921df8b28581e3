/**
 * What somebody typed as the place of a model: a Hugging Face id, a page of a repository, or the
 * address of a file. Reading it asks nothing of any server; openAddress does.
 */

import { decoded } from "../decoded.js";
import { readText } from "./byte-source.js";
import { httpSource } from "./http-source.js";
import { OpenError } from "./open-error.js";
import { filesOfIndex, kindOf, openSources } from "./open-files.js";

/** @typedef {import("./byte-source.js").ByteSource} ByteSource */
/** @typedef {import("./open-files.js").Opened} Opened */

/**
 * @typedef {object} Address
 * @property {"repository" | "file"} kind
 * @property {string} host that will be asked
 * @property {string} name the repository or the file, for people
 * @property {string} base of a repository: where its files are, with a final slash
 * @property {string} listing of a repository: the address that lists its files
 * @property {string} url of a file
 *
 * @typedef {object} Choice a repository that holds several models
 * @property {{ name: string, url: string, size: number }[]} files
 */

const HUB = "https://huggingface.co";
const ID = /^[\w.-]{1,96}\/[\w.-]{1,96}$/;
/** Requests at a time for the headers of shards. */
const AT_ONCE = 4;
const MOST_LISTED = 8 * 2 ** 20;

/**
 * @param {string} origin
 * @param {string} id
 * @param {string} revision
 * @returns {Address}
 */
function repository(origin, id, revision) {
  const base = new URL(origin.replace(/\/$/, ""));
  const root = base.href.replace(/\/$/, "");
  return {
    kind: "repository",
    host: base.host,
    name: id,
    base: `${root}/${id}/resolve/${revision}/`,
    listing: `${root}/api/models/${id}/tree/${revision}?recursive=true`,
    url: "",
  };
}

/** @param {string} text */
function parsedUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} text
 * @returns {Address | null} null: it is neither an id nor an address
 */
export function parseAddress(text) {
  const typed = text.trim().replace(/^(hf:\/\/|hf\.co\/|huggingface\.co\/)/i, (prefix) =>
    prefix.toLowerCase() === "hf://" ? "" : `${HUB}/`,
  );
  if (ID.test(typed)) return repository(HUB, typed, "main");
  const url = parsedUrl(typed);
  if (!url) return null;
  const path = url.pathname.replace(/\/$/, "");
  const name = decoded(path.split("/").pop() ?? "");
  if (kindOf(name) !== "unknown") {
    // Pages about a file ("blob") show what "resolve" delivers.
    const file = new URL(url.href);
    file.pathname = file.pathname.replace(/^((?:\/[^/]+)*?\/[^/]+\/[^/]+)\/blob\//, "$1/resolve/");
    file.hash = "";
    return { kind: "file", host: url.host, name, base: "", listing: "", url: file.href };
  }
  const [, prefix = "", id = "", revision = "main"] =
    /^(.*?)\/([^/]+\/[^/]+)(?:\/(?:tree|resolve)\/([^/]+).*)?$/.exec(repositoryPath(path)) ?? [];
  return ID.test(id) ? repository(url.origin + prefix, id, revision) : null;
}

/** The id is the last two parts, or those before /tree/. @param {string} path */
function repositoryPath(path) {
  const [before, after] = path.split(/(?=\/(?:tree|resolve)\/)/);
  const parts = before.split("/");
  return [parts.slice(0, -2).join("/"), ...parts.slice(-2)].join("/") + (after ?? "");
}

/**
 * A file of a repository; whatever its name, it is on that server.
 * @param {Address} address
 * @param {string} path
 */
const fileOf = ({ base }, path) => new URL(`./${path.split("/").map(encodeURIComponent).join("/")}`, base).href;

/**
 * Fetches the headers. Asks nobody but `address.host` and those it redirects to.
 * @param {import("../core-types.js").Core} core
 * @param {Address} address
 * @param {import("./open-files.js").Options} options
 * @returns {Promise<Opened | Choice>}
 */
export async function openAddress(core, address, options) {
  return address.kind === "file"
    ? openFile(core, address.url, options)
    : openRepository(core, address, options);
}

/**
 * @param {import("../core-types.js").Core} core
 * @param {string} url
 * @param {import("./open-files.js").Options} options
 */
async function openFile(core, url, options) {
  const name = new URL(url).pathname.split("/").pop() ?? "";
  const [, before, count] = /^(.*-)\d{5}-of-(\d{5})\.(?:gguf|safetensors)$/i.exec(name) ?? [];
  if (count === undefined) return openUrls(core, [url], options);
  const ending = name.slice(name.lastIndexOf("."));
  const urls = Array.from({ length: Math.min(Number(count), 1000) }, (_, at) =>
    new URL(`${before}${String(at + 1).padStart(5, "0")}-of-${count}${ending}`, url).href,
  );
  return openUrls(core, urls, options);
}

/**
 * @param {import("../core-types.js").Core} core
 * @param {string[]} urls
 * @param {import("./open-files.js").Options} options
 * @param {ByteSource[]} [more] already open
 */
async function openUrls(core, urls, { signal, onProgress }, more = []) {
  const sources = [...more];
  try {
    for (let at = 0; at < urls.length; at += AT_ONCE) {
      const opened = await Promise.all(urls.slice(at, at + AT_ONCE).map((url) => httpSource(url, signal)));
      sources.push(...opened);
      onProgress((at + opened.length) / urls.length / 2);
    }
    return await openSources(core, sources, { signal, onProgress: (part) => onProgress((1 + part) / 2) });
  } finally {
    for (const source of sources) source.close();
  }
}

/**
 * A source, or null where the server has no such file.
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function sourceIfThere(url, signal) {
  try {
    return await httpSource(url, signal);
  } catch (error) {
    if (error instanceof OpenError && error.code === "hf_404") return null;
    throw error;
  }
}

/**
 * @param {import("../core-types.js").Core} core
 * @param {Address} address
 * @param {import("./open-files.js").Options} options
 * @returns {Promise<Opened | Choice>}
 */
async function openRepository(core, address, options) {
  const { signal } = options;
  const at = (/** @type {string} */ name) => fileOf(address, name);
  const config = await sourceIfThere(at("config.json"), signal);
  const index = await sourceIfThere(at("model.safetensors.index.json"), signal);
  const single = index ? null : await sourceIfThere(at("model.safetensors"), signal);
  const found = [config, index, single].filter((source) => source !== null);
  try {
    if (index) {
      const shards = await filesOfIndex(core, index);
      const opened = await openUrls(core, shards.map(at), options, config ? [config, index] : [index]);
      return { ...opened, title: address.name };
    }
    if (single || config) return { ...(await openSources(core, found, options)), title: address.name };
    return await listGguf(address, signal);
  } finally {
    for (const source of found) source.close();
  }
}

/**
 * The GGUF models of a repository, split ones once.
 * @param {Address} address
 * @param {AbortSignal} signal
 * @returns {Promise<Choice>}
 */
async function listGguf(address, signal) {
  const source = await httpSource(address.listing, signal, MOST_LISTED);
  const text = await readText(source, MOST_LISTED);
  source.close();
  /** @type {unknown} */
  let rows;
  try {
    rows = JSON.parse(text);
  } catch {
    throw new OpenError("hf_no_model");
  }
  /** @type {Map<string, { name: string, url: string, size: number }>} */
  const files = new Map();
  for (const row of Array.isArray(rows) ? rows : []) {
    const path = typeof row?.path === "string" ? row.path : "";
    if (kindOf(path) !== "gguf" || /mmproj/i.test(path)) continue;
    const name = path.replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, "");
    const size = typeof row.size === "number" ? row.size : 0;
    const known = files.get(name);
    if (known) known.size += size;
    else files.set(name, { name, url: fileOf(address, path), size });
  }
  if (files.size === 0) throw new OpenError("hf_no_model");
  return { files: [...files.values()].sort((a, b) => a.size - b.size) };
}
