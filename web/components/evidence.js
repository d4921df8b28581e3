/** ■ exact ◧ derived ◆ measured ◌ assumed: shape and word, drawn in CSS. */

import { h } from "../dom.js";

/**
 * @param {import("../core-types.js").Evidence} evidence
 * @param {import("../i18n.js").Translate} t
 */
export function evidenceMark(evidence, t) {
  return h("span", { class: `evidence evidence-${evidence}` }, t(`evidence.${evidence}`));
}
