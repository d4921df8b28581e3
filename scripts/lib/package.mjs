// Bundles web/ and the built module into dist/. Called by scripts/package.
import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { pack } from "./pack.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const web = join(root, "web");
const built = join(root, "build", "wasm", "wasm");
const dist = join(root, "dist");
const site = join(dist, "site");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

// What the popover attribute asks for anyway.
const target = ["chrome114", "firefox125", "safari17"];

/** @returns {Promise<string>} one classic script or style sheet */
async function bundle(entry, { singleFile = false, words = false, define = {} } = {}) {
  const result = await build({
    entryPoints: [join(web, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: words ? "esm" : "iife",
    charset: "utf8",
    legalComments: "none",
    target,
    define: {
      MEYASU_VERSION: JSON.stringify(version),
      MEYASU_SINGLE_FILE: String(singleFile),
      ...define,
    },
  });
  return result.outputFiles[0].text;
}

/** `name`: meyasu, or meyasu_quick with what the calculator inside a blog needs. */
const builtModule = (name = "meyasu") => readFile(join(built, `${name}.wasm`));

async function builtGlue(name = "meyasu") {
  const glue = await readFile(join(built, `${name}.js`), "utf8");
  // As a function, its text can be handed to a worker.
  const whole = `function meyasuGlue(){${glue}\nreturn createMeyasu}var createMeyasu=meyasuGlue();createMeyasu.glue=meyasuGlue;`;
  const { code } = await transform(whole, { minify: true, charset: "utf8", target });
  return code;
}

/** A classic script with the module inside: works from disk, in sandboxed frames, and without fetch. */
async function coreScript(name) {
  const module = await builtModule(name);
  return `${await builtGlue(name)}createMeyasu.size=${module.length};createMeyasu.packed="${pack(module)}";\n`;
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

async function singleFile() {
  const style = (await bundle("styles/app.css")).trim();
  const script = `${await builtGlue()}${inlineScript(await bundle("main.js", { singleFile: true }))}`;
  const parts = [Buffer.from(style), Buffer.from(script), await builtModule()];
  const starter = inlineScript(await bundle("single-file.js"));
  const svg = await readFile(join(web, "icon.svg"));
  const csp = policy(`${hash(starter)} ${hash(script)}`, hash(style), `${worker}${connect}`, `meyasu ${workerTypes}`);
  let html = await page("index.html", csp, `data:image/svg+xml;base64,${svg.toString("base64")}`);
  html = replaceOnce(html, '    <link rel="stylesheet" href="app.css" />\n', "");
  html = replaceOnce(html, '    <script src="core.js"></script>\n', "");
  html = replaceOnce(html, '    <link rel="manifest" href="manifest.webmanifest" />\n', "");
  const sizes = parts.map(({ length }) => length).join(" ");
  const packed = `<script type="text/plain" id="packed" data-sizes="${sizes}">${pack(Buffer.concat(parts))}</script>`;
  return replaceOnce(html, '<script src="app.js"></script>', `${packed}<script>${starter}</script>`);
}

/** What the page needs without a network; the name of its cache changes with any of it. */
async function serviceWorker(files) {
  const names = ["index.html", "app.css", "app.js", "core.js", "manifest.webmanifest"];
  const build = createHash("sha256").update(names.map((name) => files.get(name)).join("")).digest("hex").slice(0, 16);
  const define = { MEYASU_BUILD: JSON.stringify(build), MEYASU_FILES: JSON.stringify(["./", "icon.svg", ...names]) };
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
async function printParts(script, style) {
  const read = (...path) => readFile(join(root, ...path));
  const words = await Promise.all(
    ["messages/ja.js", "messages/en.js", "guide/content-ja.js", "guide/content-en.js"].map((file) => bundle(file, { words: true })),
  );
  const code = sizesOf(script);
  const text = sizesOf(words.join(""));
  const json = async (...path) => sizesOf(JSON.stringify(JSON.parse(await read(...path))));
  printSizes("parts of one file", [
    ["script without words", { raw: code.raw - text.raw, gzip: code.gzip - text.gzip, brotli: code.brotli - text.brotli }],
    ["words, both languages", text],
    ["styles", sizesOf(style)],
    ["glue", sizesOf(await builtGlue())],
    ["module", sizesOf(await builtModule())],
    ["  of it models.json", await json("core", "catalog", "models.json")],
    ["  of it devices.json", await json("core", "hardware", "devices.json")],
  ]);
}

/** scripts/size-budget.json holds what the page may weigh: no file grows past it unnoticed. */
async function checkBudget(files) {
  const budget = JSON.parse(await readFile(join(root, "scripts", "size-budget.json"), "utf8"));
  for (const [name, { files: parts = [name], limit, goal }] of Object.entries(budget)) {
    const sizes = sizesOf(parts.map((part) => files.get(part)).join(""));
    for (const [measure, most] of Object.entries(limit)) {
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
const sameSite = policy("'self'", "'self'", `frame-src 'self'; ${hosted}${connect}`, `meyasu ${workerTypes}`);
const files = new Map([
  ["index.html", await page("index.html", sameSite, "icon.svg")],
  ["app.css", await bundle("styles/app.css")],
  ["app.js", await bundle("main.js")],
  ["core.js", core],
  ["core-quick.js", await coreScript("meyasu_quick")],
  ["embed.html", await page("embed.html", policy("'self'", "'self'"), "")],
  ["embed.css", await bundle("styles/embed.css")],
  ["frame.js", await bundle("embed/frame.js")],
  ["embed.js", await bundle("embed/element.js")],
  ["meyasu.html", await singleFile()],
]);
files.set("manifest.webmanifest", await readFile(join(web, "manifest.webmanifest"), "utf8"));
files.set("sw.js", await serviceWorker(files));
for (const [name, text] of files) await writeFile(join(site, name), text);
await copyFile(join(web, "icon.svg"), join(site, "icon.svg"));
await copyFile(join(site, "meyasu.html"), join(dist, "meyasu.html"));
printSizes("files", [...files].map(([name, text]) => [name, sizesOf(text)]));
await printParts(files.get("app.js"), files.get("app.css"));
await checkBudget(files);
