// Bundles web/ and the built module into dist/. Called by scripts/package.
import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { firstIds, languageModules, languages } from "./languages.mjs";
import { lzma, toSevenBits, toSixteenBits } from "./pack.mjs";
import { splitModule } from "./split-module.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const web = join(root, "web");
const built = join(root, "build", "wasm", "wasm");
const dist = join(root, "dist");
const site = join(dist, "site");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

// What the popover attribute asks for anyway.
const target = ["chrome114", "firefox125", "safari17"];

const optionsOf = ({ singleFile = false, coreFile = "", define = {} }) => ({
  bundle: true,
  minify: true,
  write: false,
  charset: "utf8",
  legalComments: "none",
  plugins: [languageModules],
  target,
  define: {
    MEYASU_VERSION: JSON.stringify(version),
    MEYASU_SINGLE_FILE: String(singleFile),
    MEYASU_CORE: JSON.stringify(coreFile),
    ...define,
  },
});

/** @returns {Promise<string>} one classic script or style sheet */
async function bundle(entry, options = {}) {
  const result = await build({ entryPoints: [join(web, entry)], format: "iife", ...optionsOf(options) });
  return result.outputFiles[0].text;
}

/**
 * The script of the hosted page in parts: what it opens with, and what it loads when it is touched
 * (web/load-rest.js). The names of parts change with their content, so that parts of two versions
 * never meet.
 * @returns {Promise<{ texts: Map<string, string>, first: string[], rest: string[], words: [string, string[]][] }>}
 *     `first` begins with the script itself; `words`: what each language loads at first and later
 */
async function parts(coreFile) {
  const result = await build({
    entryPoints: [{ in: join(web, "main.js"), out: "app" }],
    outdir: site,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    format: "esm",
    splitting: true,
    metafile: true,
    ...optionsOf({ coreFile }),
  });
  const texts = new Map(result.outputFiles.map(({ path, text }) => [basename(path), text]));
  const outputs = new Map(Object.entries(result.metafile.outputs).map(([path, output]) => [basename(path), output]));
  const made = (source) => [...outputs].find(([, { entryPoint = "" }]) => entryPoint.endsWith(source))[0];
  /** With all that it imports at once. */
  const closure = (name, found = new Set()) => {
    if (found.has(name)) return found;
    found.add(name);
    for (const { path, kind } of outputs.get(name).imports) if (kind === "import-statement") closure(basename(path), found);
    return found;
  };
  const first = [...closure(made("web/main.js"))];
  const without = (sources, known) => [...new Set(sources.flatMap((source) => [...closure(made(source))]))].filter((name) => !known.includes(name));
  const words = [...languages.keys()].flatMap((tag) => [
    [`first-${tag}`, without([`meyasu:first-${tag}`, `meyasu:guide-${tag}`], first)],
    [`later-${tag}`, without([`meyasu:later-${tag}`], first)],
  ]);
  return { texts, first, rest: [...without(["web/rest.js"], first), coreFile.slice(2)], words };
}

/** `name`: meyasu, or meyasu_quick with what the calculator inside a blog needs. */
const builtModule = (name = "meyasu") => readFile(join(built, `${name}.wasm`));

async function builtGlue(name = "meyasu") {
  const glue = await readFile(join(built, `${name}.js`), "utf8");
  // As a function, its text can be handed to a worker.
  const whole = `function meyasuGlue(){${glue}\nreturn createMeyasu}globalThis.createMeyasu=meyasuGlue();createMeyasu.glue=meyasuGlue;`;
  const { code } = await transform(whole, { minify: true, charset: "utf8", target });
  return code;
}

/** A script with the module inside, to import or, in sandboxed frames, for a script element. */
async function coreScript(name) {
  const module = splitModule(await builtModule(name));
  return `${await builtGlue(name)}createMeyasu.size=${module.length};createMeyasu.packed="${toSevenBits(lzma(module))}";\n`;
}

const policy = (scripts, styles, more = "", types = "'none'") =>
  `default-src 'none'; script-src ${scripts} 'wasm-unsafe-eval'; style-src ${styles}; ` +
  `img-src 'self' data:; ${more}base-uri 'none'; form-action 'none'; ` +
  `require-trusted-types-for 'script'; trusted-types ${types}`;

/** Other hosts are asked only when the visitor presses the button that names one (tab モデル). */
const connect = "connect-src 'self' https:; ";

/** Searches run in a worker that the page makes of its own text. */
const worker = "worker-src blob:; ";
/** Hosted copies have a service worker too, and a manifest, so that they can be installed. */
const hosted = "worker-src 'self' blob:; manifest-src 'self'; ";
const workerTypes = "meyasu-worker";

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Replaces exactly one occurrence; a function as replacement, since code contains "$&". */
function replaceOnce(text, from, to) {
  if (text.split(from).length !== 2) throw new Error(`expected once in the template: ${from}`);
  return text.replace(from, () => to);
}

const inlineScript = (code) => code.trim().replaceAll("</script", "<\\/script");

async function page(template, csp, icon) {
  let html = await readFile(join(web, template), "utf8");
  html = replaceOnce(html, "{{csp}}", csp);
  return html.includes("{{icon}}") ? replaceOnce(html, "{{icon}}", icon) : html;
}

/**
 * In UTF-16, where a character holds two packed bytes. The mark it begins with says so, also to a
 * browser whose server says otherwise (WHATWG Encoding, "BOM sniff").
 */
async function singleFile() {
  const style = (await bundle("styles/app.css")).trim();
  const code = await bundle("main.js", { singleFile: true });
  const script = `${await builtGlue()}${inlineScript(code)}`;
  const parts = [Buffer.from(style), Buffer.from(script), splitModule(await builtModule())];
  const starter = inlineScript(await bundle("single-file.js"));
  const svg = await readFile(join(web, "icon.svg"));
  const csp = policy(`${hash(starter)} ${hash(script)}`, hash(style), `${worker}${connect}`, `meyasu ${workerTypes}`);
  const template = await page("index.html", csp, `data:image/svg+xml;base64,${svg.toString("base64")}`);
  let html = template.replaceAll(/\n\s+/g, "\n");
  html = replaceOnce(html, '<meta charset="utf-8" />\n', "");
  html = replaceOnce(html, '<link rel="stylesheet" href="app.css" />\n', "");
  html = replaceOnce(html, '<link rel="manifest" href="manifest.webmanifest" />\n', "");
  const sizes = parts.map(({ length }) => length).join(" ");
  const packed = `<script type="text/plain" id="packed" data-sizes="${sizes}">${toSixteenBits(lzma(Buffer.concat(parts)))}</script>`;
  html = replaceOnce(html, '<script src="app.js"></script>', `${packed}<script>${starter}</script>`);
  return { bytes: Buffer.from(`\ufeff${html}`, "utf16le"), style, code };
}

/** The hosted page names its parts, so that they can be fetched side by side. */
async function hostedPage(csp, { first: [script, ...shared], rest, words }) {
  const html = await page("index.html", csp, "icon.svg");
  const data = [["rest", rest], ...words].map(([name, files]) => ` data-${name}="${files.join(" ")}"`).join("");
  const preloads = shared.map((file) => `<link rel="modulepreload" href="${file}" />\n    `).join("");
  return replaceOnce(html, '<script src="app.js"></script>', `${preloads}<script type="module" src="${script}"${data}></script>`);
}

/** What the page needs without a network; the name of its cache changes with any of it. */
async function serviceWorker(files, names) {
  const build = createHash("sha256").update(names.map((name) => files.get(name)).join("")).digest("hex").slice(0, 16);
  const define = { MEYASU_BUILD: JSON.stringify(build), MEYASU_FILES: JSON.stringify(["./", ...names]) };
  return bundle("offline/worker.js", { define });
}

const sizesOf = (content) => ({
  raw: Buffer.byteLength(content),
  gzip: gzipSync(content, { level: 9 }).length,
  brotli: brotliCompressSync(content).length,
});

function printSizes(title, sizes) {
  const cell = (value, width) => String(value).padStart(width);
  console.log(`${title.padEnd(24)}${cell("raw", 9)}${cell("gzip", 9)}${cell("brotli", 9)}`);
  for (const [name, { raw, gzip, brotli }] of sizes) {
    console.log(`${name.padEnd(24)}${[raw, gzip, brotli].map((size) => cell(size, 9)).join("")}`);
  }
}

/** What the single file is made of. The script is listed without its words. */
async function printParts(script, style, words) {
  const read = (...path) => readFile(join(root, ...path));
  const code = sizesOf(script);
  const text = sizesOf(words.join(""));
  const json = async (...path) => sizesOf(JSON.stringify(JSON.parse(await read(...path))));
  printSizes("parts of one file", [
    ["script without words", { raw: code.raw - text.raw, gzip: code.gzip - text.gzip, brotli: code.brotli - text.brotli }],
    ["words of all languages", text],
    ["styles", sizesOf(style)],
    ["glue", sizesOf(await builtGlue())],
    ["module", sizesOf(await builtModule())],
    ["  of it models.json", await json("core", "catalog", "models.json")],
    ["  of it devices.json", await json("core", "hardware", "devices.json")],
  ]);
}

/** The first view says nothing that its own messages do not hold: the others may come late, or never. */
function checkFirstWords({ texts, first }) {
  const text = first.map((name) => texts.get(name)).join("");
  const missing = Object.keys(languages.get("ja").messages).filter((id) => !firstIds.includes(id) && text.includes(`"${id}"`));
  // Functions that only the rest calls, in files that it shares with the first view; and what is said
  // once the rest is here.
  const early = missing.filter((id) => !/^(keys|compare|format|machine)\./.test(id));
  if (early.length > 0) throw new Error(`the first view says what is not in messages/first-*.js: ${early.join(", ")}`);
}

/**
 * scripts/size-budget.json holds what the page may weigh: no file grows past it unnoticed. "*" stands
 * for the part of a name that changes with the content. Parts are compressed one by one, as servers do.
 * Limits are those of ja and en; each further language may add what `language` says.
 */
async function checkBudget(files) {
  const budget = JSON.parse(await readFile(join(root, "scripts", "size-budget.json"), "utf8"));
  const named = (pattern) => {
    const found = [...files.keys()].filter((name) => new RegExp(`^${pattern.replaceAll(".", "\\.").replace("*", "\\w+")}$`).test(name));
    if (found.length === 0) throw new Error(`scripts/size-budget.json names ${pattern}, which nothing makes`);
    return found;
  };
  const further = languages.size - 2;
  for (const [name, { files: patterns = [name], limit, goal, language = {} }] of Object.entries(budget)) {
    const each = patterns.flatMap(named).map((part) => sizesOf(files.get(part)));
    const sizes = Object.fromEntries(["raw", "gzip", "brotli"].map((measure) => [measure, each.reduce((sum, size) => sum + size[measure], 0)]));
    for (const [measure, least] of Object.entries(limit)) {
      const most = least + further * (language[measure] ?? 0);
      const size = sizes[measure];
      const words = `${name}: ${size} of ${most} bytes ${measure}, goal ${goal[measure]}`;
      if (size > most) {
        console.error(`over budget: ${words}`);
        process.exitCode = 1;
      } else console.log(words);
    }
  }
}

/** The hand-written types and the binding tables must name the same functions, constants and methods. */
async function checkTypes() {
  const types = await readFile(join(web, "core-types.d.ts"), "utf8");
  const membersOf = (name) => {
    const [, members = ""] = new RegExp(`export interface ${name}\\b[^{]*\\{\n(.*?)\n\\}`, "s").exec(types) ?? [];
    const names = [...members.matchAll(/^  (?:readonly )?([a-z]\w*)[(:]/gm)].map(([, member]) => member);
    return names.filter((member) => member !== "delete"); // what every object of the module has
  };
  const differences = [];
  const compare = (name, declared, bound) => {
    differences.push(
      ...bound.filter((member) => !declared.includes(member)).map((member) => `${name}.${member} (types)`),
      ...declared.filter((member) => !bound.includes(member)).map((member) => `${name}.${member} (bindings)`),
    );
  };
  const bound = [];
  for (const file of await readdir(join(root, "wasm"))) {
    if (!/^bind_\w+\.cpp$/.test(file)) continue;
    const table = await readFile(join(root, "wasm", file), "utf8");
    bound.push(...[...table.matchAll(/emscripten::(?:function|constant)\(\s*"(\w+)"/g)].map(([, name]) => name));
    for (const [, name, methods] of table.matchAll(/class_<\w+>\("(\w+)"\)([^;]*);/g)) {
      compare(name, membersOf(name), [...methods.matchAll(/\.function\("(\w+)"/g)].map(([, method]) => method));
    }
  }
  compare("Core", membersOf("Core"), bound);
  if (differences.length > 0) throw new Error(`web/core-types.d.ts and wasm/ differ: ${differences.join(", ")}`);
}

await checkTypes();
await rm(dist, { recursive: true, force: true });
await mkdir(site, { recursive: true });
const core = await coreScript("meyasu");
const coreFile = `core-${createHash("sha256").update(core).digest("hex").slice(0, 8)}.js`;
const script = await parts(`./${coreFile}`);
checkFirstWords(script);
const sameSite = policy("'self'", "'self'", `frame-src 'self'; ${hosted}${connect}`, `meyasu ${workerTypes}`);
const files = new Map([
  ["index.html", await hostedPage(sameSite, script)],
  ["app.css", await bundle("styles/app.css")],
  ...script.texts,
  [coreFile, core],
  ["core-quick.js", await coreScript("meyasu_quick")],
  ["manifest.webmanifest", await readFile(join(web, "manifest.webmanifest"), "utf8")],
  ["icon.svg", await readFile(join(web, "icon.svg"), "utf8")],
]);
files.set("sw.js", await serviceWorker(files, [...files.keys()]));
files.set("embed.html", await page("embed.html", policy("'self'", "'self'"), ""));
files.set("embed.css", await bundle("styles/embed.css"));
files.set("frame.js", await bundle("embed/frame.js"));
files.set("embed.js", await bundle("embed/element.js"));
const { bytes, style, code } = await singleFile();
files.set("meyasu.html", bytes);
for (const [name, text] of files) await writeFile(join(site, name), text);
await copyFile(join(site, "meyasu.html"), join(dist, "meyasu.html"));
printSizes("files", [...files].map(([name, text]) => [name, sizesOf(text)]));
await printParts(code, style, script.words.flatMap(([, names]) => names.map((name) => script.texts.get(name))));
await checkBudget(files);
