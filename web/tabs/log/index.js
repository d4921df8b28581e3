/**
 * ⋯ ログ照合: what a runtime printed beside the estimate of the same run, term by term. The core reads
 * the text; it goes nowhere else. A measured overhead is kept on this device, if the visitor wants it.
 */

import { copyButton } from "../../components/copy.js";
import { coreErrorSentence } from "../../core-error.js";
import { fill, h } from "../../dom.js";
import { mib, whole } from "../../format.js";
import { coreSentence } from "../../i18n.js";
import { forgetOverhead, knownOverheads, rememberOverhead } from "../../overhead.js";
import { deviceTitle } from "../../bars/words.js";
import { inputsOf } from "../inference/changes.js";
import { inferenceDefaults, isLlamaCpp, llamaCppOptions, servingOptions } from "../inference/inputs.js";
import { deviceName, termName } from "../inference/terms.js";

/** @typedef {import("../../core-types.js").LogReading} LogReading */

const REST_MS = 150;

/**
 * @param {import("../../context.js").Context} context
 * @returns {import("../index.js").TabView}
 */
export function logTab({ t, core, state, models, machine, onChange, onTab, signal }) {
  const inputs = /** @type {import("../inference/inputs.js").InferenceInputs} */ ({ ...inferenceDefaults, ...state.tabs.infer });
  const text = h("textarea", { id: "log-text", class: "log-text", rows: "10", spellcheck: "false", placeholder: t("log.placeholder"), "aria-describedby": "log-words" });
  const words = h("p", { class: "note", id: "log-words", role: "status" });
  const place = h("div", { class: "stack", id: "log-place" });
  const kept = h("div", { class: "stack-tight", id: "log-kept" });
  let rest = 0;

  /** @param {LogReading} log */
  const fact = (log, /** @type {string} */ name) => log.facts.find((one) => one.name === name)?.value ?? "";

  /** @param {LogReading} log */
  function compare(log) {
    const study = core.study_of_model(models.shown().model);
    const question = machine.question();
    const server = log.source === "vllm" || log.source === "sglang";
    const runtime = isLlamaCpp(inputs.r) ? inputs.r : "llama-cli";
    const options = server ? servingOptions(inputs, question, log.source, core.serving_like(inputs.w, inputs.k)) : llamaCppOptions(inputs, question, runtime);
    const checked = core.check_log(study, text.value, options);
    study.delete();
    return checked;
  }

  function update() {
    onChange();
    showKept();
    if (text.value.trim() === "") {
      fill(words);
      fill(place);
      return;
    }
    const log = core.read_log(text.value);
    const source = coreSentence(t, "runtime", log.source, {}, log.source);
    if (log.source === "") {
      fill(words, h("span", { class: "error-line" }, t("log.unknown")));
      fill(place);
      return;
    }
    fill(words, [t("log.read", { x: source, y: log.buffers.length, z: log.facts.length }), log.second_model && t("log.second_model")].filter(Boolean).join(" "));
    fill(place, foundModel(log), settingsToUse(log), ...comparison(log), ...overheads(log), facts(log), log.buffers.length > 0 && truth(log));
  }

  /** The model of the log, if the catalog knows it. @param {LogReading} log */
  function entryOf(log) {
    const file = fact(log, "file");
    return (file && core.catalog_entry_of_file(file)) || core.catalog_entry_of_file(fact(log, "model"));
  }

  /** Offers it, where it is not the one in use. @param {LogReading} log */
  function foundModel(log) {
    const entry = entryOf(log);
    if (!entry || entry.id === models.shown().entry?.id) return null;
    return h(
      "p",
      { class: "row" },
      h("span", {}, t("log.model_found", { x: entry.name })),
      h("button", { type: "button", class: "button-line", id: "log-use-model", on: { click: () => models.choose(entry.id) } }, t("log.use_model")),
    );
  }

  /** One press: model and settings of the log in 推論; what the log does not tell stays. @param {LogReading} log */
  function settingsToUse(log) {
    if (log.options.length === 0) return null;
    const press = () => {
      const entry = entryOf(log);
      if (!log.options.some(({ option }) => option === "runtime") && !isLlamaCpp(inputs.r)) state.tabs.infer.r = inferenceDefaults.r;
      Object.assign(state.tabs.infer, inputsOf(log.options));
      if (entry) models.choose(entry.id);
      onTab("infer");
    };
    const words = log.options.map(({ option, value }) => `${option} ${value}`).join(t("infer.comma"));
    return h(
      "p",
      { class: "row" },
      h("button", { type: "button", class: "button-line", id: "log-apply", on: { click: press } }, t("log.apply")),
      h("span", { class: "note" }, words),
    );
  }

  /** @param {LogReading} log */
  function comparison(log) {
    if (log.buffers.length === 0) return [];
    const checked = compare(log);
    if (!checked.ok) return [h("p", { class: "error-line", role: "alert" }, coreErrorSentence(t, checked.error))];
    const { rows, mix } = checked.value;
    const gpus = new Set(rows.map(({ device }) => device).filter((device) => device !== "host")).size;
    const number = (/** @type {number | null} */ bytes) => h("td", { class: "amount" }, bytes === null ? "–" : mib(bytes));
    return [
      h("p", { class: "lead" }, t("log.compared", { x: models.shown().title, y: mix })),
      h(
        "div",
        { class: "table-scroll", tabindex: "0", role: "region", "aria-label": t("log.tab") },
        h(
          "table",
          { class: "compare-table", id: "log-table" },
          h("thead", {}, h("tr", {}, ["term", "logged", "estimated", "difference", "reason"].map((id) => h("th", { scope: "col" }, t(/** @type {any} */ (`log.${id}`)))))),
          h(
            "tbody",
            {},
            rows.map(({ term, device, logged, estimated, difference, reason }) =>
              h(
                "tr",
                { class: /^other_/.test(reason) ? "differs" : "", "data-reason": reason },
                h("th", { scope: "row" }, `${deviceName(device, gpus, t)}: ${termName(term, t)}`),
                number(logged),
                number(estimated),
                number(logged === null || estimated === null ? null : difference),
                h("td", {}, /^other_/.test(reason) ? "≠ " : reason === "equal" ? "= " : "", t(/** @type {any} */ (`log_reason.${reason}`))),
              ),
            ),
          ),
        ),
      ),
    ];
  }

  /** @param {LogReading} log */
  function overheads(log) {
    if (log.overheads.length === 0) return [];
    return [
      h("h2", {}, t("log.overhead")),
      ...log.overheads.map(({ name, device, bytes }) => {
        // It holds for the card that it was measured on, whatever machine is chosen now.
        const [card] = name === "" ? [] : [...core.hardware_named_in(name), ...core.hardware_search(name, 1)];
        const keep = () => {
          rememberOverhead(card.id, bytes);
          update();
        };
        return h(
          "p",
          { class: "row" },
          h("span", {}, t("log.overhead_words", { x: card ? deviceTitle(card) : name || device, y: mib(bytes) })),
          card && h("button", { type: "button", class: "button-line log-overhead-use", id: `log-use-${device}`, on: { click: keep } }, t("log.overhead_use")),
        );
      }),
    ];
  }

  /** What is in use on this device already, and the way back. */
  function showKept() {
    fill(
      kept,
      Object.entries(knownOverheads()).map(([id, bytes]) => {
        const card = core.hardware_device(id);
        const forget = () => {
          forgetOverhead(id);
          update();
        };
        return h(
          "p",
          { class: "row note" },
          t("log.overhead_using", { x: card ? deviceTitle(card) : id, y: mib(bytes) }),
          h("button", { type: "button", class: "button-line", on: { click: forget } }, t("log.overhead_forget")),
        );
      }),
    );
  }

  /** @param {LogReading} log */
  const facts = (log) =>
    h(
      "details",
      {},
      h("summary", {}, t("log.facts")),
      h("dl", { class: "inputs" }, log.facts.map(({ name, value }) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    );

  /** @param {LogReading} log */
  const truth = (log) =>
    h("p", { class: "row" }, copyButton({ t, label: t("log.truth"), text: () => log.truth_rows }), h("span", { class: "note" }, t("log.truth_words", { x: whole(log.buffers.length) })));

  text.addEventListener("input", () => {
    clearTimeout(rest);
    rest = setTimeout(update, REST_MS);
  });
  models.subscribe(update, signal);
  machine.subscribe(update, signal);
  signal.addEventListener("abort", () => clearTimeout(rest));
  showKept();

  const element = h(
    "section",
    { class: "stack", id: "panel-log" },
    h("h1", {}, t("log.tab")),
    h("p", { class: "lead" }, t("log.lead")),
    h("div", { class: "card stack" }, h("label", { class: "label", for: "log-text" }, t("log.paste")), text, words, kept, place),
  );
  return { element, result: place, summary: () => null };
}
