// Lists messages that nothing on the page shows. That both languages have the same ones, and that no
// literal id is missing, is checked by tsc. An id counts as used where it stands in the code, or where
// the code puts it together from a beginning: `verdict.${name}`, coreSentence(t, "term", id).
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messages } from "../../web/messages/ja.js";

const web = fileURLToPath(new URL("../../web/", import.meta.url));
const code = readdirSync(web, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".js") && !/[\\/]messages$/.test(entry.parentPath ?? entry.path))
  .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), "utf8"))
  .join("\n");

const ids = Object.keys(messages);
const beginnings = [
  ...[...code.matchAll(/`(\w+\.[\w.]*)\$\{/g)].map(([, text]) => text),
  ...[...code.matchAll(/coreSentence\(\s*t,\s*"([\w.]+)"/g)].map(([, group]) => `${group}.`),
  // A helper is given the group: words("acc.table", name).
  ...[...code.matchAll(/"(\w+\.\w+)"/g)].map(([, text]) => text).filter((text) => !ids.includes(text)).map((text) => `${text}.`),
];
const unused = ids.filter((id) => !code.includes(`"${id}"`) && !beginnings.some((text) => id.startsWith(text)));
for (const id of unused) console.error(`unused message: ${id}`);
process.exit(unused.length > 0 ? 1 : 0);
