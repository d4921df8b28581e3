/**
 * The tabs, in their order. To add one: a folder here that exports a builder, a line below and one in
 * builders.js, and its label in messages/first-*.js; if it has inputs of its own, a line in inputs.js.
 * Keys 1 to 4 open those of the header; "e" opens the largest of the buttons with `data-bytes`. One
 * with `inMenu` stands in the menu instead.
 */

/**
 * @typedef {object} TabView
 * @property {HTMLElement} element the panel, with role=tabpanel and id "panel-<tab>"
 * @property {HTMLElement} result repeated in a bar on a phone once it is scrolled away
 * @property {() => { model: string, size: string } | null} summary what that bar says
 * @property {() => void} [arrived] the rest of the page is here, and with it all of the core
 * @property {() => import("../results/document.js").ResultDocument | null} [document] the answer for exports, comparisons and links; null while there is none
 *
 * @typedef {(context: import("../context.js").Context) => TabView} Builder
 *
 * @typedef {object} Tab
 * @property {string} id also its name in the address
 * @property {import("../i18n.js").MessageId} label
 * @property {boolean} [inMenu]
 * @property {boolean} [alone] without the bars for model and machine
 */

/** @type {readonly Tab[]} */
export const TABS = [
  { id: "quick", label: "quick.tab", alone: true },
  { id: "infer", label: "infer.tab" },
  { id: "train", label: "train.tab" },
  { id: "off", label: "off.tab" },
  { id: "model", label: "model.tab", inMenu: true },
  { id: "compare", label: "compare.tab", inMenu: true, alone: true },
  { id: "log", label: "log.tab", inMenu: true },
  { id: "acc", label: "acc.tab", inMenu: true, alone: true },
];
