/**
 * Bytes as text of sixteen bits a character: in a page of UTF-16 as small as the bytes themselves.
 *
 * A block is one odd character and up to BLOCK_LENGTH more, whose successors it multiplies (modulo
 * 2^16, where that can be undone). It is chosen so that nothing in the block means anything to a
 * decoder or a parser.
 */

/** Few enough that there always is such a character: scripts/lib/pack.mjs. */
export const BLOCK_LENGTH = 220;

/**
 * @param {string} text
 * @returns {Uint8Array} with a zero behind the bytes if their number is odd
 */
export function fromSixteenBits(text) {
  const words = new Uint16Array(text.length);
  let length = 0;
  for (let begin = 0; begin < text.length; begin += BLOCK_LENGTH + 1) {
    const factor = text.charCodeAt(begin);
    const end = Math.min(begin + BLOCK_LENGTH + 1, text.length);
    for (let at = begin + 1; at < end; ++at) words[length++] = (text.charCodeAt(at) + 1) * factor;
  }
  return new Uint8Array(words.buffer, 0, 2 * length); // every engine's machine has the low byte first
}
