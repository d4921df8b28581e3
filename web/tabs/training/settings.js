/** The card 条件 of 学習: five inputs in view, the rest in くわしい設定, every default named below. */

import { numberField } from "../../components/number-field.js";
import { tokenNotches } from "../../components/token-notches.js";
import { segmented } from "../../components/segmented.js";
import { fill, h, icons } from "../../dom.js";
import { typedNumber, whole } from "../../format.js";
import { FIELD_OF, KEY_OF } from "./inputs.js";

/** @typedef {import("../../core-types.js").TrainingSettings} TrainingSettings */

/** Lengths on the slider: steps of 64 tokens, eight notches to a doubling. */
const STEP = 64;
const notches = tokenNotches(STEP, 8);

/** The longest length on the slider: what most models train at; more can be typed. */
const LONGEST = 131072;

/** Kept while the page is built anew. */
let isOpen = false;

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {import("./inputs.js").TrainingInputs} options.inputs
 * @param {import("../../core-types.js").TrainingChoices} options.choices
 * @param {(key: string, value: string) => void} options.onInput
 * @param {() => void} options.onSettled
 */
export function settings({ t, inputs, choices, onInput, onSettled }) {
  /** @type {Map<string, import("../../components/number-field.js").NumberField>} */
  const numbers = new Map();
  /** @type {Map<string, HTMLSelectElement>} */
  const selects = new Map();
  /** @type {Map<string, HTMLInputElement>} */
  const checks = new Map();
  /** Sentences of controls that are no text fields. @type {Map<string, HTMLElement>} */
  const lines = new Map();
  /** What is shown only where it means something. @type {[HTMLElement, (s: TrainingSettings) => boolean][]} */
  const conditions = [];

  const words = (/** @type {string} */ id) => t(/** @type {any} */ (`train.${id}`));
  /** @param {string} field @param {{ unit?: string, hint?: string, placeholder?: string }} [more] */
  const number = (field, more = {}) => {
    const key = KEY_OF[field];
    const made = numberField({
      id: `train-${key}`,
      label: [h("label", { for: `train-${key}` }, words(field))],
      name: words(field),
      value: inputs[key],
      onInput: (text) => onInput(key, text),
      onSettled,
      ...more,
    });
    numbers.set(key, made);
    return made.element;
  };
  /** @param {string} field */
  const select = (field) => {
    const key = KEY_OF[field];
    const line = h("p", { class: "error-line", id: `train-${key}-error`, hidden: true });
    const element = h(
      "select",
      { id: `train-${key}`, "aria-describedby": `train-${key}-error`, on: { change: () => onInput(key, element.value) } },
      /** @type {any} */ (choices)[field].map((/** @type {string} */ value) => h("option", { value }, words(`${field}.${value}`))),
    );
    selects.set(key, element);
    lines.set(key, line);
    return h("div", { class: "field" }, h("label", { class: "label", for: `train-${key}` }, words(field)), element, line);
  };
  /** @param {string} field */
  const check = (field) => {
    const key = KEY_OF[field];
    const line = h("p", { class: "error-line", id: `train-${key}-error`, hidden: true });
    const input = h("input", { type: "checkbox", id: `train-${key}`, "aria-describedby": `train-${key}-error`, on: { change: () => onInput(key, input.checked ? "1" : "0") } });
    checks.set(key, input);
    lines.set(key, line);
    return h("div", {}, h("label", { class: "check" }, input, h("span", {}, words(field))), line);
  };
  /**
   * @template {HTMLElement} Made
   * @param {Made} element
   * @param {(s: TrainingSettings) => boolean} when
   */
  const only = (element, when) => {
    conditions.push([element, when]);
    return element;
  };
  /** @param {string} title @param {...import("../../dom.js").Child} parts */
  const group = (title, ...parts) => h("div", { class: "train-group" }, h("h3", {}, words(title)), h("div", { class: "advanced-grid" }, ...parts));

  const method = segmented({
    name: "train-tm",
    legend: [words("method")],
    choices: choices.method.map((value) => ({ value, label: words(`method.${value}`) })),
    value: inputs.tm,
    onChange: (value) => onInput("tm", value),
  });

  const slider = h("input", { type: "range", id: "train-slider", min: 0, max: notches.of(LONGEST), step: 1, "aria-label": words("sequence") });
  const showSlider = () => {
    const tokens = typedNumber(inputs.sq);
    if (!Number.isFinite(tokens)) return;
    slider.value = String(notches.of(tokens));
    slider.setAttribute("aria-valuetext", t("infer.tokens", { x: whole(tokens) }));
  };
  const setLength = (/** @type {number} */ tokens) => {
    const text = String(Math.min(notches.toStep(tokens), LONGEST));
    const field = numbers.get("sq");
    if (field) field.input.value = text;
    onInput("sq", text);
    showSlider();
  };
  slider.addEventListener("input", () => setLength(notches.at(Number(slider.value))));
  slider.addEventListener("keydown", (event) => {
    const next = notches.moved(typedNumber(inputs.sq), event.key);
    if (next === undefined || event.altKey || event.metaKey) return;
    event.preventDefault();
    setLength(next);
  });
  const limit = h("span", { class: "slider-limit", hidden: true });
  const length = number("sequence", { unit: "tok" });
  numbers.get("sq")?.input.addEventListener("input", showSlider);

  const lora = (/** @type {TrainingSettings} */ s) => s.method !== "full";
  const compared = (/** @type {TrainingSettings} */ s) => ["dpo", "kto", "grpo"].includes(s.objective);
  const grpo = (/** @type {TrainingSettings} */ s) => s.objective === "grpo";
  const advanced = h(
    "details",
    { class: "advanced" },
    h("summary", {}, t("infer.advanced")),
    group(
      "group_step",
      number("accumulation"),
      select("precision"),
      select("checkpointing"),
      select("loss"),
      only(number("loss_chunks"), (s) => s.loss === "chunked"),
      select("objective"),
      number("eval_batch", { placeholder: "0", hint: words("eval_hint") }),
      only(number("completions"), grpo),
      only(number("rollout_share", { placeholder: "0", hint: words("rollout_hint") }), grpo),
      h(
        "div",
        { class: "checks" },
        only(check("fp32_gradients"), (s) => s.precision === "master_fp32"),
        only(check("reference_model"), compared),
        check("flash_attention"),
        check("fused"),
      ),
      number("dropout", { placeholder: "0", hint: words("dropout_hint") }),
    ),
    only(
      group(
        "group_lora",
        number("rank"),
        select("targets"),
        select("base"),
        number("lora_dropout", { placeholder: "0" }),
        h("div", { class: "checks" }, check("fp32_embeddings"), check("fp32_adapters"), check("dora"), check("save_embeddings")),
      ),
      lora,
    ),
    group(
      "group_optimizer",
      select("update"),
      only(number("galore_rank", { placeholder: "128" }), (s) => s.optimizer === "galore" || s.optimizer === "apollo"),
      h("div", { class: "checks" }, check("paged"), check("in_backward"), check("expandable_segments")),
    ),
    group(
      "group_parallel",
      select("data_parallel"),
      number("dp", { placeholder: t("train.auto"), hint: words("dp_hint") }),
      number("shard_group", { placeholder: t("train.auto"), hint: words("shard_hint") }),
      number("tp", { placeholder: "1" }),
      number("pp", { placeholder: "1" }),
      only(select("schedule"), (s) => s.pp > 1),
      only(number("virtual_stages", { placeholder: "1" }), (s) => s.pp > 1 && s.schedule === "interleaved"),
      number("cp", { placeholder: "1" }),
      number("ep", { placeholder: "1" }),
      select("offload"),
      h("div", { class: "checks" }, only(check("sequence_parallel"), (s) => s.tp > 1), only(check("bucket_view"), (s) => s.data_parallel === "ddp" && s.dp > 1), check("deepspeed")),
    ),
  );
  advanced.open = isOpen;
  advanced.addEventListener("toggle", () => (isOpen = advanced.open));

  const assumptions = h("p", { class: "note", id: "train-assumptions" });
  const element = h(
    "div",
    { class: "card stack infer-settings" },
    h("h2", {}, t("infer.settings")),
    method.element,
    h("div", { class: "field" }, length, slider, h("div", { class: "slider-ends", "aria-hidden": "true" }, limit, h("span", {}, String(STEP)), h("span", {}, whole(LONGEST)))),
    number("batch"),
    select("optimizer"),
    select("counter"),
    advanced,
    h("div", {}, h("h3", { class: "label" }, t("infer.assumptions")), assumptions),
  );
  showSlider();

  return {
    element,
    /** @param {string} sentence */
    showAssumptions: (sentence) => fill(assumptions, sentence),
    /** ▲ where it stops fitting. @param {number} tokens 0: nothing fits */
    showLimit(tokens) {
      const most = notches.of(LONGEST);
      limit.hidden = tokens === 0 || notches.of(tokens) >= most;
      fill(limit, `▲ ${whole(tokens)}`);
      limit.style.setProperty("--at", `${(notches.of(tokens) / most) * 100}%`);
    },
    clearErrors() {
      for (const field of numbers.values()) field.showError("");
      for (const line of lines.values()) line.hidden = true;
    },
    /**
     * @param {string} field of the core
     * @param {string} sentence
     */
    showError(field, sentence) {
      const key = KEY_OF[field];
      const line = lines.get(key);
      numbers.get(key)?.showError(sentence);
      if (line) {
        line.hidden = false;
        fill(line, icons.error(), h("span", {}, sentence));
      }
      const at = document.getElementById(`train-${key}`);
      if (at && advanced.contains(at)) advanced.open = true;
    },
    /** What the core understood goes into the controls. @param {TrainingSettings} s @param {string} counter */
    show(s, counter) {
      const of = (/** @type {string} */ key) => (key === "cw" ? counter : /** @type {any} */ (s)[FIELD_OF[key]]);
      for (const [key, select] of selects) select.value = String(of(key));
      for (const [key, box] of checks) box.checked = of(key) === true;
      for (const [key, field] of numbers) {
        if (document.activeElement !== field.input) field.input.value = inputs[key];
      }
      method.set(inputs.tm);
      for (const [part, when] of conditions) part.hidden = !when(s);
      showSlider();
    },
  };
}
