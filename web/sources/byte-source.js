/**
 * Where bytes come from. A source gives ranges of one file; readers ask only for what they need,
 * so a file of hundreds of gigabytes is opened by reading its first few megabytes.
 *
 * @typedef {object} ByteSource
 * @property {string} name file name without folders
 * @property {number} size bytes of the whole file
 * @property {(offset: number, length: number) => Promise<Uint8Array>} read at most `length` bytes;
 *   fewer at the end of the file
 * @property {() => void} close
 */

/**
 * @param {File} file
 * @returns {ByteSource}
 */
export function fileSource(file) {
  return {
    name: file.name,
    size: file.size,
    async read(offset, length) {
      return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    },
    close() {},
  };
}

/**
 * Feeds a reader of the core until it has the header.
 * @template Header
 * @param {import("../core-types.js").FileReader<Header>} reader deleted here
 * @param {ByteSource} source
 * @param {{ signal: AbortSignal, onProgress: (part: number, bytes: number) => void }} options
 *   `part`: 0 to 1; `bytes`: read by this call
 * @returns {Promise<import("../core-types.js").Result<Header>>}
 */
export async function readHeader(reader, source, { signal, onProgress }) {
  try {
    while (!reader.finished()) {
      signal.throwIfAborted();
      const { offset, length } = reader.need();
      const bytes = await source.read(offset, length);
      signal.throwIfAborted();
      reader.feed(bytes);
      onProgress(reader.progress(), bytes.length);
    }
    return reader.take();
  } finally {
    reader.delete();
  }
}

/**
 * The text of a small file.
 * @param {ByteSource} source
 * @param {number} most bytes that are read
 */
export async function readText(source, most) {
  return new TextDecoder().decode(await source.read(0, Math.min(source.size, most)));
}
