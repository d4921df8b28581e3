/**
 * A language is one file: made as .github/CONTRIBUTING.md says, in a copy of the sources, and nothing
 * else is touched. No engine speaks it in a way of its own, so Chromium is enough.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { eventually } from '../lib/meyasu.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export function languages({ test, server, engine }) {
  if (engine !== 'chromium') return;
  let copy = '';
  after(() => copy && rmSync(copy, { recursive: true, force: true }));

  /** The sources with Esperanto, whose sentences are the English ones in «»; packaged once for all tests. */
  function withEsperanto() {
    if (copy) return copy;
    copy = mkdtempSync(join(tmpdir(), 'meyasu-language-'));
    for (const part of ['core', 'scripts', 'wasm', 'web', 'package.json']) cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
    const built = 'build/wasm/wasm';
    mkdirSync(join(copy, built), { recursive: true });
    for (const file of readdirSync(join(root, built))) if (/^meyasu.*\.(js|wasm)$/.test(file)) cpSync(join(root, built, file), join(copy, built, file));
    write(translated());
    return copy;
  }
  const run = (script, ...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(copy, 'scripts/lib', script), ...args], { encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}`, stdout };
  };
  const write = (text) => writeFileSync(join(copy, 'web/languages/eo.js'), text);
  /** Of the guide only its first topic. */
  const translated = () => {
    const english = run('new-language.mjs', 'Esperanto').stdout.replace(/^(  "[\w.]+": ")(.+)("[,]?)$/gm, '$1«$2»$3');
    return `${english.replace('"How to use it"', '"«How to use it»"')}\nguide.splice(1);\n`;
  };

  test('the check of messages names what one language lacks, has too much of or lost', async () => {
    withEsperanto();
    const english = run('new-language.mjs', 'Esperanto').stdout;
    const check = (text) => {
      write(text);
      return run('check-messages.mjs');
    };
    const whole = check(translated());
    assert.equal(whole.status, 0, whole.said);
    assert.match(whole.said, /eo\.js: in English, as the guide lacks them: parameter, /);
    for (const [from, to, complaint] of [
      ['"quick.calculate"', '"quick.compute"', /missing message: quick\.calculate$/m],
      ['"quick.calculate"', '"quick.compute"', /unknown message: quick\.compute$/m],
      ['"= {x}"', '"="', /quick\.same_bytes: nothing instead of \{x\}$/m],
      ['[[vram|VRAM]]', '[[varm|VRAM]]', /quick\.vram_gloss: \[\[varm instead of \[\[vram$/m],
      ['"Esperanto"', '""', /eo\.js: no name$/m],
      ['"id": "parameter"', '"id": "parametro"', /unknown topic of the guide: parametro$/m],
    ]) {
      assert.ok(english.includes(from), from);
      const broken = check(english.replace(from, () => to));
      assert.equal(broken.status, 1, `${from} became ${to}`);
      assert.match(broken.said, complaint);
    }
    // A sentence in a language that is here already is missed as well.
    const file = join(copy, 'web/messages/first-en.js');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace(/^ {2}"app\.skip".*\n/m, ''));
    const lost = check(translated());
    writeFileSync(file, before);
    assert.deepEqual([lost.status, /en\.js: missing message: app\.skip$/m.test(lost.said)], [1, true]);
  });

  test('one file makes a language: single file, hosted page, switch, guide, embedding', async (page) => {
    withEsperanto();
    const packaged = run('package.mjs');
    assert.equal(packaged.status, 0, packaged.said);

    const language = () => page.attribute('html', 'lang');
    const choose = async (tag) => {
      await page.evaluate((value) => {
        const list = document.getElementById('lang-toggle');
        list.value = value;
        list.dispatchEvent(new Event('change', { bubbles: true }));
      }, tag);
      await eventually(tag, async () => (await language()) === tag);
    };
    await page.open(`${pathToFileURL(join(copy, 'dist/meyasu.html')).href}#v1;lang=eo`);
    assert.equal(await language(), 'eo');
    assert.equal(await page.text('#calculate'), '«Calculate»');
    assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('#lang-toggle option')].map((option) => option.textContent)), ['English', 'Esperanto', '日本語']);
    assert.deepEqual(
      await page.evaluate(() => [...document.querySelectorAll('.guide details')].slice(0, 2).map((topic) => [topic.lang, topic.querySelector('summary').innerText.trim()])),
      [['', '«How to use it»'], ['en', 'What a parameter is']],
    );
    await choose('ja');
    assert.equal(await page.text('#calculate'), '計算する');
    await choose('eo');
    await page.click('#tab-off');
    await eventually('another tab', () => page.isVisible('#panel-off'));
    assert.match(await page.text('#panel-off h1'), /^«.*»$/);
    await page.click('#menu-toggle');
    await page.click('#menu-embed');
    await eventually('the generator', () => page.isVisible('#embed-language'));
    assert.match(await page.text('#embed-language'), /Esperanto/);

    // Hosted: the words of the first view, and the rest with a touch.
    const folder = join(copy, 'dist/site');
    const files = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
    const types = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml', webmanifest: 'application/manifest+json', html: 'text/html' };
    server().route('/esperanto/', (_request, response, rest) => {
      const file = rest || 'index.html';
      response.writeHead(files.has(file) ? 200 : 404, { 'content-type': `${types[file.split('.').pop()]}; charset=utf-8` }).end(files.get(file));
    });
    const site = `${server().site}esperanto/`;
    const words = async () => [...new Set((await page.raw.requests()).flatMap((url) => /(first|later|guide)-\w+(?=-\w+\.js$)/.exec(url)?.[0] ?? []))].sort();
    assert.deepEqual(await words(), []);
    await page.open(`${site}#v1;lang=eo`);
    assert.equal(await page.text('#calculate'), '«Calculate»');
    assert.deepEqual(await words(), ['first-eo', 'guide-eo']);
    await page.press('Tab');
    await eventually('the rest', () => page.evaluate(() => 'whole' in document.documentElement.dataset));
    assert.deepEqual(await words(), ['first-eo', 'guide-eo', 'later-eo']);
    await choose('en');
    assert.deepEqual(await words(), ['first-en', 'first-eo', 'guide-en', 'guide-eo', 'later-en', 'later-eo']);
    await page.open(`${site}embed.html#v1;p=7;lang=eo`);
    assert.equal(await language(), 'eo');
    assert.match(await page.visibleText(), /«LLM memory calculator»/);
  });
}
