/**
 * A copied link carries the version and the answer that its sender saw ("a=0.1.0~13.04GiB"), so that
 * another number of a later version is pointed out.
 */

/** Version and answer; the setups of the comparison, whose first has the same key, never look like it. */
const CARRIED = /^([\w.-]{1,20})~(.{1,40})$/;

/** @param {string} value what a link holds behind "a=" */
export const isCarriedAnswer = (value) => CARRIED.test(value);

/** @param {string} text */
const short = (text) => text.replace(/\s/g, "");

/** @param {string} answer as shown; empty: none */
export function linkWithAnswer(answer) {
  const { href, hash } = location;
  return answer === "" || hash.length < 2 ? href : `${href};a=${MEYASU_VERSION}~${encodeURIComponent(short(answer))}`;
}

/**
 * @param {string} carried what the link holds behind "a="
 * @param {string} answer of this version
 * @returns {{ version: string, before: string } | null} null: the same, or unreadable
 */
export function changedAnswer(carried, answer) {
  const [, version = "", before = ""] = CARRIED.exec(carried) ?? [];
  if (before === "" || before === short(answer)) return null;
  return { version, before: before.replace(/(\d)([a-zA-Z])/, "$1\u00a0$2") };
}
