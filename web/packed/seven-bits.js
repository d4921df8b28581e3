/**
 * Bytes as text of seven bits a character: a string in a script can hold it, in whatever encoding the
 * script is sent.
 */

/** What ends a line, a string or a script, or is changed by a parser. */
export const UNSAFE = '\0\n\r"<\\';
/** From here on a character is one of those and the seven bits after it. */
export const PAIRS = 160;

/**
 * @param {string} text
 * @returns {Uint8Array} with zeros behind the bytes
 */
export function fromSevenBits(text) {
  const output = new Uint8Array(text.length * 2);
  let at = 0;
  let word = 0;
  let bits = 0;
  /** @param {number} seven */
  const put = (seven) => {
    word = (word << 7) | seven;
    bits += 7;
    if (bits < 8) return;
    bits -= 8;
    output[at++] = word >> bits;
  };
  for (let i = 0; i < text.length; ++i) {
    const code = text.charCodeAt(i);
    if (code < 128) {
      put(code);
    } else {
      put(UNSAFE.charCodeAt((code - PAIRS) >> 7));
      put((code - PAIRS) & 127);
    }
  }
  return output;
}
