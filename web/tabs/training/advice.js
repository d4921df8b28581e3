/** Changes that make room: each with its saving, its price in time and one button. */

import { fill, h } from "../../dom.js";
import { gib, plain, whole } from "../../format.js";
import { verdictIcon } from "../inference/verdict.js";

/** @typedef {import("../../core-types.js").TrainingAdvice} TrainingAdvice */

/**
 * One change in words.
 * @param {string} kind
 * @param {TrainingAdvice} advice
 * @param {import("../../i18n.js").Translate} t
 */
function changeWords(kind, advice, t) {
  const of = (/** @type {string} */ name) => advice.changes.find(({ option }) => option === name)?.value ?? "";
  const named = (/** @type {string} */ field) => t(/** @type {any} */ (`train.${field}.${of(field)}`));
  switch (kind) {
    case "batch":
      return t("train_advice.batch", { x: of("batch"), y: of("accumulation") });
    case "zero":
      return t("train_advice.zero", { x: named("data_parallel") });
    case "optimizer_8bit":
      return t("train_advice.optimizer_8bit", { x: named("optimizer") });
    case "sequence":
      return t("train_advice.sequence", { x: whole(Number(of("sequence"))) });
    case "more_gpus":
      return t(of("data_parallel") ? "train_advice.more_gpus_fsdp" : "train_advice.more_gpus", { x: of("add_gpus") });
    default:
      return t(/** @type {any} */ (`train_advice.${kind}`));
  }
}

/** "時間は約 1.3 倍": the price in time. @param {TrainingAdvice} advice @param {import("../../i18n.js").Translate} t */
function timeWords({ time_low, time_high }, t) {
  const short = (/** @type {number} */ ratio) => plain(Number(ratio.toPrecision(2)));
  const [a, b] = [short(time_low), short(time_high)];
  if (a === "1" && b === "1") return t("train_advice.time_same");
  return t(a === b ? "train_advice.time" : "train_advice.time_range", { a, b });
}

/**
 * @param {import("../../i18n.js").Translate} t
 * @param {(advice: TrainingAdvice, words: string) => void} onApply
 */
export function adviceCard(t, onApply) {
  const lead = h("p", { class: "lead" });
  const list = h("ol", { class: "advice", id: "train-advice" });
  return {
    element: h("section", { class: "card stack train-result", "aria-labelledby": "train-advice-title" }, h("h2", { id: "train-advice-title" }, t("train_advice.title")), lead, list),
    /** @param {TrainingAdvice[]} advice */
    show(advice) {
      fill(lead, t(advice.length === 0 ? "train_advice.none" : advice[0].kinds.length > 1 ? "train_advice.lead_together" : "train_advice.lead"));
      fill(
        list,
        ...advice.map((row, index) => {
          const words = row.kinds.map((kind) => changeWords(kind, row, t)).join(t("advice.and"));
          const quality = row.kinds.map((kind) => t(/** @type {any} */ (`train_advice.${kind}_price`)));
          const price = [...new Set(quality), timeWords(row, t)].join(t("infer.sentence_gap"));
          return h(
            "li",
            {},
            h("div", { class: "advice-words" }, h("strong", { id: `train-advice-${index}-words` }, words), h("span", { class: "note" }, price)),
            h("span", { class: "advice-saving" }, t("advice.saving", { x: gib(row.saving) })),
            h("span", { class: `advice-verdict verdict-${row.verdict}` }, verdictIcon(row.verdict), ` ${t(`verdict.${row.verdict}_short`, { x: gib(Math.abs(row.margin)) })}`),
            h("button", { type: "button", class: "button-line", id: `train-advice-${index}`, "aria-describedby": `train-advice-${index}-words`, on: { click: () => onApply(row, words) } }, t("infer.apply")),
          );
        }),
      );
    },
  };
}
