// Compares the languages (web/languages/) with Japanese, where ids come first: a sentence that is
// missing or that nothing shows, a value or a term that got lost in translation. And lists messages that
// nothing on the page shows: an id counts as used where it stands in the code, or where the code puts it
// together from a beginning: `verdict.${name}`, coreSentence(t, "term", id).
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { languages } from "./languages.mjs";

const web = fileURLToPath(new URL("../../web/", import.meta.url));
const code = readdirSync(web, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".js") && !/[\\/](messages|languages)$/.test(entry.parentPath ?? entry.path))
  .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), "utf8"))
  .join("\n");

const { messages, guide } = languages.get("ja");
const ids = Object.keys(messages);
const beginnings = [
  ...[...code.matchAll(/`(\w+\.[\w.]*)\$\{/g)].map(([, text]) => text),
  ...[...code.matchAll(/coreSentence\(\s*t,\s*"([\w.]+)"/g)].map(([, group]) => `${group}.`),
  // A helper is given the group: words("acc.table", name).
  ...[...code.matchAll(/"(\w+\.\w+)"/g)].map(([, text]) => text).filter((text) => !ids.includes(text)).map((text) => `${text}.`),
];
const mistakes = ids.filter((id) => !code.includes(`"${id}"`) && !beginnings.some((text) => id.startsWith(text))).map((id) => `unused message: ${id}`);

/** Which part an id is in, by language. @type {Record<string, Map<string, string>>} */
const seen = {};
/** Of two parts with the same id, one would stand where the other was meant. */
for (const file of readdirSync(join(web, "messages"))) {
  const tag = /-([^-]+)\.js$/.exec(file)[1];
  const [part] = Object.values(await import(new URL(`../../web/messages/${file}`, import.meta.url)));
  const others = (seen[tag] ??= new Map());
  for (const id of Object.keys(part)) {
    if (others.has(id)) mistakes.push(`web/messages/${file}: ${id} is in ${others.get(id)} too`);
    others.set(id, file);
  }
}

/** What a translation keeps: {x} and the terms of [[term|label]]. */
const kept = (text) => [...new Set(text.match(/\{\w+\}|\[\[\w+/g) ?? [])].sort().join(" ");

for (const [tag, language] of languages) {
  const file = `web/languages/${tag}.js`;
  if (!language.name) mistakes.push(`${file}: no name`);
  const words = language.messages ?? {};
  mistakes.push(...Object.keys(words).filter((id) => !(id in messages)).map((id) => `${file}: unknown message: ${id}`));
  for (const id of ids) {
    if (typeof words[id] !== "string") mistakes.push(`${file}: missing message: ${id}`);
    else if (kept(words[id]) !== kept(messages[id])) mistakes.push(`${file}: ${id}: ${kept(words[id]) || "nothing"} instead of ${kept(messages[id]) || "nothing"}`);
  }
  const topics = (language.guide ?? []).map(({ id }) => id);
  const known = guide.map(({ id }) => id);
  mistakes.push(...topics.filter((id) => !known.includes(id)).map((id) => `${file}: unknown topic of the guide: ${id}`));
  const untold = known.filter((id) => !topics.includes(id));
  if (untold.length > 0) console.log(`${file}: in English, as the guide lacks them: ${untold.join(", ")}`);
}
for (const mistake of mistakes) console.error(mistake);
process.exit(mistakes.length > 0 ? 1 : 0);
