/** Files from this device, and addresses on servers: the second only after a press of a button. */

import { fill, h, icons } from "../../dom.js";
import * as format from "../../format.js";
import { fileSource } from "../../sources/byte-source.js";
import { openAddress, parseAddress } from "../../sources/hub.js";
import { openSentence } from "../../sources/open-error.js";
import { openSources } from "../../sources/open-files.js";

/** @typedef {import("../../i18n.js").Translate} Translate */
/** @typedef {import("../../sources/open-files.js").Opened} Opened */
/** @typedef {import("../../sources/hub.js").Address} Address */

const SHOW_PROGRESS_AFTER_MS = 200;

/**
 * One thing is opened at a time: bar, what is being read, cancel, and the error beside the field.
 * @param {Translate} t
 * @param {string} id of the error line
 */
function work(t, id) {
  const bar = h("progress", { max: "1", value: "0", "aria-label": t("model.reading") });
  const words = h("span", { role: "status" });
  const cancel = h("button", { type: "button", class: "button-line" }, t("model.cancel"));
  const running = h("div", { class: "open-work", hidden: true }, bar, words, cancel);
  const error = h("p", { class: "error-line", id, role: "alert", hidden: true });
  /** @type {AbortController | null} */
  let controller = null;
  cancel.addEventListener("click", () => controller?.abort());
  return {
    element: h("div", { class: "open-line" }, running, error),
    error,
    stop: () => controller?.abort(),
    /** @param {string} sentence empty: none */
    showError(sentence) {
      error.hidden = sentence === "";
      fill(error, ...(sentence ? [icons.error(), h("span", {}, sentence)] : []));
    },
    /**
     * @template Result
     * @param {string} sentence
     * @param {(options: import("../../sources/open-files.js").Options) => Promise<Result>} job
     * @returns {Promise<Result | null>} null: cancelled, or an error is shown
     */
    async run(sentence, job) {
      controller?.abort();
      const mine = (controller = new AbortController());
      this.showError("");
      bar.value = 0;
      fill(words, sentence);
      const timer = setTimeout(() => (running.hidden = false), SHOW_PROGRESS_AFTER_MS);
      try {
        return await job({ signal: mine.signal, onProgress: (part) => (bar.value = part) });
      } catch (failure) {
        if (!mine.signal.aborted) this.showError(openSentence(failure, t));
        return null;
      } finally {
        clearTimeout(timer);
        if (controller === mine) {
          running.hidden = true;
          controller = null;
        }
      }
    },
  };
}

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("../../core-types.js").Core} options.core
 * @param {AbortSignal} options.signal
 * @param {(opened: Opened, host: string) => void} options.onOpened
 */
export function openFilesCard({ t, core, signal, onOpened }) {
  const job = work(t, "files-error");
  const input = h("input", { type: "file", id: "files", multiple: true, class: "visually-hidden", tabindex: "-1", "aria-hidden": "true" });
  const button = h("button", { type: "button", id: "choose-files", class: "button-line" }, t("model.choose_files"));
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    open([...(input.files ?? [])]);
    input.value = "";
  });
  signal.addEventListener("abort", job.stop);

  /** @param {File[]} files */
  async function open(files) {
    if (files.length === 0) return;
    const name = files.length === 1 ? files[0].name : t("model.n_files", { x: files.length });
    const opened = await job.run(t("model.reading_x", { x: name }), (options) =>
      openSources(core, files.map(fileSource), options),
    );
    if (opened) onOpened(opened, "");
  }

  return {
    element: h(
      "section",
      { class: "open-part", "aria-labelledby": "files-title" },
      h("h2", { id: "files-title", class: "label" }, t("model.files")),
      h("div", { class: "drop-box" }, button, h("p", { class: "note" }, t("model.files_hint"))),
      input,
      job.element,
    ),
    open,
    stop: job.stop,
  };
}

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("../../core-types.js").Core} options.core
 * @param {AbortSignal} options.signal
 * @param {(opened: Opened, host: string) => void} options.onOpened
 */
export function openAddressCard({ t, core, signal, onOpened }) {
  const job = work(t, "hub-error");
  const input = h("input", {
    id: "hub",
    type: "text",
    inputmode: "url",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder: t("model.hub_placeholder"),
    "aria-label": t("model.hub"),
    "aria-describedby": "hub-plan hub-error",
  });
  const plan = h("p", { id: "hub-plan", class: "note" }, t("model.hub_hint"));
  const button = h("button", { type: "button", id: "hub-fetch", class: "button-line", hidden: true });
  const choices = h("ul", { class: "hub-choices", "aria-label": t("model.hub_choose") });
  const toChoose = h("p", { class: "visually-hidden", role: "status" });
  signal.addEventListener("abort", job.stop);

  /** @param {{ name: string, url: string, size: number }[]} files */
  const offer = (files) => {
    fill(choices, files.map(choice));
    fill(toChoose, files.length > 0 && `${t("model.hub_choose")} (${files.length})`);
  };
  const explain = () => {
    const address = parseAddress(input.value);
    job.showError("");
    offer([]);
    button.hidden = address === null;
    if (!address) {
      fill(plan, t(input.value.trim() === "" ? "model.hub_hint" : "model.hub_unreadable"));
      return;
    }
    fill(button, t("model.hub_fetch", { x: address.host }));
    const sentence = address.kind === "file" ? "model.hub_plan_file" : "model.hub_plan_repository";
    fill(plan, t(sentence, { host: address.host, x: address.name }));
  };
  /** @param {Address} address */
  async function open(address) {
    if (choices.contains(document.activeElement)) button.focus();
    offer([]);
    const result = await job.run(t("model.asking", { x: address.host }), (options) =>
      openAddress(core, address, options),
    );
    if (!result) return;
    if ("model" in result) onOpened(result, address.host);
    else offer(result.files);
  }
  /** @param {{ name: string, url: string, size: number }} file */
  const choice = (file) => {
    const address = parseAddress(file.url);
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "button-line", on: { click: () => address && open(address) } },
        file.name,
        " ",
        h("span", { class: "note" }, file.size > 0 ? format.gib(file.size) : ""),
      ),
    );
  };
  const press = () => {
    const address = parseAddress(input.value);
    if (address) open(address);
  };
  input.addEventListener("input", explain);
  button.addEventListener("click", press);

  return {
    element: h(
      "section",
      { class: "open-part", "aria-labelledby": "hub-title" },
      h("h2", { id: "hub-title", class: "label" }, t("model.hub")),
      h("div", { class: "input" }, input),
      plan,
      h("div", {}, button),
      job.element,
      toChoose,
      choices,
    ),
    /** @param {string} text an address that was dropped: shown, not fetched */
    set(text) {
      input.value = text;
      explain();
    },
    stop: job.stop,
  };
}
