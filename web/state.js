import { isMachineKey, machineDefaults, machineFromParts, machineParts } from "./current-machine.js";
import { isCarriedAnswer } from "./link.js";
import { TAB_INPUTS } from "./tabs/inputs.js";

/**
 * The state of the page and its place in the address: #v1;p=7;q=fp16. Every input is in it, so a
 * link shows what its sender saw. Keys: p parameters, q precision, n file name, m model, rb and rf bits and
 * factor of the rule of thumb, tab (absent: the first); the machine's in current-machine.js, a tab's in
 * tabs/inputs.js; lang and theme are read (for embedding) but not written; a, of copied links: link.js.
 */

/**
 * @typedef {object} State
 * @property {string} tab
 * @property {string} params as typed
 * @property {string} precision
 * @property {string} name as typed
 * @property {string} model id in the catalog of the model all tabs share; empty: none, or a file
 * @property {string} bits as typed; empty: the bits of the precision
 * @property {string} factor as typed; empty: the default of the core
 * @property {import("./current-machine.js").MachineInputs} machine the one all tabs share
 * @property {Record<string, Record<string, string>>} tabs inputs of each tab, as typed
 * @property {boolean} pressed whether 計算する was pressed: from then on inputs are followed
 */

const VERSION = "v1";
const PRECISIONS = ["FP32", "FP16", "BF16", "INT8", "INT4"];
const FIRST_TAB = "quick";
/** Of one value; a setup of the comparison is a whole link. */
const MAX_VALUE_LENGTH = 4096;

/** @returns {State} */
export const initialState = () => ({
  tab: FIRST_TAB,
  params: "",
  precision: "FP16",
  name: "",
  model: "",
  bits: "",
  factor: "",
  machine: machineDefaults(),
  tabs: Object.fromEntries(Object.entries(TAB_INPUTS).map(([id, { defaults }]) => [id, { ...defaults }])),
  pressed: false,
});

/** Keys of the fragment that hold a field of the state as typed. */
const TEXT_KEYS = /** @type {const} */ ({
  tab: "tab",
  p: "params",
  n: "name",
  m: "model",
  rb: "bits",
  rf: "factor",
});

/**
 * Commas, Japanese and the like stay readable; only what would break the fragment is escaped. Half
 * of a surrogate pair, as some input methods leave behind, has no place in an address.
 * @param {string} text
 */
const escapeValue = (text) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd")).replaceAll("%2C", ",");

/** @param {string} text */
function unescapeValue(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/**
 * @param {State} state
 * @returns {string} without "#"; empty while nothing was chosen
 */
export function toFragment(state) {
  const parts = state.tab === FIRST_TAB ? [] : [`tab=${escapeValue(state.tab)}`];
  if (state.pressed) parts.push(...quickParts(state));
  if (state.model) parts.push(`m=${escapeValue(state.model)}`);
  const pairs = [...machineParts(state.machine), ...tabParts(state)];
  parts.push(...pairs.map(([key, value]) => `${key}=${escapeValue(value)}`));
  return parts.length === 0 ? "" : [VERSION, ...parts].join(";");
}

/** @param {State} state */
function tabParts({ tab, tabs }) {
  if (!Object.hasOwn(TAB_INPUTS, tab)) return [];
  const { defaults, always = [] } = TAB_INPUTS[tab];
  return Object.entries(tabs[tab]).filter(([key, value]) => always.includes(key) || value !== defaults[key]);
}

/** @param {State} state */
function quickParts(state) {
  const parts = [`p=${escapeValue(state.params)}`, `q=${state.precision.toLowerCase()}`];
  if (state.name) parts.push(`n=${escapeValue(state.name)}`);
  if (state.bits) parts.push(`rb=${escapeValue(state.bits)}`);
  if (state.factor) parts.push(`rf=${escapeValue(state.factor)}`);
  return parts;
}

/**
 * @param {string} fragment with or without "#"
 * @returns {{ state: State, bad: string[], lang: string, theme: string, answer: string }} `bad`: unreadable parts; `answer`: see link.js
 */
export function fromFragment(fragment) {
  const state = initialState();
  const result = { state, bad: /** @type {string[]} */ ([]), lang: "", theme: "", answer: "" };
  const [version, ...parts] = fragment.replace(/^#/, "").split(";");
  if (!version) return result;
  if (version !== VERSION) {
    result.bad.push(version.slice(0, 40));
    return result;
  }
  /** @type {Map<string, string>} */
  const machine = new Map();
  /** Keys of tabs count once it is known which tab. @type {[string, string, string][]} */
  const others = [];
  for (const part of parts.filter(Boolean)) {
    const [, key = "", raw = ""] = /^(\w+)=(.*)$/s.exec(part) ?? [];
    const value = unescapeValue(raw);
    if (value === null || value.length > MAX_VALUE_LENGTH) result.bad.push(part.slice(0, 40));
    else if (key === "q" && PRECISIONS.includes(value.toUpperCase())) {
      state.precision = value.toUpperCase();
    } else if (Object.hasOwn(TEXT_KEYS, key)) state[TEXT_KEYS[/** @type {keyof typeof TEXT_KEYS} */ (key)]] = value;
    else if (isMachineKey(key)) machine.set(key, value);
    else if (key === "lang") result.lang = value;
    else if (key === "theme") result.theme = value;
    else if (key === "a" && isCarriedAnswer(value)) result.answer = value;
    else others.push([key, value, part]);
  }
  const inputs = Object.hasOwn(state.tabs, state.tab) ? state.tabs[state.tab] : {};
  for (const [key, value, part] of others) {
    if (Object.hasOwn(inputs, key)) inputs[key] = value;
    else result.bad.push(part.slice(0, 40));
  }
  state.machine = machineFromParts(machine);
  state.pressed = state.params !== "";
  return result;
}

/**
 * Puts the state into the address without a new entry in the history.
 * @param {State} state
 */
export function writeFragment(state) {
  const fragment = toFragment(state);
  try {
    history.replaceState(null, "", fragment ? `#${fragment}` : "#");
  } catch {
    // A sandboxed frame, or too many changes for the browser: the page works without the link.
  }
}
