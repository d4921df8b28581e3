// Links: whatever stands behind the "#", reading it never throws, gives only what its types say, and
// what the page writes is read back as it was.
//
//   node tests/fuzz/fuzz_link.mjs [RUNS] [SEED]      default 20000 1; the same inputs every time
//
// Half of the inputs are texts: seeds of corpus/link, cut, joined and littered. The other half are
// states as people type them, with every key of every tab.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { changedAnswer, linkWithAnswer } from '../../web/link.js';
import { machineDefaults } from '../../web/current-machine.js';
import { fromFragment, initialState, toFragment } from '../../web/state.js';
import { TAB_INPUTS } from '../../web/tabs/inputs.js';

const runs = Number(process.argv[2] ?? 20_000);
const seed = Number(process.argv[3] ?? 1);
globalThis.MEYASU_VERSION = '0.1.0';
globalThis.location = /** @type {any} */ ({ href: '', hash: '' });

const folder = fileURLToPath(new URL('corpus/link/', import.meta.url));
const seeds = readdirSync(folder).sort().map((name) => readFileSync(folder + name, 'utf8').trimEnd());

/** mulberry32: small, seeded, good enough to choose with. */
let random_state = seed >>> 0;
function random(limit) {
  random_state = (random_state + 0x6d2b79f5) >>> 0;
  let x = Math.imul(random_state ^ (random_state >>> 15), random_state | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return ((x ^ (x >>> 14)) >>> 0) % limit;
}
const one_of = (list) => list[random(list.length)];

const plain = initialState();
const tabs = ['quick', 'model', 'log', ...Object.keys(TAB_INPUTS)];
const keys = ['tab', 'p', 'q', 'n', 'm', 'rb', 'rf', 'g', 'ram', 'os', 'mac', 'rc', 'sd', 'sf', 'pl', 'ng', 'gu', 'dt', 'lang', 'theme', 'a',
  ...Object.values(TAB_INPUTS).flatMap(({ defaults }) => Object.keys(defaults))];
/** Separators, escapes whole and broken, names that every object has, numbers at their edges, halves of pairs. */
const litter = [';', '=', '#', '~', '*', ',', '%', '%2', '%3B', '%25', '%00', '%E0%A4%A', '%F0%9F%A6%99', '%ED%A0%80', '+', ' ', '"', '<img src=x>', '&', '\n', '\0',
  '\u3042', '\ud83e\udd99', '\ud83e', '\udd99', '\u2028', '__proto__', 'constructor', 'toString', 'none', 'v1', 'v2', '0', '-1', '1e309', 'NaN', 'Infinity', '7',
  '70', '8,192', '0.1.0~13.04GiB', 'rtx-4090*2~r1', 'custom~nX~t24576~b900', 'a'.repeat(1200), 'a'.repeat(5000)];

const lone = /\p{Surrogate}/gu;

function text() {
  let made = '';
  for (let n = random(4); n > 0; --n) {
    made += random(3) ? one_of(litter) : String.fromCharCode(random(3) ? 32 + random(95) : random(0x10000));
  }
  return made;
}

function mutated() {
  let link = random(8) ? one_of(seeds) : `v1;${one_of(keys)}=${text()}`;
  for (let n = random(5); n > 0; --n) {
    const at = random(link.length + 1);
    const to = at + random(1 + Math.min(8, link.length - at));
    switch (random(5)) {
      case 0: link = link.slice(0, at) + link.slice(to); break;
      case 1: link = link.slice(0, at) + text() + link.slice(to); break;
      case 2: link += `;${one_of(keys)}=${text()}`; break;
      case 3: link = link.slice(0, at) + one_of(seeds).slice(random(20)); break;
      default: link = `${link.slice(0, at)}${encodeURIComponent(one_of(litter).replace(lone, ''))}${link.slice(at)}`;
    }
  }
  return link;
}

/** A state as the page can come to hold it: typed texts, chosen devices. */
function typed_state() {
  const state = initialState();
  const typed = (usual) => (random(3) ? usual : text().slice(0, 60));
  state.tab = one_of(tabs);
  state.params = typed('7');
  state.pressed = state.params !== '';
  if (state.pressed) {
    state.precision = one_of(['FP32', 'FP16', 'BF16', 'INT8', 'INT4']);
    state.name = typed('');
    state.bits = typed('');
    state.factor = typed('');
  }
  state.model = typed('');
  const { machine } = state;
  for (const field of Object.keys(machine)) if (field !== 'devices') machine[field] = typed(machine[field]);
  if (random(2)) {
    const device = () => {
      const fields = { ...machineDefaults().devices[0], id: one_of(['custom', 'rtx-4090', 'h100-80gb']) };
      for (const field of Object.keys(fields)) if (field !== 'id') fields[field] = typed(fields[field]);
      return fields;
    };
    machine.devices = Array.from({ length: random(4) }, device);
  }
  const inputs = state.tabs[state.tab] ?? {};
  for (const key of Object.keys(inputs)) inputs[key] = typed(inputs[key]);
  // What is compared is not typed: each is the link of a page.
  if (state.tab === 'compare') for (const key of Object.keys(inputs)) inputs[key] = random(2) ? `v1;${text().slice(0, 2000)}` : '';
  return state;
}

/** Same fields, all of them texts where the plain state has texts. */
function check_types(value, like, path) {
  if (Array.isArray(like)) {
    assert.ok(Array.isArray(value), path);
    for (const item of value) check_types(item, like[0], `${path}[]`);
  } else if (typeof like === 'object') {
    if (Object.keys(value).length !== Object.keys(like).length) assert.deepEqual(Object.keys(value), Object.keys(like), path);
    for (const key of Object.keys(like)) check_types(value[key], like[key], `${path}.${key}`);
  } else if (typeof value !== typeof like) assert.fail(`${path} is a ${typeof value}`);
}

/** As typed, but for halves of surrogate pairs, which no address can hold. */
function same(value, wanted, path) {
  if (typeof wanted === 'string') {
    if (value !== wanted && value !== wanted.replace(lone, '\ufffd')) assert.equal(value, wanted, path);
  } else if (typeof wanted === 'object') {
    for (const key of Object.keys(wanted)) same(value[key], wanted[key], `${path}.${key}`);
    if (Array.isArray(wanted)) assert.equal(value.length, wanted.length, path);
  } else if (value !== wanted) assert.equal(value, wanted, path);
}

function check_text(link) {
  const read = fromFragment(link);
  check_types(read.state, plain, 'state');
  for (const part of read.bad) assert.ok(typeof part === 'string' && part.length <= 40, 'bad parts are named in short');
  assert.equal(typeof read.lang + typeof read.theme + typeof read.answer, 'stringstringstring');
  if (link.length > 1000) return; // what is escaped may be too long to be read again
  const written = toFragment(read.state);
  const again = fromFragment(written);
  if (again.bad.length > 0) assert.fail(`its own link is readable: ${written}`);
  assert.equal(toFragment(again.state), written, 'a link that was read is written the same');
  const changed = changedAnswer(read.answer, '13.04 GiB');
  if (changed) assert.ok(typeof changed.before === 'string' && typeof changed.version === 'string');
}

function check_state(state) {
  const written = toFragment(state);
  const { state: read, bad } = fromFragment(`#${written}`);
  assert.deepEqual(bad, [], 'nothing that the page writes is unreadable to it');
  same(read, state, 'read');
  Object.assign(globalThis.location, { href: `https://host/#${written}`, hash: `#${written}` });
  if (written === '') return;
  const carried = fromFragment(linkWithAnswer('1,234.5 GiB').split('#')[1]);
  same(carried.state, state, 'read beside an answer');
  assert.equal(changedAnswer(carried.answer, '1,234.5 GiB'), null, 'the same answer is no change');
  assert.deepEqual(changedAnswer(carried.answer, '2 GiB'), { version: '0.1.0', before: '1,234.5\u00a0GiB' });
}

for (let run = 0; run < runs; ++run) {
  const input = run < seeds.length ? seeds[run] : run % 2 ? mutated() : typed_state();
  try {
    if (typeof input === 'string') check_text(input);
    else check_state(input);
  } catch (error) {
    console.log(`run ${run} of seed ${seed}: ${JSON.stringify(input)}\n${error.stack}`);
    process.exit(1);
  }
  if (run % 1_000_000 === 999_999) console.log(`${run + 1} inputs`);
}
console.log(`${runs} inputs, none of them refused its promise`);
