/** The form and its two numbers, small enough for a column of a blog. */

import { explainTerm } from "../components/explain.js";
import { fill, h } from "../dom.js";
import * as format from "../format.js";
import { initialState, toFragment } from "../state.js";
import { calculateSize } from "../tabs/quick/calculate.js";
import { errorSentence, quickForm } from "../tabs/quick/form.js";
import { modelLabel, scaleSentence } from "../tabs/quick/result.js";

/**
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {import("../core-types.js").Core} options.core
 * @param {import("../state.js").State} options.state
 * @param {(explanation: import("../components/explain.js").Explanation) => void} options.explain
 */
export function compactCalculator({ t, core, state, explain }) {
  const numbers = h("dl", { class: "answers answers-compact" });
  const sentence = h("p", { class: "note", role: "status" });
  const notice = h("p", { class: "notice" });
  const more = h("a", { target: "_blank", rel: "noopener" }, t("embed.more"));
  const result = h("div", { class: "stack", id: "result" }, notice, numbers, sentence);
  let label = "";

  const form = quickForm({
    t,
    core,
    state,
    compact: true,
    onParams(params) {
      state.params = params;
      update(true);
    },
    onSettled: () => update(false),
    onPrecision(precision) {
      state.precision = precision;
      update(false);
    },
    onCalculate() {
      state.pressed = true;
      update(false);
    },
  });

  /**
   * @param {import("../core-types.js").Term} term
   * @param {"vram" | "ram"} kind
   */
  const number = (term, kind) => {
    const { value, unit } = format.gibParts(term.bytes);
    const title = t(`quick.${kind}`);
    const open = () => explain(explainTerm(term, title, t(`explain.${kind}_moves`), t));
    return h(
      "div",
      {},
      h("dt", {}, title),
      h(
        "dd",
        {},
        h(
          "button",
          { type: "button", class: "answer-number", "aria-haspopup": "dialog", on: { click: open } },
          h("span", { id: `${kind}-gib` }, value, h("span", { class: "unit" }, `\u00a0${unit}`)),
        ),
        h("span", { id: `${kind}-gb` }, t("quick.same_bytes", { x: format.gb(term.bytes) })),
      ),
    );
  };

  /** @param {import("../tabs/quick/calculate.js").Answer} answer */
  function show(answer) {
    fill(numbers, number(answer.size.vram, "vram"), number(answer.size.ram, "ram"));
    fill(sentence, scaleSentence(answer.place, t));
    label = modelLabel(answer);
  }

  /** @param {boolean} quiet somebody is typing: no error sentence yet */
  function update(quiet) {
    more.href = `index.html#${toFragment(state)}`;
    if (!state.pressed) return;
    const { answer, error } = calculateSize(core, state);
    if (error && !quiet) form.field.showError(errorSentence(error, t));
    result.toggleAttribute("data-stale", error !== null);
    if (error) fill(notice, t("quick.stale", { x: label }));
    else {
      form.field.showError("");
      fill(notice);
      show(answer);
    }
  }

  const example = calculateSize(core, { ...initialState(), params: "7" }).answer;
  if (example) show(example);
  if (!state.pressed) fill(notice, h("span", { class: "tag" }, t("quick.example")), ` ${label}`);
  update(false);

  return h(
    "div",
    { class: "compact" },
    form.element,
    result,
    h("p", { class: "compact-foot" }, h("span", {}, t("embed.version", { version: MEYASU_VERSION })), more),
  );
}
