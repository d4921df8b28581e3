/**
 * The tabs, in their order. To add one: a folder here that exports a builder, a line below, and
 * its label in messages/; if it has inputs of its own, a line in inputs.js. Keys 1 to 4 open those
 * of the header; "e" opens the largest of the buttons with `data-bytes`. One with `inMenu` stands in the menu instead.
 */

import { accuracyTab } from "./accuracy/index.js";
import { compareTab } from "./compare/index.js";
import { inferenceTab } from "./inference/index.js";
import { logTab } from "./log/index.js";
import { modelTab } from "./model/index.js";
import { offloadTab } from "./offload/index.js";
import { quickTab } from "./quick/index.js";
import { trainingTab } from "./training/index.js";

/**
 * @typedef {object} TabView
 * @property {HTMLElement} element the panel, with role=tabpanel and id "panel-<tab>"
 * @property {HTMLElement} result repeated in a bar on a phone once it is scrolled away
 * @property {() => { model: string, size: string } | null} summary what that bar says
 * @property {() => import("../results/document.js").ResultDocument | null} [document] the answer for exports, comparisons and links; null while there is none
 *
 * @typedef {object} Tab
 * @property {string} id also its name in the address
 * @property {import("../i18n.js").MessageId} label
 * @property {(context: import("../context.js").Context) => TabView} build
 * @property {boolean} [inMenu]
 * @property {boolean} [alone] without the bars for model and machine
 */

/** @type {readonly Tab[]} */
export const TABS = [
  { id: "quick", label: "quick.tab", build: quickTab, alone: true },
  { id: "infer", label: "infer.tab", build: inferenceTab },
  { id: "train", label: "train.tab", build: trainingTab },
  { id: "off", label: "off.tab", build: offloadTab },
  { id: "model", label: "model.tab", build: modelTab, inMenu: true },
  { id: "compare", label: "compare.tab", build: (context) => compareTab(TABS, context), inMenu: true, alone: true },
  { id: "log", label: "log.tab", build: logTab, inMenu: true },
  { id: "acc", label: "acc.tab", build: accuracyTab, inMenu: true, alone: true },
];
