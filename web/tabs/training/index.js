/**
 * The tab 学習: whether a training step fits the shared machine, the step over time, what makes up
 * its peak, other ways and cards. Follows every input within a frame.
 */

import { machineTitle } from "../../bars/words.js";
import { coreErrorSentence } from "../../core-error.js";
import { deviceInputs } from "../../current-machine.js";
import { toast } from "../../components/toast.js";
import { fill, h } from "../../dom.js";
import { gb, gib, gibParts, parameters, percent, whole } from "../../format.js";
import { coreSentence } from "../../i18n.js";
import { sharedSettings } from "../../results/document.js";
import { lane, laneLegend } from "../inference/lane.js";
import { deviceName, termList } from "../inference/terms.js";
import { verdictIcon } from "../inference/verdict.js";
import { knownCase } from "../known-case.js";
import { adviceCard } from "./advice.js";
import { configCard } from "./config.js";
import { cardTable, ways, zeroTable } from "./compare.js";
import { inputsOf, inputsOfChanges, KEY_OF, startMethod, trainingOptions } from "./inputs.js";
import { settings } from "./settings.js";
import { stageName, timeline } from "./timeline.js";

/** @typedef {import("../../core-types.js").TrainingEstimate} TrainingEstimate */
/** @typedef {import("../../core-types.js").TrainingLimits} TrainingLimits */

/** Solvers search hundreds of settings: they wait until a slider rests. */
const REST_MS = 120;

/**
 * @param {import("../../context.js").Context} context
 * @returns {import("../index.js").TabView}
 */
export function trainingTab({ t, core, state, models, machine, explain, announce, onChange, signal }) {
  const inputs = /** @type {import("./inputs.js").TrainingInputs} */ (state.tabs.train);
  const presets = core.training_presets();
  const undo = toast(t);
  const cases = knownCase({ inputs, state, models, machine });
  let preset = "";
  let quiet = false;
  let said = { model: "", size: "" };
  /** Index of the stage whose terms are shown; -1: the peak. */
  let stage = -1;
  /** @type {TrainingEstimate | null} */
  let last = null;

  const words = (/** @type {string} */ id, /** @type {Record<string, string | number>} */ values = {}) => t(/** @type {any} */ (`train.${id}`), values);

  const notice = h("p", { class: "notice", hidden: true });
  const answer = h("div", { class: "stack" });
  const answerCard = h("div", { class: "card answer-card", id: "train-answer" }, notice, answer);
  const bannerWords = h("span");
  const banner = h("div", { class: "banner preset-banner", hidden: true }, bannerWords, h("button", { type: "button", class: "button-line", id: "train-back", on: { click: leavePreset } }, t("off.preset_back")));
  const choice = h(
    "select",
    { id: "train-preset", on: { change: () => usePreset(choice.value) } },
    h("option", { value: "" }, t("off.preset_choose")),
    presets.map(({ id }) => h("option", { value: id }, words(id))),
  );
  const largestBatch = h("dd", {}, "…");
  const longest = h("dd", {}, "…");
  const chart = timeline(t);
  const chartNote = h("p", { class: "note" });
  const stageChoice = h("select", { id: "train-stage", "aria-label": t("train.stage"), on: { change: () => ((stage = Number(stageChoice.value)), showTerms()) } });
  const terms = h("div", { class: "stack", id: "train-terms" });
  const others = ways(t, (way, name) => undoable(name, () => Object.assign(inputs, inputsOf(way.settings, way.usual), { cw: inputs.cw })));
  const cards = cardTable(t);
  const zero = zeroTable(t, core, explain);
  const advice = adviceCard(t, (row, name) =>
    undoable(name, () => {
      const changes = inputsOfChanges(row.changes);
      if ("tm" in changes) Object.assign(inputs, startMethod);
      const more = row.changes.find(({ option }) => option === "add_gpus")?.value;
      const { devices } = machine.get();
      const last = devices[devices.length - 1];
      // Ranks that nobody typed follow the machine.
      if (more !== undefined && inputs.dp === "" && last) {
        delete changes.dp;
        machine.change({ devices: [...devices, { ...last, count: more }] });
      }
      Object.assign(inputs, changes);
    }),
  );
  const choices = core.training_choices();
  const config = configCard({ t, frameworks: choices.framework, launch: (framework) => core.launch_training(options(), framework, models.shown().entry?.id ?? models.shown().title) });
  const card = settings({ t, inputs, choices, onInput: change, onSettled: settle });

  /**
   * Changes inputs or machine, and offers to take it back.
   * @param {string} name
   * @param {() => void} action
   */
  function undoable(name, action) {
    const before = { ...inputs };
    const devices = machine.get().devices.map((device) => ({ ...device }));
    action();
    settle();
    undo.show(t("toast.applied", { x: name }), () => {
      Object.assign(inputs, before);
      machine.change({ devices });
    });
  }

  /** @param {string} id */
  function usePreset(id) {
    const found = presets.find((one) => one.id === id);
    if (!found) return leavePreset();
    preset = id;
    cases.show(inputsOf(found.settings, found.usual), found.model, { devices: [deviceInputs({ id: found.device, count: String(found.n_devices) })] });
  }
  function leavePreset() {
    preset = "";
    if (!cases.leave()) settle();
  }

  /** A field that is taken off the page still reports its last change: nobody is left to follow it. */
  let frame = 0;
  /** @param {string} key @param {string} value */
  function change(key, value) {
    if (inputs[key] === value) return;
    inputs[key] = value;
    // Another method starts from what is usual for it.
    if (key === "tm") Object.assign(inputs, startMethod);
    quiet = true;
    if (frame === 0 && !signal.aborted) frame = requestAnimationFrame(update);
  }
  function settle() {
    quiet = false;
    if (frame === 0 && !signal.aborted) frame = requestAnimationFrame(update);
  }

  const options = () => trainingOptions(inputs, machine.question());

  /** @param {import("../../core-types.js").CoreError} error */
  function refuse(error) {
    const sentence = coreErrorSentence(t, error);
    if (!(quiet && error.code === "not_number")) card.showError(error.field, sentence);
    said = { model: "", size: "" };
    answerCard.dataset.stale = "";
    for (const part of element.querySelectorAll(".train-result")) /** @type {HTMLElement} */ (part).dataset.stale = "";
    notice.hidden = false;
    const name = error.field in KEY_OF ? `${words(error.field)}${t("train.colon")}` : "";
    fill(notice, t("off.refused", { x: name + sentence }));
    announce(sentence);
    element.dataset.settled = "";
  }

  function update() {
    frame = 0;
    round += 1;
    onChange();
    card.clearErrors();
    choice.value = preset;
    banner.hidden = preset === "";
    if (preset !== "") fill(bannerWords, t("off.preset_showing", { x: words(preset), y: words(`${preset}_note`) }));
    const { model, title } = models.shown();
    const asked = options();
    const result = core.estimate_training(model, asked);
    if (!result.ok) return refuse(result.error);
    last = result.value;
    delete answerCard.dataset.stale;
    notice.hidden = true;
    for (const part of element.querySelectorAll(".train-result")) delete (/** @type {HTMLElement} */ (part).dataset.stale);
    card.show(last.settings, String(asked.counter ?? "nvidia_smi"));
    show(last, title);
    later(asked);
  }

  /**
   * @param {string} name
   * @param {import("../../dom.js").Child | import("../../dom.js").Child[]} value
   * @param {string} note
   */
  const stat = (name, value, note) => h("div", {}, h("dt", {}, name), value instanceof HTMLElement && value.tagName === "DD" ? value : h("dd", {}, value), h("dd", { class: "note" }, note || "\u00a0"));
  /** @param {number} bytes */
  const amount = (bytes) => {
    const { value, unit } = gibParts(bytes);
    return [h("strong", {}, value), " ", h("span", { class: "unit" }, unit)];
  };

  /** @param {TrainingEstimate} estimate @param {string} title */
  function show(estimate, title) {
    const { fit, stages, peak } = estimate;
    const { gpu, verdict } = fit;
    const shownTerms = estimate.terms.filter(({ device }) => device === "gpu0");
    // What decides: the first place that is too small, or the GPU.
    const decides = [gpu, fit.host, fit.disk].find((place) => place?.verdict === "over") ?? gpu;
    const margin = gibParts(Math.abs(decides.margin));
    const extent = Math.max(gpu.usable, gpu.likely) * 1.03;
    const s = estimate.settings;
    const counter = inputs.cw || "nvidia_smi";
    const about = machine.summary();
    const elsewhere = about.ok && about.value.devices.some(({ device }) => device.vendor !== "NVIDIA" && device.vendor !== "");
    const headline = t(`verdict.${verdict}_on`, { on: about.ok ? machineTitle(about.value, t) : "", x: gib(Math.abs(decides.margin)) });
    fill(
      answer,
      h(
        "div",
        { class: `verdict verdict-${verdict}` },
        verdictIcon(verdict),
        h(
          "div",
          { class: "verdict-words" },
          h("p", { class: "verdict-word", id: "train-verdict" }, headline),
          h("p", {}, words("sentence", { model: title, method: words(`method.${s.method}`), x: whole(s.sequence), b: whole(s.batch) })),
          verdict === "tight" && h("p", {}, t("train.tight_why")),
          fit.n_gpus !== fit.n_machine && h("p", { class: "doubt" }, `△ ${words("gpus_differ", { x: whole(fit.n_gpus), y: whole(fit.n_machine) })}`),
          elsewhere && h("p", { class: "doubt" }, `△ ${t("train.not_cuda")}`),
          fit.host && h("p", { class: fit.host.verdict === "over" ? "doubt" : "" }, words(fit.host.verdict === "over" ? "host_short" : "host_holds", { x: gib(fit.host.likely), y: gib(fit.host.usable) })),
          fit.disk && fit.disk.verdict === "over" && h("p", { class: "doubt" }, words("disk_short", { x: gib(fit.disk.likely), y: gib(fit.disk.usable) })),
        ),
        h(
          "div",
          { class: "verdict-margin" },
          h("span", { class: "note" }, t(decides.margin < 0 ? "infer.short_by" : "infer.spare_label")),
          h("span", { class: "verdict-number", id: "train-margin" }, margin.value, " ", h("span", { class: "unit" }, margin.unit)),
        ),
      ),
      lane({ title: fit.n_gpus > 1 ? words("each_gpu", { x: whole(fit.n_gpus) }) : "", terms: shownTerms, fit: gpu, extent, t }),
      laneLegend(shownTerms, t),
      h(
        "dl",
        { class: "stats" },
        stat(words("stat_peak"), amount(estimate.counted), [t("quick.same_bytes", { x: gb(estimate.counted) }), counter === "nvidia_smi" ? t("infer.range", { a: gibParts(gpu.low).value, b: gibParts(gpu.high).value }) : words(`counter.${counter}`)].join(t("infer.comma"))),
        stat(words("stat_when"), h("strong", {}, stageName(stages[peak], t)), fit.n_gpus > 1 && s.pp > 1 ? words("worst_stage", { x: estimate.rank_stage + 1 }) : words("stat_when_note")),
        stat(words("stat_trained"), h("strong", {}, parameters(Number((estimate.trained / 1e9).toPrecision(3)))), words("stat_trained_note", { x: percent(estimate.trained / estimate.parameters) })),
        stat(words("stat_batch"), largestBatch, words("stat_batch_note", { x: whole(s.sequence) })),
        stat(words("stat_sequence"), longest, words("stat_sequence_note", { x: whole(s.batch) })),
      ),
    );
    card.showAssumptions(assumptions(s, counter));
    const top = Math.max(gpu.usable, stages[peak].total) * 1.12;
    chart.update(stages, peak, gpu.usable, core.ruler_ticks(top), top);
    const { stage_peaks: each } = estimate;
    fill(
      chartNote,
      words("timeline_note", { x: gib(estimate.allocated), y: gib(gpu.likely) }),
      each.length > 1 && h("br"),
      each.length > 1 && words("each_stage", { x: each.map((bytes, at) => `${at + 1}: ${gib(bytes)}`).join(t("infer.comma")) }),
    );
    fill(
      stageChoice,
      h("option", { value: -1 }, words("stage_peak", { x: stageName(stages[peak], t) })),
      ...stages.map((one, index) => h("option", { value: index }, stageName(one, t))),
    );
    if (stage >= stages.length) stage = -1;
    stageChoice.value = String(stage);
    showTerms();
    said = { model: title, size: t(`verdict.${verdict}_short`, { x: gib(Math.abs(decides.margin)) }) };
    announce(headline);
  }

  /** @param {import("../../core-types.js").TrainingSettings} s @param {string} counter */
  function assumptions(s, counter) {
    const of = (/** @type {string} */ field) => words(`${field}.${/** @type {any} */ (s)[field]}`);
    const lora = s.method !== "full";
    return [
      words("assume_precision", { x: of("precision") }),
      lora && words("assume_lora", { r: whole(s.rank), x: of("targets"), y: of("base") }),
      lora && s.fp32_embeddings && words("assume_fp32_embeddings"),
      words("assume_checkpointing", { x: of("checkpointing") }),
      words("assume_loss", { x: of("loss") }),
      words(s.flash_attention ? "assume_flash" : "assume_eager"),
      words("assume_update", { x: of("update") }),
      words("assume_accumulation", { x: whole(s.accumulation) }),
      s.dp * s.tp * s.pp * s.cp > 1 && words("assume_parallel", { x: of("data_parallel"), a: s.dp, b: s.tp, c: s.pp, d: s.cp }),
      words("assume_slack"),
      counter === "nvidia_smi" && words("assume_context"),
    ]
      .filter(Boolean)
      .join(t("infer.sentence_gap"));
  }

  function showTerms() {
    if (last === null) return;
    const at = stage < 0 ? last.peak : stage;
    const list = core.training_stage_terms(models.shown().model, options(), at);
    fill(
      terms,
      ...["gpu0", "host", "disk"]
        .map((device) => ({ device, own: list.filter((term) => term.device === device) }))
        .filter(({ own }) => own.length > 0)
        .map(({ device, own }) =>
          termList({
            terms: own,
            title: device === "disk" ? t("off.tier_disk") : deviceName(device, 1, t),
            total: own.reduce((sum, { bytes }) => sum + bytes, 0),
            device,
            explain,
            t,
            moves: (id) => coreSentence(t, "train_moves", id, {}, t("moves.other")),
          }),
        ),
    );
  }

  let round = 0;
  /** @param {ReturnType<typeof options>} asked */
  async function later(asked) {
    const own = round;
    const { model } = models.shown();
    // A model that was replaced is gone, whether or not the next question has been asked.
    const pause = async (wait = 0) => {
      await new Promise((resolve) => setTimeout(resolve, wait));
      return own === round && !signal.aborted && models.shown().model === model;
    };
    if (!(await pause(REST_MS))) return;
    const limits = core.training_limits(model, asked);
    if (limits.ok) showLimits(limits.value);
    if (!(await pause())) return;
    const advised = core.advise_training(model, asked);
    if (advised.ok) advice.show(advised.value);
    config.show();
    if (!(await pause())) return;
    const compared = core.compare_training(model, asked);
    if (compared.ok && last) others.show(compared.value, whole(last.settings.sequence));
    if (last) zero.show(last.parameters, last.fit.n_gpus, models.shown().title);
    element.dataset.settled = "";
  }

  /** @param {TrainingLimits} limits */
  function showLimits({ batch, sequence, devices }) {
    const solved = (/** @type {HTMLElement} */ place, /** @type {import("../../core-types.js").TrainingSolution} */ one, /** @type {string} */ key, /** @type {string} */ unit) => {
      if (one.value === 0) return fill(place, h("strong", {}, t("train.none_fits")));
      const set = () => undoable(`${words(key === "bs" ? "stat_batch" : "stat_sequence")} ${whole(one.value)}`, () => (inputs[key] = String(one.value)));
      return fill(place, h("strong", {}, whole(one.value)), " ", h("span", { class: "unit" }, unit), " ", h("button", { type: "button", class: "button-line", id: `train-use-${key}`, "aria-label": t("devices.use_this", { x: whole(one.value) }), on: { click: set } }, t("devices.use")));
    };
    solved(largestBatch, batch, "bs", "");
    solved(longest, sequence, "sq", "tok");
    card.showLimit(sequence.value);
    cards.show(devices);
  }

  const element = h(
    "section",
    { class: "infer", id: "panel-train", role: "tabpanel", "aria-label": t("train.tab") },
    h("h1", { class: "visually-hidden", tabindex: "-1" }, t("train.title")),
    banner,
    answerCard,
    h("div", { class: "field train-presets" }, h("label", { class: "label", for: "train-preset" }, t("off.presets")), choice),
    h(
      "div",
      { class: "infer-grid" },
      h("div", { class: "stack train-column" }, card.element, cards.element),
      h(
        "div",
        { class: "stack train-column" },
        h("section", { class: "card stack train-result", "aria-labelledby": "timeline-title" }, h("div", { class: "title-row" }, h("h2", { id: "timeline-title" }, t("train.timeline")), h("p", { class: "note" }, t("train.timeline_unit"))), chart.element, chartNote),
        h("section", { class: "card stack train-result", "aria-labelledby": "train-terms-title" }, h("div", { class: "title-row" }, h("h2", { id: "train-terms-title" }, t("infer.terms")), h("p", { class: "note" }, t("infer.terms_note"))), stageChoice, terms),
      ),
    ),
    advice.element,
    config.element,
    others.element,
    zero.element,
    undo.element,
  );

  models.subscribe(settle, signal);
  machine.subscribe(settle, signal);
  update();
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  /** @param {TrainingEstimate} estimate @returns {import("../../results/document.js").ResultDocument} */
  const documentOf = ({ fit, settings: s, terms }) => ({
    tab: t("train.tab"),
    verdict: fit.verdict,
    headline: `${t(`verdict.${fit.verdict}`)} ${said.size}`,
    subject: words("sentence", { model: said.model, method: words(`method.${s.method}`), x: whole(s.sequence), b: whole(s.batch) }),
    settings: [
      ...sharedSettings(t, models, machine),
      { name: words("method"), value: words(`method.${s.method}`) },
      { name: words("sequence"), value: whole(s.sequence) },
      { name: words("batch"), value: whole(s.batch) },
      { name: words("optimizer"), value: words(`optimizer.${s.optimizer}`) },
      { name: t("export.assumptions"), value: assumptions(s, inputs.cw || "nvidia_smi") },
    ],
    places: [
      { title: "GPU", device: "gpu0", fit: fit.gpu },
      { title: "RAM", device: "host", fit: fit.host },
      { title: t("off.tier_disk"), device: "disk", fit: fit.disk },
    ]
      .map(({ title, device, fit: place }) => ({ title, terms: terms.filter((term) => term.device === device), usable: place?.usable ?? 0 }))
      .filter((place) => place.terms.length > 0),
    answer: gib(fit.gpu.likely),
  });
  return { element, result: answerCard, summary: () => (said.model === "" ? null : said), document: () => (said.model === "" || last === null ? null : documentOf(last)) };
}
