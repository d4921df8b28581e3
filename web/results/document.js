/**
 * What a tab answers, apart from how the tab draws it: for exports, cards, comparisons and links.
 * A tab gives it as `TabView.document()`.
 */

import { gib } from "../format.js";
import { explainTerm } from "../components/explain.js";
import { termName } from "../tabs/inference/terms.js";
import { machineTitle } from "../bars/words.js";

/** @typedef {import("../core-types.js").Term} Term */
/** @typedef {import("../i18n.js").Translate} Translate */

/**
 * @typedef {object} Place a device or tier with what lies on it
 * @property {string} title
 * @property {Term[]} terms
 * @property {number} usable bytes; 0: not known or not asked
 *
 * @typedef {object} ResultDocument
 * @property {string} tab its label
 * @property {import("../tabs/inference/verdict.js").Shown | null} verdict
 * @property {string} headline the verdict in words, or the main number
 * @property {string} subject what was calculated, in one sentence
 * @property {{ name: string, value: string }[]} settings
 * @property {Place[]} places
 * @property {string} answer the main number as shown: what a link carries and comparisons begin with
 */

/**
 * The settings that all tabs share.
 * @param {Translate} t
 * @param {import("../current-model.js").ModelStore} models
 * @param {import("../current-machine.js").MachineStore} machine
 */
export function sharedSettings(t, models, machine) {
  const summary = machine.summary();
  return [
    { name: t("bar.model"), value: models.shown().title },
    { name: t("bar.machine"), value: summary.ok ? machineTitle(summary.value, t) : "–" },
  ];
}

/**
 * Every term with its words: name, formula, inputs, evidence, source.
 * @param {ResultDocument} document
 * @param {Translate} t
 */
export const explainedTerms = (document, t) =>
  document.places.flatMap(({ title, terms }) =>
    terms.map((term) => ({ term, place: title, ...explainTerm(term, termName(term.id, t), "", t), size: gib(term.bytes) })),
  );
