/**
 * The tab オフロード: the plan of FlexGen for the shared model and machine: how fast, what lies
 * where, one layer in time, speed against waiting, what another part would change, other programs.
 * The searches run in a worker; what they have found so far is shown as it comes.
 */

import { machineTitle } from "../../bars/words.js";
import { explainInputs } from "../../components/explain.js";
import { numberField } from "../../components/number-field.js";
import { segmented } from "../../components/segmented.js";
import { coreErrorSentence } from "../../core-error.js";
import { fill, h } from "../../dom.js";
import { sharedSettings } from "../../results/document.js";
import { duration, gb, gib, gibParts, percent, rate, seconds, typedNumber, whole } from "../../format.js";
import { termList } from "../inference/terms.js";
import { verdictIcon } from "../inference/verdict.js";
import { knownCase } from "../known-case.js";
import { blockCurve } from "./curve.js";
import { INPUT_OF, offloadOptions } from "./inputs.js";
import { layerTime, pathName } from "./layer-time.js";
import { caseInputs, caseMachine, caseNote } from "./presets.js";
import { programs } from "./programs.js";
import { searches } from "./search.js";
import { capacitySliders } from "./sliders.js";
import { tierBars, tierName } from "./tiers.js";

/** @typedef {import("./inputs.js").OffloadInputs} OffloadInputs */
/** @typedef {import("../../core-types.js").OffloadPlan} OffloadPlan */
/** @typedef {import("../../core-types.js").OffloadCase} OffloadCase */

/** Programs with one sequence take the longest: they are asked once the inputs rest. */
const REST_MS = 120;
/** Refusals that are an answer: what was asked is impossible, and by how much. */
const ANSWERS = ["offload_short", "offload_buffers", "gpu_short", "ram_short", "ram_short_pinned", "disk_short", "ram_min", "one_memory", "no_gpu"];
/** Groups of known cases, in order. */
const GROUPS = /** @type {const} */ (["paper", "colab_free", "colab_pro", "cards"]);

/**
 * @param {import("../../context.js").Context} context
 * @returns {import("../index.js").TabView}
 */
export function offloadTab({ t, core, state, models, machine, explain, announce, onChange, signal }) {
  const inputs = /** @type {OffloadInputs} */ (state.tabs.off);
  const cases = core.offload_cases();
  const caseShown = knownCase({ inputs, state, models, machine });
  /** @type {OffloadCase | null} */
  let preset = null;
  let quiet = false;
  let said = { model: "", size: "" };
  /** @type {OffloadPlan | null} */
  let shownPlan = null;
  /** Whether it runs, on what, with how much to spare: of that plan. */
  let answerLine = "";

  const notice = h("p", { class: "notice", hidden: true });
  const answer = h("div", { class: "stack" }, h("p", { class: "lead" }, t("off.searching")));
  const progress = h("progress", { class: "search-progress", max: 1, value: 0, "aria-label": t("off.searching") });
  const answerCard = h("div", { class: "card answer-card", id: "off-answer" }, notice, answer, progress);
  const bannerWords = h("span");
  const banner = h(
    "div",
    { class: "banner preset-banner", hidden: true },
    bannerWords,
    h("button", { type: "button", class: "button-line", id: "off-back", on: { click: leavePreset } }, t("off.preset_back")),
  );
  const assumptions = h("p", { class: "note", id: "off-assumptions" });
  const where = h("div", { class: "stack" });
  const terms = h("div", { class: "card stack off-result", id: "off-terms" });
  const layer = h("div", { class: "stack-tight" });
  const layerNote = h("p", { class: "note" });
  const curve = blockCurve(t);
  const whatIf = h("ul", { class: "what-if" });
  const others = h("dl", { class: "others" });
  const alone = programs({ t, core, explain });

  /** @type {Map<keyof OffloadInputs, import("../../components/number-field.js").NumberField>} */
  const fields = new Map();
  /**
   * @param {keyof OffloadInputs} key
   * @param {import("../../i18n.js").MessageId} label
   * @param {{ unit?: string, hint?: string, placeholder?: string, inputmode?: string }} [more]
   */
  const number = (key, label, more = {}) => {
    const field = numberField({
      id: `off-${key}`,
      label: [h("label", { for: `off-${key}` }, t(label))],
      name: t(label),
      value: inputs[key],
      onInput: (text) => change(key, text),
      onSettled: settle,
      ...more,
    });
    fields.set(key, field);
    return field.element;
  };
  const compress = segmented({
    name: "off-oc",
    legend: [t("off.compress")],
    choices: [
      { value: "", label: t("off.compress_no") },
      { value: "1", label: t("off.compress_yes") },
    ],
    value: inputs.oc,
    onChange: (value) => change("oc", value),
  });
  const sliders = capacitySliders({ t, machine });
  const attention = h("input", { type: "checkbox", id: "off-oa", on: { change: () => change("oa", attention.checked ? "" : "0") } });
  const pinned = h("input", { type: "checkbox", id: "off-on", on: { change: () => change("on", pinned.checked ? "" : "0") } });
  const rates = segmented({
    name: "off-or",
    legend: [t("off.rates")],
    choices: [
      { value: "", label: t("off.rates_measured") },
      { value: "a", label: t("off.rates_authors") },
    ],
    value: inputs.or,
    onChange: (value) => change("or", value),
  });
  const choice = h(
    "select",
    { id: "off-preset", on: { change: () => usePreset(choice.value) } },
    h("option", { value: "" }, t("off.preset_choose")),
    GROUPS.map((group) =>
      h(
        "optgroup",
        { label: t(`off.group_${group}`) },
        cases.filter((one) => one.group === group).map((one) => h("option", { value: one.id }, caseLabel(one))),
      ),
    ),
  );
  /** @param {OffloadCase} known */
  function caseLabel(known) {
    const note = caseNote(known, t);
    return note === t(`off.group_${known.group}`) ? known.title : `${known.title}${t("off.case_gap")}${note}`;
  }

  function refreshControls() {
    for (const [key, field] of fields) field.input.value = inputs[key];
    compress.set(inputs.oc);
    attention.checked = inputs.oa !== "0";
    rates.set(inputs.or);
    pinned.checked = inputs.on !== "0";
    pinned.disabled = inputs.oz === "";
    if ([inputs.oz, inputs.oa, inputs.or].some((input) => input !== "")) details.open = true;
    sliders.refresh();
    choice.value = preset?.id ?? "";
    banner.hidden = preset === null;
    if (preset !== null) fill(bannerWords, t("off.preset_showing", { x: preset.title, y: caseNote(preset, t) }));
  }

  /** @param {string} id */
  function usePreset(id) {
    const found = cases.find((one) => one.id === id);
    if (!found) return leavePreset();
    preset = found;
    caseShown.show(caseInputs(found), found.model, caseMachine(found));
  }
  function leavePreset() {
    preset = null;
    caseShown.leave();
  }

  /** A field that is taken off the page still reports its last change: nobody is left to follow it. */
  let frame = 0;
  /**
   * @param {keyof OffloadInputs} key
   * @param {string} value
   */
  function change(key, value) {
    if (inputs[key] === value) return;
    inputs[key] = value;
    quiet = true;
    if (frame === 0 && !signal.aborted) frame = requestAnimationFrame(update);
  }
  function settle() {
    quiet = false;
    if (frame === 0 && !signal.aborted) frame = requestAnimationFrame(update);
  }

  /** @param {import("../../core-types.js").CoreError} error */
  function refuse(error) {
    const sentence = coreErrorSentence(t, error);
    const key = INPUT_OF[error.field];
    if (key && !(quiet && error.code === "not_number")) fields.get(key)?.showError(sentence);
    sliders.showError(error.field, sentence);
    said = { model: "", size: "" };
    shownPlan = null;
    for (const card of element.querySelectorAll(".off-result")) /** @type {HTMLElement} */ (card).dataset.stale = "";
    // What is missing is the answer; what cannot be read leaves the last one standing.
    if (ANSWERS.includes(error.code)) {
      delete answerCard.dataset.stale;
      notice.hidden = true;
      const headline = t(error.code === "one_memory" ? "off.no_plan" : "off.fails", { on: machineWords() });
      fill(
        answer,
        h(
          "div",
          { class: "verdict verdict-over" },
          verdictIcon(error.code === "one_memory" ? "tight" : "over"),
          h("div", { class: "verdict-words" }, h("p", { class: "verdict-word", id: "off-verdict" }, headline), h("p", {}, sentence)),
        ),
      );
      announce(`${headline}${t("infer.comma")}${sentence}`);
      return;
    }
    answerCard.dataset.stale = "";
    notice.hidden = false;
    const waiting = answer.querySelector(".verdict") === null;
    fill(notice, waiting ? sentence : t("off.refused", { x: sentence }));
    if (waiting) fill(answer);
  }

  /** The newest question; a refusal is shown only for this one. */
  let asked = { round: 0, options: offloadOptions(inputs, machine.question()), title: "" };
  /** Questions that an answer may still come for, by round: it is shown with what it was asked with. @type {Map<number, typeof asked>} */
  const open = new Map();
  /** What the answer in view was asked with. */
  let shown = asked;
  /** @type {{ model: object, shape: ReturnType<typeof core.offload_shape>, study: import("../../core-types.js").InferenceStudy } | null} */
  let prepared = null;
  /** Kept while the model stays. @param {import("../../core-types.js").Model} model */
  function preparedFor(model) {
    if (prepared?.model !== model) {
      prepared?.study.delete();
      prepared = { model, shape: core.offload_shape(model), study: core.study_of_model(model) };
    }
    return prepared;
  }
  let rest = 0;

  function update() {
    frame = 0;
    onChange();
    refreshControlsUnlessTyping();
    for (const field of fields.values()) field.showError("");
    sliders.showError("", "");
    const { model, title, entry } = models.shown();
    const { shape, study } = preparedFor(model);
    const options = offloadOptions(inputs, machine.question());
    delete element.dataset.settled;
    clearTimeout(rest);
    if (!shape.ok) return refuse(shape.error);
    asked = { round: search.ask(shape.value, options), options, title };
    open.set(asked.round, asked);
    // A model from a file is known on this thread alone.
    rest = setTimeout(() => (entry ? search.askPrograms(entry.id, options) : alone.update(core.offload_latency(study, options), study)), REST_MS);
  }

  /** @type {OffloadPlan | null} */
  let plan = null;
  const search = searches(core, ({ round, latest, part, value, progress: done }) => {
    if (signal.aborted) return;
    if (part === "programs") {
      if (latest && prepared) alone.update(value, prepared.study);
      return;
    }
    if (latest) progress.value = done;
    if (part === "refused") {
      if (latest) refuse(value), settled();
      return;
    }
    if (part === "plan" && value.ok) {
      const question = open.get(round);
      if (!question) return;
      for (const earlier of open.keys()) if (earlier < round) open.delete(earlier);
      shown = question;
      plan = value.value;
      show(value.value);
    } else if (part === "plan" && latest) {
      shown = asked;
      plan = null;
      refuse(value.error);
    } else if (round === shown.round) {
      if (part === "others") showOthers(value);
      if (part === "curve" && plan !== null) curve.update(value, { block: plan.block, tokens_per_second: plan.likely, seconds: plan.seconds });
      if (part === "what_if") {
        showChanges(value);
        settled();
      }
    }
  });
  function settled() {
    element.dataset.settled = "";
    element.dataset.searches = search.beside() ? "worker" : "page";
  }
  function refreshControlsUnlessTyping() {
    const typing = document.activeElement instanceof HTMLInputElement && document.activeElement.type === "text" && document.activeElement.id.startsWith("off-");
    if (!typing) refreshControls();
  }

  function machineWords() {
    const about = machine.summary();
    return about.ok ? machineTitle(about.value, t) : "";
  }

  /** @param {import("../../core-types.js").TierShares} of */
  const shares = (of) => ({ a: percent(of.gpu), b: percent(of.cpu), c: percent(of.disk) });

  /**
   * @param {string} name
   * @param {string} value
   * @param {string} unit
   * @param {string} note
   */
  const stat = (name, value, unit, note) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, h("strong", {}, value), unit && " ", unit && h("span", { class: "unit" }, unit)), h("dd", { class: "note" }, note));

  /** @param {OffloadPlan} plan */
  function show(plan) {
    const { title } = shown;
    delete element.dataset.empty;
    sliders.know(plan.tiers);
    for (const card of element.querySelectorAll(".off-result")) delete (/** @type {HTMLElement} */ (card).dataset.stale);
    delete answerCard.dataset.stale;
    notice.hidden = true;
    const slowest = plan.paths.find(({ binding }) => binding) ?? plan.paths[0];
    const spare = plan.tiers.filter(({ used }) => used > 0).map((tier) => `${tierName(tier.tier, t)} ${gib(tier.spare)}`);
    const headline = t(plan.fits_gpu ? "off.runs_gpu" : "off.runs", { on: machineWords(), x: spare.join(t("machine.gap")) });
    const model = gibParts(plan.model_bytes);
    fill(
      answer,
      h(
        "div",
        { class: "verdict verdict-fits" },
        verdictIcon("fits"),
        h(
          "div",
          { class: "verdict-words" },
          h("p", { class: "verdict-word", id: "off-verdict" }, headline),
          h("p", {}, plan.block > 1 ? t("off.sentence", { x: whole(plan.block) }) : t("off.sentence_one")),
          plan.fits_gpu && h("p", { class: "doubt" }, `△ ${t("off.fits_gpu")}`),
          plan.refusals.length > 0 && h("p", { class: "doubt", id: "off-refusals" }, `△ ${t("off.refused_by_flexgen", { x: plan.refusals.map((one) => t(`off.refusal_${one}`)).join(t("infer.comma")) })}`),
        ),
        h(
          "button",
          { type: "button", class: "verdict-margin verdict-open", id: "off-speed", on: { click: () => explainSpeed(plan) } },
          h("span", { class: "note" }, t("off.speed_label")),
          h("span", { class: "verdict-number" }, rate(plan.likely), " ", h("span", { class: "unit" }, "tok/s")),
          h("span", { class: "note" }, t("off.range", { a: rate(plan.low), b: rate(plan.high) })),
        ),
      ),
      h(
        "dl",
        { class: "stats" },
        stat(t("off.total_time"), duration(plan.seconds, t), "", t("off.total_note", { a: whole(plan.block), b: whole(shown.options.generated) })),
        stat(t("off.slowest"), pathName(slowest.path, t), "", t("off.slowest_note", { x: seconds(slowest.seconds, t) })),
        stat(t("off.model"), model.value, model.unit, t("off.model_note")),
        preset !== null && preset.published > 0 && stat(t("off.published"), rate(preset.published), "tok/s", preset.source),
      ),
    );
    const about = machine.get();
    fill(
      assumptions,
      [
        t("off.assume_policy", { a: whole(plan.gpu_batch), b: whole(plan.n_batches) }),
        t(shown.options.percent === "" ? "off.assume_share" : "off.assume_percent"),
        shown.options.authors_rates && t("off.assume_authors"),
        t(plan.evidence === "derived" ? "off.assume_rates_measured" : "off.assume_rates_scaled"),
        about.storage ? t("off.assume_disk", { x: gb(plan.tiers[2].capacity) }) : t("off.assume_no_disk"),
        (about.devices.length > 1 || typedNumber(about.devices[0]?.count ?? "") > 1) && t("off.assume_one_gpu"),
      ]
        .filter(Boolean)
        .join(t("infer.sentence_gap")),
    );
    fill(
      where,
      ...tierBars(plan.tiers, t),
      h("p", { class: "lead" }, [t("off.requested", shares(plan.weights)), t("off.realised", { ...shares(plan.realised), x: speedWords(plan.realised_tokens_per_second) })].join(t("infer.sentence_gap"))),
      h("p", { class: "lead" }, [t("off.ram_real", { x: gib(plan.ram.total), y: gib(plan.ram.copy_buffers) }), plan.pinned && t("off.ram_real_pinned")].filter(Boolean).join(t("infer.sentence_gap"))),
    );
    fill(
      terms,
      h("div", { class: "title-row" }, h("h2", {}, t("infer.terms")), h("p", { class: "note" }, t("infer.terms_note"))),
      ...plan.tiers
        .filter((tier) => tier.terms.length > 0)
        .map((tier) => termList({ terms: tier.terms, title: tierName(tier.tier, t), total: tier.used, device: tier.tier, explain, t })),
    );
    fill(layerNote, t("off.layer_note", { x: seconds(plan.layer_seconds, t) }));
    fill(layer, ...layerTime(plan.paths, t));
    shownPlan = plan;
    said = { model: title, size: `${rate(plan.likely)} tok/s` };
    answerLine = headline;
    announce(`${headline}${t("infer.comma")}${said.size}`);
  }

  /** @param {OffloadPlan} plan */
  function explainSpeed(plan) {
    explain({
      title: t("off.speed_label"),
      formula: plan.formula.expression,
      inputs: [...explainInputs(plan.formula, t), ...plan.paths.map(({ path, seconds: length }) => ({ name: pathName(path, t), value: seconds(length, t) }))],
      answer: `${rate(plan.likely)} tok/s`,
      also: [`${rate(plan.low)}–${rate(plan.high)} tok/s`],
      evidence: plan.evidence,
      source: plan.source,
      moves: t("off.what_if"),
      data: { ...plan, tiers: undefined },
    });
  }

  /** @param {number} speed */
  const speedWords = (speed) => (speed > 0 ? `${rate(speed)}\u00a0tok/s` : t("off.no_answer"));
  /**
   * @param {string} name
   * @param {string} note
   * @param {number} speed
   */
  const row = (name, note, speed) => h("div", {}, h("dt", {}, name, h("span", { class: "note" }, note)), h("dd", {}, h("strong", {}, speedWords(speed))));
  /**
   * @param {import("../../core-types.js").OffloadRow[]} rows
   */
  function showOthers(rows) {
    fill(
      others,
      row(t("off.flexgen"), plan ? t("off.total_note", { a: whole(plan.block), b: whole(shown.options.generated) }) : "", plan?.likely ?? 0),
      ...rows.map(({ runtime, home, batch, tokens_per_second }) => row(t(`off.${runtime}`), t(`off.home_${home}`, { x: whole(batch) }), tokens_per_second)),
    );
  }
  /** @param {import("../../core-types.js").OffloadChange[]} changes */
  function showChanges(changes) {
    fill(
      whatIf,
      ...changes.map((one) => h("li", {}, h("span", { class: "what-if-change" }, t(`off.what_${one.change}`)), h("strong", {}, speedWords(one.tokens_per_second)), one.tokens_per_second > 0 ? applyButton(one) : h("span", {}))),
    );
  }
  /** Changes that are an input of the page. @param {import("../../core-types.js").OffloadChange} one */
  function applyButton({ change: what, part }) {
    const gibs = typedNumber(machine.get().ram);
    if (what === "pcie_5") return button(() => machine.change({ link: part }));
    if (what === "compress") return button(() => { inputs.oc = "1"; update(); refreshControls(); });
    if (what === "ram_64" && Number.isFinite(gibs)) return button(() => machine.change({ ram: String(gibs + 64) }));
    return h("span", {});
  }
  /** @param {() => void} click */
  const button = (click) => h("button", { type: "button", class: "button-line", on: { click } }, t("off.apply"));

  /** @param {string} title @param {import("../../dom.js").Child} note @param {import("../../dom.js").Child[]} children */
  const plainCard = (title, note, ...children) => h("div", { class: "card stack" }, h("div", { class: "title-row" }, h("h2", {}, title), note), ...children);
  /** Part of the plan: grey while it is the one before. @param {Parameters<typeof plainCard>} parts */
  const card = (...parts) => {
    const made = plainCard(...parts);
    made.classList.add("off-result");
    return made;
  };
  const details = h(
    "details",
    {},
    h("summary", {}, t("off.details")),
    h("label", { class: "check" }, attention, h("span", {}, t("off.cpu_attention"))),
    number("oz", "off.percent", { placeholder: t("off.auto"), hint: t("off.percent_hint"), inputmode: "text" }),
    h("label", { class: "check" }, pinned, h("span", {}, t("off.pin"))),
    rates.element,
  );
  const settingsCard = h(
    "div",
    { class: "card stack infer-settings" },
    h("h2", {}, t("off.settings")),
    h("div", { class: "field" }, h("label", { class: "label", for: "off-preset" }, t("off.presets")), choice),
    number("op", "off.prompt", { unit: "tok" }),
    number("og", "off.generated", { unit: "tok" }),
    number("ob", "off.block", { placeholder: t("off.auto"), hint: t("off.block_hint") }),
    compress.element,
    ...sliders.elements,
    details,
    h("div", {}, h("h3", {}, t("off.assumptions")), assumptions),
  );
  const element = h(
    "section",
    { class: "infer", id: "panel-off", "data-empty": true, role: "tabpanel", "aria-label": t("off.tab") },
    h("h1", { class: "visually-hidden", id: "params", tabindex: "-1" }, t("off.title")),
    banner,
    answerCard,
    h("div", { class: "infer-grid" }, settingsCard, card(t("off.where"), null, where)),
    terms,
    h(
      "div",
      { class: "infer-pair" },
      h("div", { class: "stack" }, card(t("off.layer"), layerNote, layer), plainCard(t("off.what_if"), null, whatIf)),
      h("div", { class: "stack" }, card(t("off.curve"), null, curve.element, h("p", { class: "note" }, t("off.curve_note"))), plainCard(t("off.others"), h("p", { class: "note" }, t("off.others_note")), others)),
    ),
    plainCard(t("off.latency"), h("p", { class: "note" }, t("off.latency_note")), alone.element),
  );

  models.subscribe(settle, signal);
  machine.subscribe(settle, signal);
  refreshControls();
  update();
  signal.addEventListener("abort", () => {
    cancelAnimationFrame(frame);
    clearTimeout(rest);
    search.cancel();
    prepared?.study.delete();
    prepared = null;
  });
  /** @param {OffloadPlan} plan @returns {import("../../results/document.js").ResultDocument} */
  const documentOf = (plan) => ({
    tab: t("off.tab"),
    verdict: null,
    headline: answerLine,
    subject: `${said.model}, ${rate(plan.likely)} tok/s, ${duration(plan.seconds, t)}`,
    settings: [
      ...sharedSettings(t, models, machine),
      { name: t("off.prompt"), value: inputs.op },
      { name: t("off.generated"), value: inputs.og },
      { name: t("off.block"), value: whole(plan.block) },
      { name: t("export.assumptions"), value: assumptions.textContent ?? "" },
    ],
    places: plan.tiers.map((tier) => ({ title: tierName(tier.tier, t), terms: tier.terms, usable: tier.capacity })),
    answer: `${rate(plan.likely)} tok/s`,
  });
  return { element, result: answerCard, summary: () => (said.model === "" ? null : said), document: () => shownPlan && documentOf(shownPlan) };
}
