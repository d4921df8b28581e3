/** The smallest changes that make it fit, each with its price, its saving and one button. */

import { fill, h } from "../../dom.js";
import { gib, percent, plain, rate } from "../../format.js";
import { coreSentence } from "../../i18n.js";
import { changeWords } from "./changes.js";
import { verdictIcon } from "./verdict.js";

/** @typedef {import("../../core-types.js").Advice} Advice */
/** @typedef {import("../../i18n.js").Translate} Translate */

/**
 * What it costs, in words.
 * @param {Advice} advice
 * @param {Translate} t
 */
function price(advice, t) {
  return advice.kinds
    .map((kind, at) => {
      if (kind === "mix" || kind === "kv_type") {
        const { message, is_ratio, value, model } = advice.qualities[at];
        const what = t(kind === "mix" ? "advice.of_weights" : "advice.of_cache");
        const measured = model === "" ? "" : t("advice.measured", { x: t(is_ratio ? "model.ln_ppl_ratio" : "model.ppl_delta", { x: plain(value), model }) });
        return t("advice.price_quality", { x: coreSentence(t, "quality", message), what }) + measured;
      }
      if (kind === "offload" && advice.host_share > 0) return t("advice.price_offload", { x: percent(advice.host_share) });
      return t(/** @type {any} */ (`advice.price_${kind === "offload" ? "placement" : kind}`));
    })
    .join(t("infer.sentence_gap"));
}

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {(format: string) => string} options.formatName
 * @param {(id: string, gib: string) => string} options.deviceName
 * @param {(advice: Advice, words: string) => void} options.onApply
 */
export function adviceCard({ t, formatName, deviceName, onApply }) {
  const wordsOf = (/** @type {Advice} */ row) => row.kinds.map((kind) => changeWords(kind, row.changes, t, formatName, deviceName)).join(t("advice.and"));
  const title = h("h2", { id: "advice-title" }, t("advice.title"));
  const lead = h("p", { class: "lead", id: "advice-lead" });
  const list = h("ol", { class: "advice", id: "advice" });
  const element = h("section", { class: "card stack", "aria-labelledby": "advice-title" }, title, lead, list);
  return {
    element,
    wordsOf,
    /**
     * @param {Advice[]} advice
     * @param {"fits" | "roomy" | "over"} aim what was asked for: nothing, more room, or to fit at all
     */
    show(advice, aim) {
      fill(title, t(aim === "roomy" ? "advice.title_roomy" : "advice.title"));
      fill(lead, t(aim === "fits" ? "advice.none_needed" : advice.length === 0 ? "advice.none" : "advice.lead"));
      fill(
        list,
        ...advice.map((row, index) => {
          const words = wordsOf(row);
          return h(
            "li",
            {},
            h(
              "div",
              { class: "advice-words" },
              h("strong", { id: `advice-${index}-words` }, words),
              h("span", { class: "note" }, price(row, t)),
            ),
            h(
              "span",
              { class: "advice-saving" },
              t("advice.saving", { x: gib(row.saving) }),
              row.tok_s_after > 0 && h("span", { class: "note" }, t("advice.speed", { a: rate(row.tok_s_before), b: rate(row.tok_s_after) })),
            ),
            h(
              "span",
              { class: `advice-verdict verdict-${row.verdict}` },
              verdictIcon(row.verdict),
              ` ${t(`verdict.${row.verdict}_short`, { x: gib(row.margin) })}`,
            ),
            h(
              "button",
              {
                type: "button",
                class: "button-line",
                id: `advice-${index}`,
                "aria-describedby": `advice-${index}-words`,
                on: { click: () => onApply(row, words) },
              },
              t("infer.apply"),
            ),
          );
        }),
      );
    },
  };
}
