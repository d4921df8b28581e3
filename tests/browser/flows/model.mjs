/** The tab モデル: catalog, files, addresses; the card and the table of formats. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ggufFile, splitModel } from '../lib/gguf.mjs';
import { startHub } from '../lib/hub.mjs';
import { eventually } from '../lib/meyasu.mjs';
import { violations } from './accessibility.mjs';
import { overflowing } from './layout.mjs';

const truth = (path) => readFileSync(fileURLToPath(new URL(`../../truth/${path}`, import.meta.url)));

/** Published totals and the size of the weights in the measured files (F16). */
const headers = [
  ['Llama-3.1-8B', '8,030,261,248', '14.96 GiB', '16.06 GB'],
  ['Qwen3-30B-A3B', '30,532,122,624', '56.', '61.'],
  ['Mamba-2.8B', '2,768,345,600', '5.', '5.'],
];

export function model({ alike, test, sources, server, engine }) {
  const open = async (page, hash = '', size = {}) => page.open(`${server().site}#v1;tab=model${hash}`, size);
  const drop = (page, files) =>
    page.evaluate((list) => {
      const data = new DataTransfer();
      for (const [name, base64] of list) data.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], name));
      for (const type of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }, files.map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));
  const title = (page, wanted) => page.showsText('#model-title', wanted);
  const sentence = (page, where) => eventually(`a sentence in ${where}`, async () => ((await page.isVisible(where)) ? page.text(where) : ''));

  test('the menu leads to it by keyboard; a worked example is marked as one', async (page) => {
    await page.open(sources.file());
    await page.evaluate(() => document.getElementById('menu-toggle').focus());
    await page.press('Enter');
    await page.press('Tab');
    await page.press('Enter');
    await title(page, 'Llama-3.1-8B');
    assert.match(await page.text('#model-card'), /例/);
    assert.match(await page.evaluate(() => location.hash), /tab=model/);
  });

  test('picked from the catalog with the keyboard alone, in kana; the link leads back', async (page) => {
    await open(page);
    await page.press('/');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'model-search');
    await page.type('すわろ 70b');
    await eventually('an option', () => page.evaluate(() => document.querySelectorAll('#model-list [role=option]').length > 0));
    const active = await page.attribute('#model-search', 'aria-activedescendant');
    assert.equal(await page.attribute(`#${active}`, 'aria-selected'), 'true');
    await page.press('ArrowDown');
    await page.press('ArrowUp');
    await page.press('Enter');
    await title(page, 'Swallow');
    assert.match(await page.text('#params-total'), /^(69|70)/);
    const name = await page.text('#model-title');
    const link = await eventually('the model in the link', async () => {
      const hash = await page.evaluate(() => location.hash);
      return hash.includes(';m=') ? hash : '';
    });
    await page.open(server().site + link);
    await title(page, name);
    await page.language('en');
    await title(page, name);
  });

  test('Escape closes the list and leaves the choice; a search without a find says so', async (page) => {
    await open(page, ';m=Qwen/Qwen3-8B');
    await page.click('#model-search');
    await page.type('zzzzzz');
    assert.match(await sentence(page, '.picker-none'), /見つかりません/);
    await page.press('Escape');
    assert.equal(await page.isVisible('.picker-box'), false);
    await title(page, 'Qwen3-8B');
  });

  test('a doubtful entry looks doubtful in the list and on the card', async (page) => {
    await open(page);
    await page.click('#model-search');
    await page.type('plamo 2 8b');
    await eventually('the mark', async () => (await page.text('#model-list')).includes('未確認'));
    await page.press('Enter');
    await title(page, 'plamo-2-8b');
    assert.match(await page.text('#model-card'), /未確認/);
  });

  for (const [name, params, gib, gb] of headers)
    test(`a dropped header says what it holds: ${name}`, async (page) => {
      await page.open(`${sources.file()}#v1;tab=model`);
      await drop(page, [[`${name}.gguf`, truth(`gguf/${name}.gguf`)]]);
      await eventually('the card', async () => (await page.text('#model-card')).includes('GGUF'));
      const card = await page.text('#model-card');
      assert.ok(card.includes(params), `${params} in ${card}`);
      assert.ok((await page.text('#weight-gib')).startsWith(gib), await page.text('#weight-gib'));
      assert.ok((await page.text('#weight-gb')).includes(gb), await page.text('#weight-gb'));
      assert.match(card, /正確/);
      assert.equal(await page.evaluate(() => location.hash.includes(';m=')), false, 'a file is not in the link');
    });

  test('rotary factors of a file are not counted as parameters, and the card says so', async (page) => {
    await open(page);
    await drop(page, [['l.gguf', truth('gguf/Llama-3.1-8B.gguf')]]);
    await eventually('the note', async () => /64 個（数えません）/.test(await page.text('#model-card')));
  });

  test('the table: sorted, filtered, each row opens its formula', async (page) => {
    await open(page, ';m=meta-llama/Llama-3.1-8B');
    const rows = () => page.evaluate(() => [...document.querySelectorAll('[data-format]')].map((row) => [row.dataset.format, Number(row.cells[1].innerText.split(/\s/).at(-1))]));
    const all = await rows();
    assert.ok(all.length > 40, `${all.length} formats`);
    assert.deepEqual(all.map(([, size]) => size), all.map(([, size]) => size).sort((a, b) => a - b));
    // llama.cpp's own file of this mix has 4,912,898,304 bytes of tensors: 4.58 GiB.
    assert.equal(all.find(([id]) => id === 'gguf-Q4_K_M')[1], 4.58);
    assert.equal(all.find(([id]) => id === 'bf16')[1], 14.96);
    await page.choose('format-family-server');
    assert.ok((await rows()).every(([id]) => !id.startsWith('gguf-')));
    await page.choose('format-family-gguf');
    assert.ok((await rows()).every(([id]) => id.startsWith('gguf-')));
    await page.click('[data-format="gguf-Q4_K_M"] button');
    await eventually('the formula', () => page.isVisible('dialog[open] .formula'));
    assert.match(await page.text('dialog[open]'), /4\.58 GiB.*llama\.cpp/);
  });

  test('broken files get sentences', async (page) => {
    const header = truth('gguf/Llama-3.1-8B.gguf');
    const old = ggufFile([['general.architecture', 'string', 'llama']], [], 1).header;
    const big = Buffer.from(header.subarray(0, 64));
    big.writeUInt32BE(3, 4);
    const damaged = Buffer.from(header);
    damaged.fill(255, 24, 32);
    const cases = [
      [[['photo.gguf', Buffer.from('\x89PNG and so on, long enough to be something')]], /GGUF ファイルではありません/, /Not a GGUF file/],
      [[['old.gguf', old]], /版 1 は古くて/, /version 1 is too old/],
      [[['power.gguf', big]], /ビッグエンディアン/, /Big-endian/],
      [[['cut.gguf', header.subarray(0, 5000)]], /途中で切れています/, /cut short/],
      [[['broken.gguf', damaged]], /壊れています（\d+ バイト目）/, /Damaged at byte \d+/],
      [[['a.safetensors', Buffer.from('no header in here at all')]], /safetensors の先頭が読めません/, /safetensors header/],
      [[['config.json', Buffer.from('{\n"model_type": llama\n}')]], /JSON の 2 行目/, /JSON error on line 2/],
      [[[splitModel(3)[1].name, splitModel(3)[1].header]], /分割ファイル .*giant-00001-of-00003\.gguf.* がありません/, /Missing parts: .*giant-00001-of-00003/],
    ];
    for (const language of ['ja', 'en']) {
      await open(page);
      await page.language(language);
      for (const [files, japanese, english] of cases) {
        await drop(page, files);
        const wanted = language === 'ja' ? japanese : english;
        await eventually(`${wanted} for ${files[0][0]}`, async () => (await page.isVisible('#files-error')) && wanted.test(await page.text('#files-error')));
      }
      await drop(page, [['good.gguf', header]]);
      await eventually('no error any more', async () => !(await page.isVisible('#files-error')));
    }
  });

  test('config.json alone gives a derived model', async (page) => {
    await open(page);
    await drop(page, [['config.json', truth('config/gpt-oss-20b.json')]]);
    await eventually('20,914,757,184 parameters', async () => (await page.text('#model-card')).includes('20,914,757,184'));
    assert.match(await page.text('#model-card'), /導出/);
  });

  test('of the JSON files of a folder, config.json describes the model', async (page) => {
    await open(page);
    await drop(page, [['added_tokens.json', Buffer.from('{"<x>": 1}')], ['config.json', truth('config/gpt-oss-20b.json')], ['tokenizer.json', Buffer.from('{}')]]);
    await eventually('20,914,757,184 parameters', async () => (await page.text('#model-card')).includes('20,914,757,184'));
  });

  alike('the card of an earlier model no longer follows the machine', async (page) => {
    await open(page, ';m=Qwen/Qwen3-8B');
    await page.evaluate(() => {
      window.__rows = document.querySelector('.format-table tbody');
      window.__row = window.__rows.firstChild;
    });
    await page.fill('#model-search', 'qwen3 32b');
    await page.press('Enter');
    await title(page, 'Qwen3-32B');
    await page.click('#bar-machine');
    await page.fill('#machine-search', 'l40s');
    await page.press('Enter');
    await page.showsText('#bar-machine-name', 'L40S');
    assert.equal(await page.evaluate(() => window.__rows.firstChild === window.__row), true);
  });

  test('an address with a broken escape is an address', async (page) => {
    await open(page);
    await page.fill('#hub', 'https://example.org/100%.gguf');
    assert.match(await page.text('#hub-plan'), /100%\.gguf/);
  });

  test('a split model of 400 GiB opens by reading a few KB of each part', async (page) => {
    await open(page);
    const parts = splitModel(8).map(({ name, header, size }) => ({ name, size, base64: header.toString('base64') }));
    await page.evaluate((list) => {
      window.bytesRead = 0;
      const files = list.map(({ name, size, base64 }) => {
        const header = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        return {
          name,
          size,
          slice(begin, end) {
            const bytes = new Uint8Array(Math.min(end, size) - begin);
            bytes.set(header.subarray(begin, end));
            window.bytesRead += bytes.length;
            return new Blob([bytes]);
          },
        };
      });
      const input = document.getElementById('files');
      Object.defineProperty(input, 'files', { value: files, configurable: true });
      input.dispatchEvent(new Event('change'));
    }, parts);
    await title(page, 'Giant');
    assert.match(await page.text('#weight-gib'), /^400\.0 GiB/);
    assert.ok((await page.evaluate(() => window.bytesRead)) < 8 * 65536 + 1);
    assert.match(await page.text('#model-card'), /400\.0 GiB のうち/);
  });

  test('use this model: the quick form gets its exact size; Quick offers it again', async (page) => {
    await open(page, ';m=mistralai/Mistral-7B-v0.1');
    await page.click('#use-model');
    await eventually('the form', async () => (await page.value('#params')).startsWith('7.24'));
    await page.shows('13.49 GiB', '14.48 GB');
    await page.fill('#params', '1');
    await page.shows('1.86 GiB');
    await page.click('#use-current button');
    await page.shows('13.49 GiB', '14.48 GB');
  });

  alike("an encoder's file: how fast it reads, and no type of a cache that it does not keep", async (page) => {
    await open(page);
    await drop(page, [['bge-small-en-v1.5.gguf', truth('gguf/bge-small-en-v1.5.gguf')]]);
    await title(page, 'bge-small');
    await page.click('#tab-infer');
    await page.showsText('#infer-answer', '読み取りの速さ');
    assert.equal(await page.evaluate(() => document.querySelectorAll('[name=infer-kv]').length), 0);
    await page.evaluate(() => document.getElementById('menu-toggle').focus());
    for (const key of ['Enter', 'Tab', 'Enter']) await page.press(key);
    await drop(page, [['Qwen3-30B-A3B.gguf', truth('gguf/Qwen3-30B-A3B.gguf')]]);
    await title(page, 'Qwen3-30B-A3B');
    await page.click('#tab-infer');
    await eventually('the types of the KV cache', () => page.evaluate(() => document.querySelectorAll('[name=infer-kv]').length === 3));
  });

  test('a file name that the catalog knows leads to its card', async (page) => {
    await page.open(server().site);
    await page.fill('#name-input', 'Qwen3-30B-A3B-UD-Q4_K_XL.gguf');
    await page.click('#name-catalog button');
    await title(page, 'Qwen3-30B-A3B');
    assert.match(await page.text('#params-active'), /3\.35/);
  });

  // WebKit's driver cannot tell a refused request from a fault of the page.
  const hubTest = (name, work, run = test) => {
    if (engine === 'webkit') return;
    run(name, async (page) => {
      const hub = startHub();
      server().route('/hub/', hub.handle);
      // Not the worked example: that one is the model of the hub's files, and its card proves nothing.
      await open(page, ';m=Qwen/Qwen3-8B');
      await title(page, 'Qwen3-8B');
      await work(page, hub);
    }, { refusals: true });
  };
  const hubUrl = (path) => `${server().site}hub/${path}`;
  const fetched = async (page, path) => {
    await page.fill('#hub', hubUrl(path));
    await page.click('#hub-fetch');
  };

  hubTest('an address is explained, and asked only after the button that names the host', async (page, hub) => {
    await page.fill('#hub', 'Qwen/Qwen3-8B');
    assert.match(await page.text('#hub-fetch'), /huggingface\.co/);
    assert.match(await page.text('#hub-plan'), /huggingface\.co.*Qwen\/Qwen3-8B/);
    await page.fill('#hub', 'not an address');
    assert.equal(await page.isVisible('#hub-fetch'), false);
    await page.fill('#hub', hubUrl('org/gguf/resolve/main/Llama-3.1-8B.gguf'));
    await page.press('Enter');
    assert.match(await page.text('#hub-fetch'), /127\.0\.0\.1/);
    assert.deepEqual(hub.asked, [], 'nothing was asked before the press');
    await page.click('#hub-fetch');
    await eventually('the card', async () => (await page.text('#model-card')).includes('8,030,261,248'));
    assert.match(await page.text('#weight-gib'), /^14\.96 GiB/);
    assert.ok(hub.sent() < 200_000, `${hub.sent()} bytes were sent`);
  });

  hubTest('a redirect is followed', async (page, hub) => {
    await fetched(page, 'moved/gguf/resolve/main/Llama-3.1-8B.gguf');
    await eventually('the card', async () => (await page.text('#model-card')).includes('8,030,261,248'));
    assert.ok(hub.asked.includes('cdn/Llama-3.1-8B.gguf'));
  });

  hubTest('a server that ignores ranges is read no further than needed', async (page, hub) => {
    await fetched(page, 'whole/gguf/resolve/main/Llama-3.1-8B.gguf');
    await eventually('the card', async () => (await page.text('#model-card')).includes('8,030,261,248'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const sent = hub.sent();
    assert.ok(sent > 0 && sent < 64 * 2 ** 20, `${sent} bytes of 16 GB were sent`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(hub.sent(), sent, 'the stream was closed');
  });

  hubTest('a repository: index, then the header of each shard', async (page, hub) => {
    await fetched(page, 'org/sharded');
    await title(page, 'org/sharded');
    assert.match(await page.text('#weight-gib'), /^40\.00 GiB/);
    assert.ok(hub.sent() < 300_000, `${hub.sent()} bytes were sent`);
  });

  hubTest('weights without a config.json: every runtime says what is missing in whole sentences', async (page) => {
    await fetched(page, 'org/sharded');
    await title(page, 'org/sharded');
    await page.click('#tab-infer');
    await eventually('the runtimes', async () => (await page.isVisible('#runtime-vllm')) && /知らない構造/.test(await page.text('#runtime-vllm')));
    assert.doesNotMatch(await page.text('#panel-infer'), /\{\w+\}/);
    assert.doesNotMatch(await page.text('#infer-answer'), /上限は 0/, 'its length is not known');
  }, alike);

  hubTest('a repository with a config.json alone, and one with GGUF files to choose from', async (page) => {
    await fetched(page, 'org/config');
    await eventually('the card', async () => (await page.text('#model-card')).includes('20,914,757,184'));
    await fetched(page, 'org/only-gguf');
    await eventually('the choice', async () => (await page.text('.hub-choices')).includes('x-Q4_K_M.gguf'));
    await page.click('.hub-choices button');
    await eventually('the card', async () => (await page.text('#model-card')).includes('8,030,261,248'));
  });

  hubTest('a listing names files of its own server, whatever they are called', async (page, hub) => {
    await fetched(page, 'org/foreign');
    await eventually('the choice', async () => (await page.text('.hub-choices')).includes('x.gguf'));
    await page.click('.hub-choices button');
    await eventually('a sentence', () => page.isVisible('#hub-error'));
    assert.match(hub.asked.at(-1), /^org\/foreign\/resolve\/main\//);
  });

  hubTest('what is still being fetched does not replace a model chosen meanwhile', async (page) => {
    await fetched(page, 'silent/model');
    await eventually('the progress', () => page.isVisible('.open-part:has(#hub) .open-work'));
    await page.fill('#model-search', 'qwen3 32b');
    await page.press('Enter');
    await title(page, 'Qwen3-32B');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(await page.isVisible('.open-part:has(#hub) .open-work'), false, 'long before the server counts as silent');
  });

  hubTest('refusals become sentences, in both languages', async (page) => {
    const cases = [
      ['gated/model', /公開されていません/, /Gated/],
      ['forbidden/model', /公開されていません/, /Gated/],
      ['org/missing', /見つかりません/, /Not found/],
      ['org/gguf/resolve/main/other.gguf', /見つかりません/, /Not found/],
      ['busy/model', /30 秒後/, /30 s/],
      ['broken/model', /つながりません/, /No connection/],
    ];
    for (const language of ['ja', 'en']) {
      await page.language(language);
      for (const [path, japanese, english] of cases) {
        await fetched(page, path);
        const wanted = language === 'ja' ? japanese : english;
        await eventually(`${wanted} for ${path}`, async () => (await page.isVisible('#hub-error')) && wanted.test(await page.text('#hub-error')));
      }
    }
  }, alike);

  hubTest('a slow server shows that it is waited for, and can be given up', async (page) => {
    await fetched(page, 'silent/model');
    await eventually('the progress', () => page.isVisible('.open-part:has(#hub) .open-work'));
    const cancel = await page.evaluate(() => {
      const button = [...document.querySelectorAll('.open-work button')].find((one) => one.getClientRects().length > 0);
      button.id = 'cancel-by-test';
      return button.innerText;
    });
    assert.match(cancel, /やめる/);
    await page.click('#cancel-by-test');
    await eventually('the progress gone', async () => !(await page.isVisible('.open-part:has(#hub) .open-work')));
    assert.equal(await page.isVisible('#hub-error'), false, 'giving up is no error');
    await fetched(page, 'org/config');
    await eventually('the card', async () => (await page.text('#model-card')).includes('20,914,757,184'));
  });

  // Colours do not depend on the language: each of both once.
  for (const [language, theme] of [['ja', 'light'], ['en', 'dark']])
    alike(`axe-core and no sideways scroll: ${language}, ${theme}`, async (page) => {
      for (const width of [320, 1440]) {
        await open(page, ';m=openai/gpt-oss-20b', { width, height: 900 });
        await page.language(language);
        await page.theme(theme);
        await page.evaluate(() => (document.getElementById('blocks').open = true));
        await eventually('the blocks', () => page.isVisible('.block-strip'));
        assert.deepEqual(await overflowing(page), [], `${width} px`);
        assert.deepEqual(await violations(page), [], `${width} px`);
        await page.fill('#model-search', '3');
        await eventually('options', () => page.evaluate(() => document.querySelectorAll('#model-list [role=option]').length > 10));
        assert.deepEqual(await violations(page), [], `open list, ${width} px`);
      }
    });
}
