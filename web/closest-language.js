/** "pt-BR" begins with "pt". @param {string} tag */
const primary = (tag) => tag.toLowerCase().split("-")[0];

/**
 * The first language that is wanted and there: itself, or another variety of it.
 * @param {string[]} there tags
 * @param {readonly string[]} wanted tags, the dearest first
 */
export function closestLanguage(there, wanted) {
  for (const tag of wanted) {
    const found =
      there.find((language) => language.toLowerCase() === tag.toLowerCase()) ?? there.find((language) => primary(language) === primary(tag));
    if (found) return found;
  }
  return undefined;
}
