/** The card 条件: at most five inputs in view, the rest in くわしい設定, every default named below. */

import { numberField } from "../../components/number-field.js";
import { tokenNotches } from "../../components/token-notches.js";
import { segmented } from "../../components/segmented.js";
import { fill, h, icons } from "../../dom.js";
import { typedNumber, whole } from "../../format.js";
import { familyOf, inferenceDefaults, KV_TYPES, LIBRARY_RUNTIMES, LLAMA_CPP_RUNTIMES, SERVER_RUNTIMES } from "./inputs.js";

/** @typedef {import("./inputs.js").InferenceInputs} InferenceInputs */
/** @typedef {import("./inputs.js").InferenceKey} InferenceKey */

/** Cells of the cache come in steps of this many tokens. */
const STEP = 256;
const notches = tokenNotches(STEP, 16);

/** What only a model that keeps a KV cache is asked for. @type {InferenceKey[]} */
const CACHE_KEYS = ["k", "v", "nkvo", "swa"];

/** ExLlama stores whole bits; these stand for 16, 8, 5 and 4. */
const LIBRARY_KV_TYPES = ["f16", "q8_0", "q5_0", "q4_0"].map((value, at) => ({ value, label: `${[16, 8, 5, 4][at]} bit` }));
const MORE_KV_TYPES = ["f16", "bf16", "f32", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"];

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {InferenceInputs} options.inputs
 * @param {import("../../core-types.js").InferenceChoices} options.choices
 * @param {{ id: string, name: string }[]} options.formats what the chosen runtime loads, other than GGUF
 * @param {number} options.trained context that the model was trained for
 * @param {boolean} options.hasFile
 * @param {boolean} options.hasKvCache
 * @param {boolean} options.hasMtp
 * @param {{ id: string, name: string }[]} options.drafts models that could draft
 * @param {(key: InferenceKey, value: string) => void} options.onInput
 * @param {() => void} options.onSettled
 * @param {(file: File) => void} options.onProjector a file was chosen to be measured
 */
export function settings({ t, inputs, choices, formats, trained, hasFile, hasKvCache, hasMtp, drafts, onInput, onSettled, onProjector }) {
  /** @type {Map<string, import("../../components/number-field.js").NumberField>} */
  const fields = new Map();
  /** Controls that are no text fields show their sentence below themselves. @type {Map<string, HTMLElement>} */
  const lines = new Map();

  /**
   * @param {InferenceKey} key
   * @param {{ label: string, unit?: string, hint?: string, placeholder?: string }} words
   */
  const number = (key, { label, unit, hint, placeholder }) => {
    const field = numberField({
      id: `infer-${key}`,
      label: [h("label", { for: `infer-${key}` }, label)],
      name: label,
      unit,
      hint,
      placeholder,
      value: inputs[key],
      onInput: (text) => onInput(key, text),
      onSettled,
    });
    fields.set(key, field);
    return field.element;
  };
  const errorLine = (/** @type {InferenceKey} */ key) => {
    const line = h("p", { class: "error-line", id: `infer-${key}-error`, hidden: true });
    lines.set(key, line);
    return line;
  };
  /**
   * @param {InferenceKey} key
   * @param {string} label
   * @param {(string | { value: string, label: string } | { group: string, options: string[] })[]} options
   */
  const select = (key, label, options) => {
    // The list of all KV types stands in the details, its sentence under the choice in view.
    const line = lines.has(key) ? null : errorLine(key);
    const element = h(
      "select",
      {
        id: `infer-${key}`,
        "aria-describedby": `infer-${key}-error`,
        on: { change: () => onInput(key, element.value) },
      },
      options.map((entry) => {
        if (typeof entry === "string") return h("option", { value: entry }, entry);
        if ("group" in entry) {
          return h("optgroup", { label: entry.group }, entry.options.map((name) => h("option", { value: name }, t(/** @type {any} */ (`runtime.${name}`)))));
        }
        return h("option", { value: entry.value }, entry.label);
      }),
    );
    element.value = inputs[key];
    return h("div", { class: "field" }, h("label", { class: "label", for: `infer-${key}` }, label), element, line);
  };
  /**
   * @param {InferenceKey} key
   * @param {string} label
   */
  const check = (key, label) => {
    const input = h("input", {
      type: "checkbox",
      id: `infer-${key}`,
      on: { change: () => onInput(key, input.checked ? "1" : "") },
    });
    input.checked = inputs[key] === "1";
    return h("label", { class: "check" }, input, h("span", {}, label));
  };

  /**
   * Reads what a field asks for from a file of this device.
   * @param {InferenceKey} key of the field
   * @param {string} label
   * @param {string} of name of the field
   * @param {(file: File) => void} onFile
   */
  const fileButton = (key, label, of, onFile) => {
    const input = h("input", { type: "file", id: `infer-${key}-file`, accept: ".gguf", class: "visually-hidden", tabindex: "-1", "aria-hidden": "true" });
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file) onFile(file);
      input.value = "";
    });
    return [h("button", { type: "button", class: "button-line", "aria-label": `${label}: ${of}`, on: { click: () => input.click() } }, label), input];
  };

  const family = familyOf(inputs.r);
  const llamaCpp = family === "llama.cpp";
  const exllama = family.startsWith("exllama");
  const like = { value: "", label: t("infer.like") };
  const kvNotes = new Map(KV_TYPES.map((type) => [type, h("small", {}, "\u00a0")]));
  // An encoder keeps none; what a link asks for nevertheless is shown.
  const keepsKv = hasKvCache || CACHE_KEYS.some((key) => inputs[key] !== inferenceDefaults[key]);
  const kv = (llamaCpp || exllama) && keepsKv
    ? segmented({
        name: "infer-kv",
        legend: [t("infer.kv_type")],
        choices: KV_TYPES.map((type) => ({ value: type, label: type })),
        value: inputs.k,
        onChange(type) {
          onInput("v", "");
          onInput("k", type);
        },
      })
    : null;
  if (kv) {
    [...kv.element.querySelectorAll("label > span")].forEach((label, index) =>
      label.append(/** @type {HTMLElement} */ (kvNotes.get(KV_TYPES[index]))),
    );
    kv.element.append(errorLine("k"));
  }

  const most = notches.of(Math.max(trained, 8192));
  const slider = h("input", {
    type: "range",
    id: "infer-slider",
    min: 0,
    max: most,
    step: 1,
    "aria-label": t("infer.context"),
  });
  const showSlider = () => {
    const tokens = typedNumber(inputs.c);
    if (!Number.isFinite(tokens)) return;
    slider.value = String(notches.of(tokens));
    slider.setAttribute("aria-valuetext", t("infer.tokens", { x: whole(tokens) }));
  };
  const setContext = (/** @type {number} */ tokens) => {
    const field = fields.get("c");
    const text = String(Math.min(notches.toStep(tokens), notches.at(most)));
    if (field) field.input.value = text;
    onInput("c", text);
    showSlider();
  };
  slider.addEventListener("input", () => setContext(notches.at(Number(slider.value))));
  slider.addEventListener("keydown", (event) => {
    const next = notches.moved(typedNumber(inputs.c), event.key);
    if (next === undefined || event.altKey || event.metaKey) return;
    event.preventDefault();
    setContext(next);
  });

  const contextField = number("c", { label: t("infer.context"), unit: "tok", hint: t("infer.context_hint") });
  fields.get("c")?.input.addEventListener("input", showSlider);
  const limitMark = h("span", { class: "slider-limit", hidden: true });
  const ends = h(
    "div",
    { class: "slider-ends", "aria-hidden": "true" },
    limitMark,
    h("span", {}, String(STEP)),
    h("span", {}, whole(notches.at(most))),
  );

  const mixes = [...(hasFile ? [{ value: "file", label: t("infer.as_file") }] : []), ...[...choices.mixes].reverse()];
  const quantization = llamaCpp
    ? select("w", t("infer.mix"), mixes)
    : select(family === "server" ? "wf" : "lf", t("infer.format"), [like, ...formats.map(({ id, name }) => ({ value: id, label: name }))]);

  const advanced = h(
    "details",
    { class: "advanced" },
    h("summary", {}, t("infer.advanced")),
    h(
      "div",
      { class: "advanced-grid" },
      llamaCpp && [
        number("ngl", { label: t("infer.ngl"), placeholder: t("infer.all"), hint: "-ngl" }),
        number("ub", { label: t("infer.ubatch"), placeholder: t("infer.default"), hint: "-ub" }),
        number("b", { label: t("infer.batch"), placeholder: t("infer.default"), hint: "-b" }),
        number("ts", { label: t("infer.ts"), placeholder: "–", hint: t("infer.ts_hint") }),
        number("ot", { label: t("infer.overrides"), placeholder: "exps=CPU", hint: t("infer.overrides_hint") }),
        number("nmoe", { label: t("infer.n_cpu_moe"), placeholder: "0", hint: "--n-cpu-moe" }),
        keepsKv && select("k", t("infer.type_k"), MORE_KV_TYPES),
        keepsKv && select("v", t("infer.type_v"), [{ value: "", label: t("infer.like_k") }, ...MORE_KV_TYPES]),
        select("fa", t("infer.flash_attention"), choices.flash_attention.map((value) => ({ value, label: t(/** @type {any} */ (`infer.fa.${value}`)) }))),
        select("be", t("infer.backend"), [{ value: "", label: t("machine.auto") }, ...choices.backends.map((value) => ({ value, label: t(/** @type {any} */ (`backend.${value}`)) }))]),
        select("rel", t("infer.release"), choices.releases.map((value) => ({ value, label: t(/** @type {any} */ (`release.${value}`)) }))),
        h(
          "div",
          { class: "checks" },
          check("cmoe", t("infer.cpu_moe")),
          keepsKv && [check("nkvo", t("infer.nkvo")), check("swa", t("infer.swa_full"))],
          check("nm", t("infer.no_mmap")),
        ),
      ],
      family === "exllamav3" && [
        select("k", t("infer.type_k"), LIBRARY_KV_TYPES),
        select("v", t("infer.type_v"), [{ value: "", label: t("infer.like_k") }, ...LIBRARY_KV_TYPES]),
      ],
      family === "transformers" && [
        number("pr", { label: t("infer.prompt"), placeholder: t("infer.whole_context"), hint: t("infer.prompt_hint") }),
        select("la", t("infer.attention"), ["fused", "eager"].map((value) => ({ value, label: t(/** @type {any} */ (`infer.attention.${value}`)) }))),
        select("lc", t("infer.cache"), ["dynamic", "static"].map((value) => ({ value, label: t(/** @type {any} */ (`infer.cache.${value}`)) }))),
      ],
      family === "server" && [
        select("kt", t("infer.kv_type"), [like, ...choices.server_kv_types]),
        number("mf", { label: t("infer.fraction"), placeholder: t("infer.default"), hint: t("infer.fraction_hint") }),
        h("div", { class: "checks" }, check("eg", t("infer.eager"))),
      ],
    ),
  );
  fields.get("ot")?.input.setAttribute("inputmode", "text");
  const beside = llamaCpp
    ? h(
        "details",
        { class: "advanced", id: "infer-beside" },
        h("summary", {}, t("infer.beside")),
        h(
          "div",
          { class: "advanced-grid" },
          select("dr", t("infer.draft"), [{ value: "", label: t("infer.no_draft") }, ...drafts.map(({ id, name }) => ({ value: id, label: name }))]),
          select("dq", t("infer.draft_mix"), [...choices.mixes].reverse()),
          number("nd", { label: t("infer.n_draft"), hint: "--spec-draft-n-max" }),
          h("div", {}, number("mp", { label: t("infer.mmproj"), unit: "MiB", placeholder: "0", hint: t("infer.mmproj_hint") }), fileButton("mp", t("infer.mmproj_open"), t("infer.mmproj"), onProjector)),
          number("lr", { label: t("infer.lora_rank"), placeholder: "0", hint: t("infer.lora_hint") }),
          number("ln", { label: t("infer.n_lora") }),
          select("lt", t("infer.lora_targets"), ["linear", "attention"].map((value) => ({ value, label: t(/** @type {any} */ (`infer.lora.${value}`)) }))),
          h("div", { class: "checks" }, check("mpc", t("infer.mmproj_cpu")), hasMtp && check("mt", t("infer.mtp"))),
        ),
      )
    : null;
  if (beside) {
    beside.open = besideOpen || [inputs.dr, inputs.mp, inputs.lr, inputs.mt].some(Boolean);
    beside.addEventListener("toggle", () => (besideOpen = beside.open));
  }
  advanced.open = settingsOpen;
  advanced.addEventListener("toggle", () => (settingsOpen = advanced.open));

  const assumptions = h("p", { class: "note", id: "infer-assumptions" });
  showSlider();
  const element = h(
    "div",
    { class: "card stack infer-settings" },
    h("h2", {}, t("infer.settings")),
    h("div", { class: "field" }, contextField, slider, ends),
    kv?.element,
    number("u", { label: t("infer.users"), hint: "" }),
    select("r", t("infer.runtime"), [
      { group: t("infer.family_llama_cpp"), options: LLAMA_CPP_RUNTIMES },
      { group: t("infer.family_server"), options: SERVER_RUNTIMES },
      { group: t("infer.family_library"), options: LIBRARY_RUNTIMES },
    ]),
    quantization,
    family !== "exllamav2" && advanced,
    beside,
    h("div", {}, h("h3", { class: "label" }, t("infer.assumptions")), assumptions),
  );

  return {
    element,
    /** @param {string} sentence */
    showAssumptions: (sentence) => fill(assumptions, sentence),
    /** @param {Map<string, string>} notes by KV type */
    showKvNotes(notes) {
      for (const [type, note] of notes) fill(/** @type {HTMLElement} */ (kvNotes.get(type)), note);
    },
    /** ▲ where it stops fitting. @param {number | null} tokens */
    showLimit(tokens) {
      limitMark.hidden = tokens === null || notches.of(tokens) >= most;
      if (tokens === null) return;
      fill(limitMark, `▲ ${whole(tokens)}`);
      limitMark.style.setProperty("--at", `${(notches.of(tokens) / most) * 100}%`);
    },
    clearErrors() {
      for (const field of fields.values()) field.showError("");
      for (const line of lines.values()) line.hidden = true;
    },
    /**
     * @param {string} key of the input
     * @param {string} sentence
     * @param {boolean} doubt a warning: the calculation goes on
     */
    showSentence(key, sentence, doubt) {
      const field = fields.get(key);
      const line = lines.get(key);
      if (field && !doubt) field.showError(sentence);
      else if (field) field.showHint(`△ ${sentence}`);
      else if (line) {
        line.hidden = false;
        line.classList.toggle("doubt", doubt);
        fill(line, doubt ? icons.doubt() : icons.error(), h("span", {}, sentence));
      } else return;
      const shown = line ?? element.querySelector(`#infer-${key}`);
      for (const part of [advanced, beside]) {
        if (part?.contains(shown)) part.open = true;
      }
    },
    clearDoubts() {
      for (const field of fields.values()) field.showHint("");
    },
    /** Puts applied values into the controls. */
    refresh() {
      for (const [key, field] of fields) {
        const value = inputs[/** @type {InferenceKey} */ (key)];
        if (document.activeElement !== field.input) field.input.value = value;
      }
      for (const select of element.querySelectorAll("select")) {
        const key = /** @type {InferenceKey} */ (select.id.replace("infer-", ""));
        select.value = inputs[key];
      }
      for (const box of element.querySelectorAll("input[type=checkbox]")) {
        /** @type {HTMLInputElement} */ (box).checked = inputs[/** @type {InferenceKey} */ (box.id.replace("infer-", ""))] === "1";
      }
      kv?.set(inputs.k);
      showSlider();
    },
  };
}

/** Kept while the card is built anew for another runtime. */
let settingsOpen = false;
let besideOpen = false;
