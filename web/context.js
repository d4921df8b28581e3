/** What every part of the page is given. */

/**
 * @typedef {object} Context
 * @property {import("./i18n.js").Language} language
 * @property {import("./i18n.js").Translate} t
 * @property {import("./core-types.js").Core} core
 * @property {import("./state.js").State} state changed in place; call onChange afterwards
 * @property {import("./current-model.js").ModelStore} models the model all tabs share
 * @property {import("./current-machine.js").MachineStore} machine the machine all tabs share
 * @property {() => void} onChange
 * @property {(id: string) => void} onTab goes to another tab
 * @property {(explanation: import("./components/explain.js").Explanation) => void} explain
 * @property {(sentence: string) => void} announce read aloud, once the typing rests
 * @property {(topic: string) => void} openGuide
 * @property {AbortSignal} signal aborted when the page is built anew (another language)
 */

export {};
