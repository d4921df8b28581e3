/** The tab かんたん: form, result, file name. Follows the inputs once the button was pressed. */

import { dropZone } from "../../components/drop-zone.js";
import { fitBadge } from "../../components/fit-badge.js";
import { h } from "../../dom.js";
import * as format from "../../format.js";
import { initialState } from "../../state.js";
import { calculateRule, calculateSize, ruleInputs } from "./calculate.js";
import { errorSentence, quickForm } from "./form.js";
import { nameCard } from "./name-card.js";
import { modelLabel, quickResult, scaleSentence } from "./result.js";
import { ruleOfThumb } from "./rule-of-thumb.js";

/** @typedef {import("../../context.js").Context} Context */
/** @typedef {import("./calculate.js").Answer} Answer */
/** @typedef {import("../../core-types.js").ModelNameReading} ModelNameReading */

/** The worked example of a first visit. */
const EXAMPLE = { ...initialState(), params: "7", precision: "FP16" };

/**
 * @param {Context} context
 * @returns {import("../index.js").TabView}
 */
export function quickTab(context) {
  const { t, core, state, models, machine, explain, announce, onChange, onTab, openGuide, signal } = context;
  /** Whether the size in the field came from a file name, and goes with it. */
  let sizeFromName = state.name !== "" && readsAs(state.name, state.params);

  const form = quickForm({
    t,
    core,
    state,
    onParams(params) {
      state.params = params;
      sizeFromName = false;
      follow({ quiet: true });
    },
    onSettled: () => state.pressed && follow(),
    onPrecision(precision) {
      state.precision = precision;
      state.bits = "";
      follow();
    },
    onCalculate: calculate,
  });
  const rule = ruleOfThumb({
    t,
    state,
    explain,
    onInput(field, text) {
      state[field] = text;
      update({ quiet: true });
    },
    onSettled: () => update(),
  });
  const result = quickResult({ t, core, explain, onShowOmitted: () => openGuide("not-included") });
  /** @type {Answer | null} */
  let badged = null;
  machine.subscribe(() => badged && showBadge(badged), signal);
  const badge = fitBadge({ t, core, machine, id: "quick-fit" });
  result.element.querySelector(".answers")?.before(badge.element);
  const name = nameCard({
    t,
    value: state.name,
    read: (text) => core.read_model_name(text),
    onRead: applyName,
    onEnter: calculate,
    // The small core has no catalog; once the whole one has arrived, the name is looked up again.
    entryOf: (text) => core.catalog_entry_of_file?.(text) ?? null,
    onEntry(entry) {
      state.model = entry.id;
      onTab("model");
    },
  });
  const veil = dropZone(t("name.drop"), { onFiles: ([file]) => name.set(file.name.trim()), onText: (text) => name.set(text) }, signal);

  /**
   * @param {string} nameText
   * @param {string} params
   */
  function readsAs(nameText, params) {
    const { total_billions } = core.read_model_name(nameText);
    return total_billions !== null && format.namedSize(total_billions) === params;
  }

  /**
   * Fills the form with what the name says; what it does not say is left to the visitor.
   * @param {ModelNameReading} reading
   * @param {string} text
   */
  function applyName(reading, text) {
    state.name = text;
    if (reading.total_billions !== null) {
      state.params = format.namedSize(reading.total_billions);
      sizeFromName = true;
    } else if (sizeFromName) {
      state.params = "";
      sizeFromName = false;
    }
    form.field.input.value = state.params;
    if (reading.precision) {
      state.precision = reading.precision;
      state.bits = "";
      form.precision.set(state.precision);
    }
    follow();
  }

  function calculate() {
    state.pressed = true;
    const answer = update();
    if (!answer) {
      form.field.input.focus();
      return;
    }
    if (matchMedia("(max-width: 1000px)").matches) {
      const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
      result.element.scrollIntoView({ behavior: smooth ? "smooth" : "auto", block: "start" });
    }
  }

  /** @param {{ quiet?: boolean }} [options] */
  function follow(options) {
    if (state.pressed) update(options);
    else {
      const readable = state.params === "" || core.parse_parameter_count(state.params).ok;
      if (readable) form.field.showError("");
      onChange();
    }
  }

  /**
   * Shows the answer to what is typed, or the errors beside the last answer. `quiet`: somebody is
   * typing, so no error sentence appears yet (one that is corrected disappears at once).
   * @param {{ quiet?: boolean }} [options]
   */
  function update({ quiet = false } = {}) {
    onChange();
    if (!state.pressed) {
      showRule(/** @type {Answer} */ (calculateSize(core, EXAMPLE).answer), quiet);
      return null;
    }
    const { answer, error } = calculateSize(core, state);
    if (error) {
      if (!quiet) form.field.showError(errorSentence(error, t));
      result.markStale();
      return null;
    }
    form.field.showError("");
    form.field.showHint(readingHint(answer));
    result.show(answer);
    showBadge(answer);
    result.markCurrent();
    showRule(answer, quiet);
    announce(
      t("quick.said", {
        x: format.gib(answer.size.vram.bytes),
        y: scaleSentence(answer.place, t),
      }),
    );
    return answer;
  }

  /** @param {Answer} answer */
  function showBadge(answer) {
    badged = answer;
    const { size, count, precision } = answer;
    const smaller = core.precision_that_fits(machine.question(), count, precision.name);
    badge.show(size.vram.bytes, smaller.ok && smaller.value ? smaller.value.name : "");
  }

  /**
   * "7B と読みました" when what was typed says it differently.
   * @param {Answer} answer
   */
  function readingHint({ count }) {
    const typed = state.params.trim();
    const read = format.parameters(count.billions);
    return typed === read || `${typed}B` === read ? "" : t("quick.params_read", { x: read });
  }

  /**
   * @param {Answer} answer
   * @param {boolean} quiet
   */
  function showRule(answer, quiet) {
    const calculated = calculateRule(core, answer, state);
    const inputs = ruleInputs(core, { ...state, precision: answer.precision.name });
    if (calculated.ok) {
      rule.clearErrors();
      rule.show(calculated.value, { billions: answer.count.billions, ...inputs });
    } else if (!quiet) rule.showError(calculated.error);
    fillDefaults(inputs);
  }

  /**
   * An untouched field shows the value that is used for it.
   * @param {{ bits: number, factor: number }} inputs
   */
  function fillDefaults(inputs) {
    for (const field of /** @type {const} */ (["bits", "factor"])) {
      const { input } = rule.fields[field];
      const beingTyped = document.activeElement === input;
      if (state[field] === "" && !beingTyped) input.value = format.plain(inputs[field]);
    }
  }

  const current = models.get();
  if (current && current.parameters.total > 0) {
    const billions = format.inFormula(current.parameters.total / 1e9);
    form.offer(t("quick.current_model", { x: current.title }), t("quick.use_model"), () => {
      state.params = billions;
      form.field.input.value = billions;
      sizeFromName = false;
      calculate();
    });
  }

  const example = calculateSize(core, EXAMPLE).answer;
  if (example) {
    result.show(example);
    showBadge(example);
  }
  if (state.pressed) update();
  else {
    if (example) showRule(example, false);
    result.markExample();
  }

  return {
    element: h(
      "section",
      { class: "quick", id: "panel-quick", role: "tabpanel", "aria-label": t("quick.tab") },
      h("div", {}, h("h1", {}, t("quick.title")), h("p", { class: "lead" }, t("quick.lead"))),
      h("div", { class: "quick-grid" }, form.element, result.element, name.element),
      rule.element,
      veil,
    ),
    result: result.element,
    arrived: name.refresh,
    document() {
      const { answer } = state.pressed ? calculateSize(core, state) : { answer: null };
      if (!answer) return null;
      const size = format.gib(answer.size.vram.bytes);
      return {
        tab: t("quick.tab"),
        verdict: null,
        headline: `${t("quick.vram")} ${size}`,
        subject: scaleSentence(answer.place, t),
        settings: [
          { name: t("bar.model"), value: modelLabel(answer) },
          { name: t("export.precision"), value: answer.precision.name },
        ],
        places: [{ title: t("quick.vram"), terms: [answer.size.vram], usable: 0 }],
        answer: size,
      };
    },
    /** One line for the bar that repeats the answer on a phone. */
    summary() {
      const { answer } = state.pressed ? calculateSize(core, state) : { answer: null };
      return answer ? { model: modelLabel(answer), size: format.gib(answer.size.vram.bytes) } : null;
    },
  };
}
