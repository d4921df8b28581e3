/** What the visitor came for: VRAM, RAM, where that sits among cards, and the formula. */

import { evidenceMark } from "../../components/evidence.js";
import { explainTerm } from "../../components/explain.js";
import { rich } from "../../components/rich.js";
import { ruler } from "../../components/ruler.js";
import { fill, h, icons } from "../../dom.js";
import * as format from "../../format.js";

/** @typedef {import("../../i18n.js").Translate} Translate */
/** @typedef {import("./calculate.js").Answer} Answer */
/** @typedef {import("../../components/explain.js").Explanation} Explanation */

/**
 * "7B FP16".
 * @param {Answer} answer
 */
export const modelLabel = ({ count, precision }) =>
  `${format.parameters(count.billions)} ${precision.name}`;

/**
 * The original form's formula with the visitor's numbers in it.
 * @param {Answer} answer
 */
export function substitutedFormula({ count, precision, size }) {
  const params = format.inFormula(count.billions);
  const bytes = format.inFormula(precision.bytes);
  const gib = format.fourDecimals(size.gib);
  return `${params} × ${bytes} × Math.pow(10,9) / (1024 × 1024 × 1024) = ${gib} GiB`;
}

/**
 * @param {import("../../core-types.js").SizeOnScale} place
 * @param {Translate} t
 */
export function scaleSentence({ smallest_fit_gb, largest_not_gb }, t) {
  if (smallest_fit_gb === null) return t("scale.none", { a: largest_not_gb ?? "" });
  if (largest_not_gb === null) return t("scale.smallest", { b: smallest_fit_gb });
  return t("scale.both", { a: largest_not_gb, b: smallest_fit_gb });
}

/**
 * A big number with its unit; pressing it opens its explanation.
 * @param {string} id
 * @param {Translate} t
 */
function answerNumber(id, t) {
  const value = h("span", {});
  const unit = h("span", { class: "unit" });
  let open = () => {};
  const element = h(
    "button",
    { type: "button", class: "answer-number", "aria-haspopup": "dialog", on: { click: () => open() } },
    h("span", { id }, value, unit),
    h("span", { class: "visually-hidden" }, t("quick.open_explanation")),
    icons.chevron(),
  );
  return {
    element,
    /**
     * @param {number} bytes
     * @param {() => void} onOpen
     */
    show(bytes, onOpen) {
      const parts = format.gibParts(bytes);
      fill(value, parts.value);
      fill(unit, `\u00a0${parts.unit}`);
      open = onOpen;
      element.dataset.bytes = String(bytes);
    },
  };
}

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("../../core-types.js").Core} options.core
 * @param {(explanation: Explanation) => void} options.explain
 * @param {() => void} options.onShowOmitted opens the part of the guide about what is left out
 */
export function quickResult({ t, core, explain, onShowOmitted }) {
  const vram = answerNumber("vram-gib", t);
  const ram = answerNumber("ram-gib", t);
  const vramGb = h("span", { id: "vram-gb" });
  const ramGb = h("span", { id: "ram-gb" });
  const sameSize = h("p", { class: "note" });
  const headline = h("h2", { class: "scale-headline" });
  const scale = ruler({ scale: core.size_scale(), t });
  const formula = h("p", { id: "formula", class: "formula" });
  const installed = installedRam(t, explain);
  const notice = h("p", { class: "notice", id: "result-notice" });
  /** @type {Answer | null} */
  let shown = null;
  const explainScale = () => shown && explain(scaleExplanation(shown, t));

  const element = h(
    "section",
    { class: "card result", id: "result", "aria-label": t("quick.result") },
    notice,
    h(
      "dl",
      { class: "answers" },
      h(
        "div",
        {},
        h("dt", {}, t("quick.vram")),
        h("dd", {}, vram.element, vramGb),
        h("dd", { class: "note" }, ...rich(t("quick.vram_gloss"), t)),
      ),
      h(
        "div",
        {},
        h("dt", {}, t("quick.ram")),
        h("dd", {}, ram.element, ramGb),
        h("dd", { class: "note" }, ...rich(t("quick.ram_gloss"), t)),
      ),
    ),
    sameSize,
    h(
      "div",
      { class: "scale" },
      headline,
      scale.element,
      h(
        "p",
        { class: "note" },
        t("scale.note"),
        " ",
        h("button", { type: "button", class: "link", on: { click: explainScale } }, t("scale.explain")),
      ),
    ),
    h(
      "p",
      { class: "doubt" },
      icons.doubt(),
      h(
        "span",
        {},
        ...rich(t("quick.weights_only"), t),
        " ",
        h(
          "button",
          { type: "button", class: "link", on: { click: onShowOmitted } },
          t("quick.weights_only_link"),
        ),
      ),
    ),
    h("div", {}, h("h3", { class: "visually-hidden" }, t("quick.formula")), formula),
    installed.element,
  );

  return {
    element,
    /** @param {Answer} answer */
    show(answer) {
      shown = answer;
      const { size, place } = answer;
      const bytes = size.vram.bytes;
      vram.show(bytes, () =>
        explain(explainTerm(size.vram, t("quick.vram"), t("explain.vram_moves"), t)),
      );
      ram.show(size.ram.bytes, () =>
        explain(explainTerm(size.ram, t("quick.ram"), t("explain.ram_moves"), t)),
      );
      fill(vramGb, t("quick.same_bytes", { x: format.gb(bytes) }));
      fill(ramGb, t("quick.same_bytes", { x: format.gb(size.ram.bytes) }));
      const sizes = { gib: format.gib(bytes), gb: format.gb(bytes) };
      fill(sameSize, ...rich(t("quick.gib_gb", sizes), t));
      const sentence = scaleSentence(place, t);
      fill(headline, sentence);
      const model = modelLabel(answer);
      const description = t("scale.description", { model, x: sizes.gib, sentence });
      scale.update(place, model, description);
      fill(formula, substitutedFormula(answer));
      installed.show(answer);
    },
    /** The worked example of a first visit. */
    markExample() {
      element.removeAttribute("data-stale");
      fill(notice, h("span", { class: "tag" }, t("quick.example")), " ", t("quick.example_note"));
    },
    /** The result does not belong to what is in the fields now. */
    markStale() {
      element.setAttribute("data-stale", "");
      fill(notice, t("quick.stale", { x: shown ? modelLabel(shown) : "" }));
    },
    markCurrent() {
      element.removeAttribute("data-stale");
      fill(notice, h("strong", {}, shown && modelLabel(shown)));
    },
  };
}

/**
 * @param {Translate} t
 * @param {(explanation: Explanation) => void} explain
 */
function installedRam(t, explain) {
  const sentence = h("p", {});
  const room = h("p", { class: "note" });
  return {
    element: h(
      "section",
      { class: "part" },
      h("div", { class: "title-row" }, h("h3", {}, t("ram.title")), evidenceMark("assumed", t)),
      sentence,
      h("p", { class: "note" }, ...rich(t("ram.rule1"), t)),
      room,
    ),
    /** @param {Answer} answer */
    show({ size }) {
      const term = size.installed_ram;
      const system = term?.formula.inputs.find(({ name }) => name === "S");
      room.hidden = !system;
      if (!term || !system) {
        fill(sentence, t("ram.too_big"));
        return;
      }
      const sold = `${format.soldGb(term.bytes)}\u00a0GB`;
      const open = () =>
        explain({
          ...explainTerm(term, t("ram.title"), t("explain.installed_moves"), t),
          answer: sold,
          also: [format.gib(term.bytes)],
        });
      const [before, after] = t("ram.look_for", { x: "\n" }).split("\n");
      const button = h(
        "button",
        { type: "button", class: "number", id: "ram-installed", on: { click: open } },
        sold,
      );
      fill(sentence, before, button, after);
      const amount = `${format.plain(system.value)}\u00a0${system.unit}`;
      fill(room, ...rich(t("ram.rule2", { room: amount }), t));
    },
  };
}

/**
 * @param {Answer} answer
 * @param {Translate} t
 * @returns {Explanation}
 */
function scaleExplanation({ size, place }, t) {
  const { smallest_fit_gb: fit, largest_not_gb: not } = place;
  return {
    title: t("explain.scale_title"),
    formula: t("explain.scale_formula"),
    inputs: [
      { name: t("explain.scale_model"), value: format.gib(size.vram.bytes) },
      ...(fit === null ? [] : [{ name: t("explain.scale_fit"), value: `${fit}\u00a0GB` }]),
      ...(not === null ? [] : [{ name: t("explain.scale_not"), value: `${not}\u00a0GB` }]),
    ],
    answer: scaleSentence(place, t),
    also: [],
    evidence: "measured",
    source: t("explain.scale_source"),
    moves: t("explain.scale_moves"),
    data: place,
  };
}
