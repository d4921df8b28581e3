// The languages of the page: every file in web/languages/ is one, named by its BCP 47 tag. The modules
// "meyasu:..." that web/ imports (web/languages/words.d.ts) are made of them here, so that nothing else
// lists languages.
import { readdirSync } from "node:fs";
import { messages as firstView } from "../../web/messages/first-ja.js";

const folder = new URL("../../web/languages/", import.meta.url);

/**
 * @typedef {{ name: string, messages: Record<string, string>, guide?: { id: string }[] }} Language
 * @type {Map<string, Language>} by tag; ja has the ids that all have, en is shown where one has no words
 */
export const languages = new Map();
for (const file of readdirSync(folder).filter((name) => name.endsWith(".js")).sort())
  languages.set(file.slice(0, -".js".length), await import(new URL(file, folder)));

const { ja, en } = Object.fromEntries(languages);

/** The ids of what the first view says. */
export const firstIds = Object.keys(firstView);
const laterIds = Object.keys(ja.messages).filter((id) => !(id in firstView));

/** @param {Language} language @param {string[]} ids */
const sentences = ({ messages = {} }, ids) => Object.fromEntries(ids.map((id) => [id, messages[id] ?? en.messages[id]]));

/** @param {Language} language */
const topics = ({ guide = [] }) => en.guide.map((topic) => guide.find(({ id }) => id === topic.id) ?? { ...topic, lang: "en" });

/** What each language loads apart. @type {Record<string, (language: Language) => object>} */
const contents = {
  first: (language) => ({ messages: sentences(language, firstIds) }),
  later: (language) => ({ messages: sentences(language, laterIds) }),
  guide: (language) => ({ guide: topics(language) }),
};

/** @param {object} values */
const exported = (values) => Object.entries(values).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`).join("\n");

/** @param {(language: Language) => unknown} what */
const byTag = (what) => Object.fromEntries([...languages].map(([tag, language]) => [tag, what(language)]));

/** @param {string} name @param {string} content */
const loaders = (name, content) =>
  `export const ${name} = {${[...languages.keys()].map((tag) => `${JSON.stringify(tag)}: () => import("meyasu:${content}-${tag}")`).join(", ")}};`;

/** @param {string} module what stands behind "meyasu:" @returns {string} */
function source(module) {
  if (module === "names") return exported({ names: byTag(({ name }) => name) });
  if (module === "frame-titles") return exported({ titles: byTag((language) => sentences(language, ["embed.frame_title"])["embed.frame_title"]) });
  if (module in contents) return loaders(module === "guide" ? "guides" : module, module);
  const [content, ...tag] = module.split("-");
  return exported(contents[content](/** @type {Language} */ (languages.get(tag.join("-")))));
}

/** @type {import("esbuild").Plugin} */
export const languageModules = {
  name: "languages",
  setup(build) {
    build.onResolve({ filter: /^meyasu:/ }, ({ path }) => ({ path: path.slice("meyasu:".length), namespace: "meyasu" }));
    build.onLoad({ filter: /.*/, namespace: "meyasu" }, ({ path }) => ({ contents: source(path) }));
  },
};
