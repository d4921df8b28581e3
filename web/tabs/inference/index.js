/**
 * The tab 推論: answer, settings, assumptions, terms, charts and maps, layers, all runtimes. Follows
 * every input within a frame; what does not depend on an input is not calculated again.
 */

import { machineTitle } from "../../bars/words.js";
import { coreErrorSentence } from "../../core-error.js";
import { sharedSettings } from "../../results/document.js";
import { fileSource } from "../../sources/byte-source.js";
import { openSentence } from "../../sources/open-error.js";
import { openSources } from "../../sources/open-files.js";
import { fill, h } from "../../dom.js";
import { gib, gibCoarse, gibParts, plain, typedNumber, whole } from "../../format.js";
import { answerCard } from "./answer.js";
import { contextChart, shortContext } from "./chart.js";
import { grids } from "./grids.js";
import { familyOf, inferenceDefaults, isLibrary, isLlamaCpp, libraryOptions, llamaCppOptions, servingOptions } from "./inputs.js";
import { layerStrip } from "./layers.js";
import { limitsCard } from "./limits.js";
import { machineCards } from "./machines.js";
import { map } from "./map.js";
import { runtimeRows } from "./runtimes.js";
import { settings } from "./settings.js";
import { speedRow } from "./speed.js";
import { deviceName, termList } from "./terms.js";
import { VERDICTS, verdictIcon } from "./verdict.js";

/** @typedef {import("./inputs.js").InferenceKey} InferenceKey */
/** @typedef {import("../../core-types.js").CoreError} CoreError */
/** @typedef {import("../../core-types.js").InferenceStudy} InferenceStudy */

const CHART_POINTS = 9;
const MAP_CONTEXTS = [4096, 8192, 16384, 32768, 65536, 131072];
const MAP_USERS = [1, 2, 4, 8, 16, 32];

/** Which input a field of the core is. @type {Record<string, InferenceKey>} */
const INPUT_OF = {
  n_ctx: "c",
  max_model_len: "c",
  users: "u",
  n_seq: "u",
  max_num_seqs: "u",
  max_seq_len: "c",
  context: "c",
  batch: "u",
  prompt: "pr",
  k_bits: "k",
  v_bits: "v",
  type_k: "k",
  type_v: "v",
  n_ubatch: "ub",
  n_batch: "b",
  n_gpu_layers: "ngl",
  tensor_split: "ts",
  n_cpu_moe: "nmoe",
  mix: "w",
  format: "wf",
  library_format: "lf",
  memory_fraction: "mf",
  overrides: "ot",
  mmproj_mib: "mp",
  lora_rank: "lr",
  n_lora: "ln",
  draft: "dr",
  draft_mix: "dq",
  n_draft: "nd",
};

/**
 * @param {import("../../context.js").Context} context
 * @returns {import("../index.js").TabView}
 */
export function inferenceTab({ t, core, state, models, machine, explain, announce, onChange, signal }) {
  const inputs = /** @type {import("./inputs.js").InferenceInputs} */ (state.tabs.infer);
  const choices = core.inference_choices();
  /** @type {InferenceStudy | null} */
  let study = null;
  let summary = { name: "", n_ctx_train: 131072, has_file: false, has_kv_cache: true, has_mtp: false };
  /** @type {{ id: string, name: string }[]} */
  let drafts = [];
  let said = { model: "", size: "" };
  /** @type {Pick<import("../../results/document.js").ResultDocument, "verdict" | "headline" | "subject" | "places" | "answer"> | null} */
  let shownResult = null;
  let assumed = "";
  let quiet = false;
  /** @type {import("../../core-types.js").Verdict} */
  let verdict = "fits";

  const answer = answerCard(t);
  const place = h("div", { class: "infer-place" });
  const terms = h("div", { class: "card stack", id: "infer-terms" });
  const chart = contextChart(t);
  const chartNote = h("p", { class: "lead" });
  const quantMap = map({ id: "map-quant", caption: t("infer.map_quant"), corner: "" });
  const userMap = map({ id: "map-users", caption: t("infer.map_users"), corner: "" });
  const chartBy = h("p", { class: "note" });
  const mapUnit = h("p", { class: "note" });
  const layers = h("div", { class: "stack" });
  const layersBy = h("p", { class: "note" });
  const layersCard = h(
    "div",
    { class: "card stack", id: "infer-layers" },
    h("div", { class: "title-row" }, h("h2", {}, t("infer.layers")), layersBy),
    h("p", { class: "lead" }, t("infer.layers_note")),
    layers,
  );
  const runtimes = h("div", { class: "stack" });
  const cards = machineCards({
    t,
    core,
    models,
    machine,
    inputs,
    choices,
    apply,
    chooseModel: (id) => models.choose(id),
    llamaCppQuestion: () => llamaCppOptions(inputs, machine.question(), isLlamaCpp(inputs.r) ? inputs.r : "llama-server"),
    servingQuestion: () => servingOptions(inputs, machine.question(), inputs.r, likeServers()),
    showSmallest: (change) => answer.showSmallest(change),
    libraryQuestion: () => libraryOptions(inputs, machine.question(), inputs.r, likeLibrary(inputs.r)),
    signal,
  });
  const limits = limitsCard({ t, core, inputs, choices, machine: () => machine.question(), likeServers: () => likeServers(), likeLibrary: (runtime) => likeLibrary(runtime), sentence: (error) => sentence(error), apply });
  let card = buildSettings();

  function buildSettings() {
    const made = settings({
      t,
      inputs,
      choices,
      formats: isLibrary(inputs.r) ? core.library_formats(inputs.r) : choices.formats,
      trained: summary.n_ctx_train,
      hasFile: summary.has_file,
      hasKvCache: summary.has_kv_cache,
      hasMtp: summary.has_mtp,
      drafts,
      onInput: change,
      onSettled: () => settle(),
      onProjector: measureProjector,
    });
    fill(place, made.element);
    return made;
  }

  /** The one chosen last. @type {File | null} */
  let projector = null;
  /** The header alone is read, and nothing leaves the device. @param {File} file */
  async function measureProjector(file) {
    projector = file;
    const late = () => signal.aborted || projector !== file;
    try {
      const { model } = await openSources(core, [fileSource(file)], { signal, onProgress() {} });
      const size = core.projector_mib(model);
      model.delete();
      if (late()) return;
      if (size.ok) apply({ mp: String(size.value) });
      else showSentence(size.error, false);
    } catch (failure) {
      if (!late()) card.showSentence("mp", openSentence(failure, t), false);
    }
  }

  function loadModel() {
    study?.delete();
    study = core.study_of_model(models.shown().model);
    summary = core.study_summary(study);
    drafts = core.draft_candidates(study);
    if (!drafts.some(({ id }) => id === inputs.dr)) inputs.dr = "";
    if (!summary.has_mtp) inputs.mt = "";
    if (!summary.has_file && inputs.w === "file") inputs.w = inferenceDefaults.w;
    card = buildSettings();
    forget();
  }

  const sentence = (/** @type {CoreError} */ error) => coreErrorSentence(t, error);

  /** A field that is taken off the page still reports its last change: nobody is left to follow it. */
  let frame = 0;
  /**
   * @param {InferenceKey} key
   * @param {string} value
   */
  function change(key, value) {
    if (inputs[key] === value) return;
    const family = familyOf(inputs.r);
    inputs[key] = value;
    quiet = true;
    if (key === "r" && familyOf(value) !== family) {
      inputs.lf = "";
      card = buildSettings();
    }
    if (frame === 0 && !signal.aborted) frame = requestAnimationFrame(update);
  }
  function settle() {
    quiet = false;
    if (frame === 0 && !signal.aborted) frame = requestAnimationFrame(update);
  }
  /** @param {Partial<import("./inputs.js").InferenceInputs>} changes */
  function apply(changes) {
    const family = familyOf(inputs.r);
    Object.assign(inputs, changes);
    if (familyOf(inputs.r) === family) card.refresh();
    else {
      if (!("lf" in changes)) inputs.lf = "";
      card = buildSettings();
    }
    quiet = false;
    update();
  }

  /** Shows the sentence beside its input. @param {CoreError} error @param {boolean} doubt */
  function showSentence(error, doubt) {
    const asked = INPUT_OF[error.field];
    const key = asked === "v" && inputs.v === "" ? "k" : asked; // V is like K until it is chosen
    const words = sentence(error);
    // Doubts about the model stand in the answer, errors of the machine in its bar.
    if (key) card.showSentence(key, words, doubt);
  }

  function update() {
    frame = 0;
    onChange();
    card.clearErrors();
    card.clearDoubts();
    if (study === null) return;
    const usable = isLlamaCpp(inputs.r) ? showLlamaCpp(study) : isLibrary(inputs.r) ? showLibrary(study) : showServing(study);
    if (usable !== null) later(study, usable);
  }

  /** @param {CoreError} error */
  function refuse(error) {
    if (!quiet || error.code !== "not_number") showSentence(error, false);
    answer.markStale(t("infer.refused", { x: sentence(error) }));
    shownResult = null;
    said = { model: "", size: "" };
  }

  const likeLibrary = (/** @type {string} */ runtime) => core.library_like(runtime, inputs.w, inputs.k, inputs.v || inputs.k);
  const likeServers = () => core.serving_like(inputs.w, inputs.k);

  /** @param {InferenceStudy} on */
  function showLlamaCpp(on) {
    const result = core.estimate_llama_cpp(on, llamaCppOptions(inputs, machine.question(), inputs.r));
    if (!result.ok) {
      refuse(result.error);
      return null;
    }
    const estimate = result.value;
    const gpus = estimate.devices.length - 1;
    for (const warning of estimate.warnings) showSentence(warning, true);
    const main = estimate.devices[estimate.tightest];
    const shown = estimate.graph_known ? estimate.verdict : "unknown";
    verdict = estimate.verdict;
    const model = `${summary.name} ${inputs.w === "file" ? "" : inputs.w}`.trim();
    const broken = estimate.devices.find(({ device, fit }) => fit.verdict === "over" && (device !== "host" || fit.usable > 0)) ?? main;
    const aboutWhat = t("infer.answer_llama_cpp", {
      model,
      runtime: t(/** @type {any} */ (`runtime.${inputs.r}`)),
      x: whole(typedNumber(inputs.c)),
      u: inputs.u,
    });
    answer.show({
      verdict: shown,
      margin: (estimate.verdict === "over" ? broken : main).fit.margin,
      certain: main.certain,
      overDevice: estimate.verdict === "over" ? deviceName(broken.device, gpus, t) : "",
      sentence: aboutWhat,
      lanes: estimate.devices
        .filter(({ device }) => device !== "host" || gpus === 0)
        .map((device) => ({
          title: gpus > 1 ? deviceName(device.device, gpus, t) : "",
          terms: estimate.terms.filter((term) => term.device === device.device),
          fit: device.fit,
        })),
      stats: [
        ...(gpus > 0 ? [stat(t(gpus > 1 ? "infer.stat_gpu_most" : "infer.stat_gpu"), main.fit)] : []),
        stat(t("infer.stat_ram"), estimate.devices[gpus].fit),
      ],
      headline: headline(shown, broken.fit.usable > 0 ? (estimate.verdict === "over" ? broken : main).fit.margin : 0, main.certain),
      trained: summary.n_ctx_train,
      speed: howFast(core.speed_llama_cpp(on, llamaCppOptions(inputs, machine.question(), inputs.r))),
      warnings: estimate.warnings.filter(({ field }) => field === "model").map(sentence),
    });
    assumed = assumptionsLlamaCpp(estimate, gpus);
    card.showAssumptions(assumed);
    fill(
      terms,
      h("div", { class: "title-row" }, h("h2", {}, t("infer.terms")), h("p", { class: "note" }, t("infer.terms_note"))),
      ...estimate.devices.map(({ device, fit }) =>
        termList({
          terms: estimate.terms.filter((term) => term.device === device),
          title: deviceName(device, gpus, t),
          total: fit.likely,
          device,
          explain,
          t,
        }),
      ),
    );
    showLayers(estimate.layers, (device) => deviceName(device, gpus, t));
    said = { model, size: t(`verdict.${shown}_short`, { x: gib(Math.abs(main.fit.margin)) }) };
    announce(`${t(`verdict.${shown}`)} ${said.size}`);
    shownResult = {
      verdict: shown,
      headline: `${t(`verdict.${shown}`)} ${said.size}`,
      subject: aboutWhat,
      places: estimate.devices.map(({ device, fit }) => ({
        title: deviceName(device, gpus, t),
        terms: estimate.terms.filter((term) => term.device === device),
        usable: fit.usable,
      })),
      answer: gib(main.fit.likely),
    };
    return main.fit.usable;
  }

  /** @param {import("../../core-types.js").LayerCosts} costs @param {(device: string) => string} place @param {string} [share] of what they are a part */
  function showLayers(costs, place, share) {
    const by = t("infer.layers_by", { x: t(/** @type {any} */ (`runtime.${inputs.r}`)), c: whole(typedNumber(inputs.c)), u: people(typedNumber(inputs.u)) });
    fill(layersBy, [by, share].filter(Boolean).join(t("infer.comma")));
    fill(layers, ...layerStrip(costs, place, t));
  }

  /** A row about speed; null where a bandwidth is not known. @param {import("../../core-types.js").Result<import("../../core-types.js").Speed>} speed */
  const howFast = (speed) => (speed.ok ? speedRow(speed.value, t, explain) : null);

  /** The answer first, in one line: whether it fits, on what, with how much to spare. @param {import("./verdict.js").Shown} shown @param {number} margin @param {number} certain */
  function headline(shown, margin, certain) {
    const about = machine.summary();
    const on = about.ok ? machineTitle(about.value, t) : "";
    if (shown === "unknown") return t("verdict.unknown_certain", { x: gib(certain) });
    return t(`verdict.${shown}_on`, { on, x: gib(Math.abs(margin)) });
  }

  /**
   * @param {string} name
   * @param {import("../../core-types.js").Fit} fit
   */
  function stat(name, { likely, low, high }) {
    const note = low === high ? "" : t("infer.range", { a: gibParts(low).value, b: gibParts(high).value });
    return { name, parts: gibParts(likely), note };
  }

  /**
   * @param {import("../../core-types.js").LlamaCppEstimate} estimate
   * @param {number} gpus
   */
  function assumptionsLlamaCpp(estimate, gpus) {
    const { context } = estimate;
    const about = machine.summary();
    if (!about.ok) return "";
    const used = about.value;
    return [
      t("assume.layers", { x: gpus === 0 ? 0 : context.n_gpu_layers }),
      t("assume.fa", { x: t(estimate.flash_attention ? "infer.fa.on" : "infer.fa.off") }),
      t("assume.batch", { a: context.n_batch, b: context.n_ubatch }),
      t(context.n_stream === 1 && context.n_seq > 1 ? "assume.slots_unified" : "assume.slots", {
        x: context.n_seq,
        y: whole(context.n_ctx),
      }),
      t("assume.kv", { k: inputs.k, v: inputs.v || inputs.k }),
      t("assume.place", {
        a: t(/** @type {any} */ (`backend.${inputs.be || used.backend}`)),
        b: t(/** @type {any} */ (`os.${used.os}`)),
        c: t(/** @type {any} */ (`release.${inputs.rel}`)),
      }),
      t(used.devices.some(({ desktop }) => desktop) ? "assume.desktop" : "assume.no_desktop"),
      t(inputs.nm === "1" ? "assume.no_mmap" : "assume.mmap"),
      machine.question().devices.some(({ overhead_bytes: bytes }) => bytes) && t("assume.overhead"),
      used.host && !used.shares_memory && t("assume.ram", { x: gib(used.host.sold - used.host.usable.bytes) }),
    ]
      .filter(Boolean)
      .join(t("infer.sentence_gap"));
  }

  /** @param {InferenceStudy} on */
  function showServing(on) {
    const options = servingOptions(inputs, machine.question(), inputs.r, likeServers());
    const result = core.estimate_serving(on, options);
    if (!result.ok) {
      refuse(result.error);
      return null;
    }
    const estimate = result.value;
    for (const warning of estimate.warnings) showSentence(warning, true);
    const format = choices.formats.find(({ id }) => id === options.format)?.name ?? options.format;
    const model = `${summary.name} ${format}`;
    const users = Math.floor(estimate.max_concurrency * 10) / 10;
    verdict = estimate.fits ? "fits" : "over";
    const about = machine.summary();
    const headline = t(estimate.fits ? "verdict.server_fits" : estimate.starts ? "verdict.server_few" : "verdict.server_no", {
      on: about.ok ? machineTitle(about.value, t) : "",
      x: whole(estimate.at_once),
    });
    const aboutWhat = t("infer.answer_server", {
      model,
      runtime: t(/** @type {any} */ (`runtime.${inputs.r}`)),
      x: whole(typedNumber(inputs.c)),
      u: inputs.u,
    });
    answer.show({
      verdict: estimate.fits ? "fits" : "over",
      margin: null,
      certain: 0,
      big: { value: whole(estimate.at_once), unit: t("infer.people_unit"), label: t("infer.people") },
      overDevice: "",
      headline,
      sentence: aboutWhat,
      lanes: [
        {
          title: "",
          terms: estimate.terms,
          fit: estimate.fit,
        },
      ],
      stats: [
        { name: t("infer.stat_budget"), parts: gibParts(estimate.budget), note: "" },
        { name: t("infer.stat_pool"), parts: { value: whole(estimate.n_tokens), unit: "tok" }, note: "" },
        {
          name: t("infer.stat_users"),
          parts: { value: plain(users), unit: t("infer.people_unit") },
          note: estimate.starts && estimate.at_once < Math.floor(users) ? t("infer.places", { x: whole(estimate.at_once) }) : "",
        },
      ],
      speed: howFast(core.speed_serving(on, options)),
      warnings: estimate.warnings.filter(({ field }) => field === "model").map(sentence),
    });
    assumed = [
      t("assume.tp", { x: estimate.tp }),
      t("assume.kv_server", { x: options.kv_type }),
      t("assume.format", { x: format }),
      t("assume.fraction", { x: estimate.memory_fraction.toFixed(2) }),
      t("assume.server_batch", { a: whole(estimate.max_num_batched_tokens), b: whole(estimate.max_num_seqs) }),
      t("assume.graphs"),
    ].join(t("infer.sentence_gap"));
    card.showAssumptions(assumed);
    fill(
      terms,
      h("div", { class: "title-row" }, h("h2", {}, t("infer.terms")), h("p", { class: "note" }, t("infer.terms_note"))),
      termList({ terms: estimate.terms, title: t("infer.each_gpu"), total: estimate.fit.likely, device: "gpu0", explain, t }),
    );
    showLayers(estimate.layers, () => t("infer.each_gpu"), t("infer.each_gpu"));
    said = { model, size: people(estimate.at_once) };
    announce(said.size);
    shownResult = {
      verdict,
      headline,
      subject: aboutWhat,
      places: [{ title: t("infer.each_gpu"), terms: estimate.terms, usable: estimate.fit.usable }],
      answer: `${users} users`,
    };
    return estimate.fit.likely; // with the pool: all that it takes
  }

  /** Transformers and ExLlama. @param {InferenceStudy} on */
  function showLibrary(on) {
    const options = libraryOptions(inputs, machine.question(), inputs.r, likeLibrary(inputs.r));
    const result = core.estimate_library(on, options);
    if (!result.ok) {
      refuse(result.error.field === "format" ? { ...result.error, field: "library_format" } : result.error);
      return null;
    }
    const estimate = result.value;
    for (const warning of estimate.warnings) showSentence(warning, true);
    const { places, tightest } = estimate;
    const gpus = places.filter(({ device }) => device !== "host").length;
    const main = places[tightest];
    const broken = places.find(({ fit }) => fit.verdict === "over") ?? main;
    const host = places.find(({ device }) => device === "host");
    const format = core.library_formats(inputs.r).find(({ id }) => id === options.format)?.name ?? options.format;
    const model = `${summary.name} ${format}`;
    const termsOn = (/** @type {string} */ device) => estimate.terms.filter((term) => term.device === device);
    verdict = estimate.verdict;
    const aboutWhat = t("infer.answer_llama_cpp", {
      model,
      runtime: t(/** @type {any} */ (`runtime.${inputs.r}`)),
      x: whole(estimate.n_ctx),
      u: inputs.u,
    });
    answer.show({
      verdict,
      margin: (verdict === "over" ? broken : main).fit.margin,
      certain: 0,
      overDevice: verdict === "over" ? deviceName(broken.device, gpus, t) : "",
      sentence: aboutWhat,
      lanes: places
        .filter(({ device }) => device !== "host" || gpus === 0)
        .map(({ device, fit }) => ({ title: gpus > 1 ? deviceName(device, gpus, t) : "", terms: termsOn(device), fit })),
      stats: [
        ...(gpus > 0 ? [stat(t(gpus > 1 ? "infer.stat_gpu_most" : "infer.stat_gpu"), main.fit)] : []),
        ...(host ? [stat(t("infer.stat_ram"), host.fit)] : []),
      ],
      trained: summary.n_ctx_train,
      warnings: estimate.warnings.filter(({ field }) => field === "model").map(sentence),
    });
    assumed = [
      t("assume.format", { x: format }),
      inputs.r === "transformers"
        ? t("assume.transformers", { x: t(/** @type {any} */ (`infer.attention.${inputs.la}`)), y: t(/** @type {any} */ (`infer.cache.${inputs.lc}`)), z: whole(options.prompt ?? options.n_ctx) })
        : t("assume.exllama", { x: options.k_bits, y: options.v_bits }),
      gpus > 1 && t(inputs.r === "transformers" ? "assume.device_map" : "assume.autosplit"),
    ]
      .filter(Boolean)
      .join(t("infer.sentence_gap"));
    card.showAssumptions(assumed);
    fill(
      terms,
      h("div", { class: "title-row" }, h("h2", {}, t("infer.terms")), h("p", { class: "note" }, t("infer.terms_note"))),
      ...places.map(({ device, fit }) => termList({ terms: termsOn(device), title: deviceName(device, gpus, t), total: fit.likely, device, explain, t })),
    );
    showLayers(estimate.layers, (device) => deviceName(device, gpus, t));
    said = { model, size: t(`verdict.${verdict}_short`, { x: gib(Math.abs(main.fit.margin)) }) };
    announce(`${t(`verdict.${verdict}`)} ${said.size}`);
    shownResult = {
      verdict,
      headline: `${t(`verdict.${verdict}`)} ${said.size}`,
      subject: aboutWhat,
      places: places.map(({ device, fit }) => ({ title: deviceName(device, gpus, t), terms: termsOn(device), usable: fit.usable })),
      answer: gib(main.fit.likely),
    };
    return main.fit.usable;
  }

  /** @param {number} count */
  const people = (count) => t(count === 1 ? "infer.people_one" : "infer.people_short", { x: whole(count) });

  // --- what follows a little later: charts and maps -------------------------------------------

  /** Results by what they depend on, so that a slider does not calculate them again. @type {Map<string, Float64Array>} */
  let swept = new Map();
  let round = 0;
  function forget() {
    swept = new Map();
    largestContexts = new Map();
    limits.forget();
  }
  const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

  /**
   * @param {InferenceStudy} on
   * @returns {(key: string, make: () => Float64Array) => Promise<Float64Array>}
   */
  const keeper = (on) => async (key, make) => {
    const name = `${inputs.r} ${key}`;
    const known = swept.get(name);
    if (known) return known;
    await pause();
    if (on !== study) return new Float64Array(); // stale: nobody reads it
    const made = make();
    swept.set(name, made);
    if (swept.size > 400) swept.delete(/** @type {string} */ (swept.keys().next().value));
    return made;
  };

  /** @type {Map<string, number | null>} */
  let largestContexts = new Map();
  /**
   * Tokens for each user that still fit; null when not even the least does.
   * @param {InferenceStudy} on
   * @param {{ n_ctx: number }} options
   */
  async function largestContext(on, options) {
    const key = JSON.stringify({ ...options, n_ctx: 0 });
    const known = largestContexts.get(key);
    if (known !== undefined) return known;
    await pause();
    if (on !== study) return null;
    const found = core.largest_context(on, options);
    const tokens = found.ok ? found.value : null;
    largestContexts.set(key, tokens);
    return tokens;
  }

  /**
   * @param {InferenceStudy} on
   * @param {number} usable bytes of the tightest device
   */
  async function later(on, usable) {
    const mine = (round += 1);
    const stale = () => mine !== round || signal.aborted || on !== study;
    const asked = machine.question();
    const like = likeServers();
    const grid = grids({ core, study: on, inputs, machine: asked, choices, like, likeLibrary, keep: keeper(on) });
    const context = typedNumber(inputs.c);
    const askedRuntime = inputs.r;
    const isServer = !isLlamaCpp(inputs.r) && !isLibrary(inputs.r);

    const where = t(/** @type {any} */ (`runtime.${inputs.r}`));
    fill(chartBy, summary.has_kv_cache ? t("infer.chart_by", { x: where }) : where);
    fill(mapUnit, t(isServer ? "infer.map_unit_server" : "infer.map_unit", { x: where }));
    fill(runtimes, ...runtimeRows({ t, core, study: on, inputs, machine: asked, choices, like, likeLibrary, apply }));

    const last = Math.max(summary.n_ctx_train, 8192);
    const contexts = Array.from({ length: CHART_POINTS }, (_unused, index) =>
      Math.max(256, Math.round((last * index) / (CHART_POINTS - 1) / 256) * 256),
    );
    const series = [];
    const kvNotes = new Map();
    const kvTypes = grid.kvTypes();
    for (const { name, at } of summary.has_kv_cache ? kvTypes : kvTypes.slice(0, 1)) {
      const points = await at(contexts);
      const [here] = await at([context]);
      if (stale()) return;
      kvNotes.set(name, here.verdict === null ? "–" : gib(here.bytes));
      series.push({ name: summary.has_kv_cache ? name : t("infer.stat_gpu"), bytes: points.map(({ verdict: shown, bytes }) => (shown === null ? null : bytes)) });
    }
    const here = await grid.now();
    if (stale()) return;
    const now = here.verdict === null ? null : { context, bytes: here.bytes };
    const words = t("infer.chart_words", {
      a: series.map(({ name, bytes }) => `${name} ${gib(bytes[bytes.length - 1] ?? 0)}`).join(t("infer.comma")),
      x: whole(last),
      y: gib(usable),
    });
    chart.update({ contexts, series, usable, now, words });
    const alone = asked.devices.length === 0;
    fill(chartNote, t(isServer ? "infer.chart_note_server" : alone ? "infer.chart_note_ram" : "infer.chart_note", { x: gib(usable), u: people(typedNumber(inputs.u)) }));

    if (isLlamaCpp(inputs.r)) {
      const largest = await largestContext(on, llamaCppOptions(inputs, asked, inputs.r));
      if (stale()) return;
      answer.showLargest(largest);
      card.showLimit(largest);
    } else if (isLibrary(inputs.r)) {
      await pause();
      if (stale()) return;
      const found = core.solve_library_context(on, libraryOptions(inputs, asked, inputs.r, likeLibrary(inputs.r)));
      const largest = found.ok ? found.value.value : null;
      answer.showLargest(largest);
      card.showLimit(largest);
    } else card.showLimit(null);

    await pause();
    if (stale()) return;
    cards.update(on, verdict);

    const columns = MAP_CONTEXTS.filter((context) => context <= last);
    const rows = [];
    for (const { name, changes, current, at } of grid.formats()) {
      const points = await at(columns);
      if (stale()) return;
      rows.push({
        name,
        cells: columns.map((column, index) => ({
          ...pointCell(points[index], `${name}, ${shortContext(column)}`),
          current: current && column === context,
          apply: () => apply({ ...changes, c: String(column) }),
        })),
      });
    }
    quantMap.update(columns.map(shortContext), rows);

    const userRows = [];
    for (const users of MAP_USERS) {
      const { changes, current, at } = grid.users(users);
      const points = await at(columns);
      if (stale()) return;
      userRows.push({
        name: people(users),
        cells: columns.map((column, index) => ({
          ...pointCell(points[index], `${people(users)}, ${shortContext(column)}`),
          current: current && column === context,
          apply: () => apply({ ...changes, c: String(column) }),
        })),
      });
    }
    userMap.update(columns.map(shortContext), userRows);
    // Another runtime may have been chosen already, with other types and a card of its own.
    if (inputs.r === askedRuntime && isLlamaCpp(askedRuntime)) card.showKvNotes(kvNotes);
    await limits.update(on, last, async () => {
      await pause();
      return !stale();
    });
    if (stale()) return;
    element.dataset.settled = String(mine);
  }

  /**
   * @param {import("./grids.js").Point} point
   * @param {string} name
   */
  function pointCell({ verdict: shown, bytes }, name) {
    const label = shown === null ? "–" : gibCoarse(bytes);
    return { verdict: shown, label, words: shown === null ? "" : `${name}: ${t(`verdict.${shown}`)} ${label} GiB` };
  }

  const legend = () =>
    h(
      "div",
      { class: "stack-tight" },
      h(
        "p",
        { class: "legend map-legend" },
        VERDICTS.map((verdict) => h("span", { class: `verdict-${verdict}` }, verdictIcon(verdict), ` ${t(`verdict.${verdict}_word`)}`)),
        h("span", {}, t("infer.map_current")),
      ),
      h("p", { class: "note" }, t("infer.map_legend")),
    );
  const element = h(
    "section",
    { class: "infer", id: "panel-infer", role: "tabpanel", "aria-label": t("infer.tab") },
    h("h1", { class: "visually-hidden", id: "params", tabindex: "-1" }, t("infer.title")),
    answer.element,
    h("div", { class: "infer-grid" }, place, terms),
    h(
      "div",
      { class: "infer-pair" },
      h("div", { class: "card stack" }, h("div", { class: "title-row" }, h("h2", {}, t("infer.chart")), chartBy), chart.element, chartNote),
      h("div", { class: "card stack" }, h("div", { class: "title-row" }, h("h2", {}, t("infer.map_quant")), mapUnit), quantMap.element, legend()),
    ),
    cards.advice,
    limits.element,
    h(
      "div",
      { class: "infer-pair" },
      h("div", { class: "card stack" }, h("div", { class: "title-row" }, h("h2", {}, t("infer.map_users")), h("p", { class: "note" }, t("infer.map_users_note"))), userMap.element, legend()),
      h("div", { class: "card stack" }, h("div", { class: "title-row" }, h("h2", {}, t("infer.runtimes")), h("p", { class: "note" }, t("infer.runtimes_note"))), runtimes),
    ),
    cards.command,
    cards.devices,
    cards.models,
    layersCard,
    cards.toast,
  );

  models.subscribe(() => {
    loadModel();
    update();
  }, signal);
  machine.subscribe(() => settle(), signal);
  loadModel();
  update();
  signal.addEventListener("abort", () => {
    cancelAnimationFrame(frame);
    study?.delete();
    study = null;
  });
  return {
    element,
    result: answer.element,
    summary: () => (said.model === "" ? null : said),
    document: () =>
      shownResult && {
        tab: t("infer.tab"),
        ...shownResult,
        settings: [
          ...sharedSettings(t, models, machine),
          { name: t("infer.runtime"), value: t(/** @type {any} */ (`runtime.${inputs.r}`)) },
          { name: t("infer.mix"), value: inputs.w },
          { name: t("infer.context"), value: `${whole(typedNumber(inputs.c))} tok` },
          { name: t("infer.users"), value: inputs.u },
          { name: t("infer.kv_type"), value: inputs.v ? `${inputs.k}, ${inputs.v}` : inputs.k },
          { name: t("export.assumptions"), value: assumed },
        ],
      },
  };
}
