/** The dialog that writes the code for a blog, with the real thing beside it as a preview. */

import { copyButton } from "../components/copy.js";
import { segmented } from "../components/segmented.js";
import { fill, h, icons } from "../dom.js";
import { languageNames } from "../i18n.js";
import { toFragment } from "../state.js";
import { HEIGHT_MESSAGE } from "./messages.js";

/** @typedef {import("../i18n.js").Translate} Translate */

/**
 * What can be shown: the small calculator, or the page with the tab, model and machine of now. Tall
 * enough for the longest sentences at 360 px; blogs without scripts cannot adapt.
 */
const SHOWN = {
  compact: { file: "embed.html", height: 520, width: 400 },
  page: { file: "index.html", height: 900, width: 1200 },
};

/** @param {string} text for a double-quoted HTML attribute */
const attribute = (text) =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("../i18n.js").Language} options.language
 * @param {import("../state.js").State} options.state
 * @param {AbortSignal} options.signal
 */
export function embedDialog({ t, language, state, signal }) {
  const choice = {
    shown: /** @type {keyof typeof SHOWN} */ (state.tab === "quick" ? "compact" : "page"),
    form: "iframe",
    theme: "auto",
    language: "auto",
    base: location.protocol.startsWith("http")
      ? new URL(".", location.href.split("#")[0]).href
      : "https://example.org/meyasu/",
  };
  const code = h("pre", { class: "code", id: "embed-code", tabindex: "0" });
  const note = h("p", { class: "note" });
  /** The real thing, while the dialog is open. @type {HTMLIFrameElement | null} */
  let preview = null;
  const sample = MEYASU_SINGLE_FILE ? null : h("div", { class: "embed-sample", lang: language });

  const options = () => {
    const parts = [toFragment(state) || "v1"];
    if (choice.language !== "auto") parts.push(`lang=${choice.language}`);
    if (choice.theme !== "auto") parts.push(`theme=${choice.theme}`);
    return parts.join(";");
  };
  const iframeCode = () => {
    const { file, height, width } = SHOWN[choice.shown];
    return `<iframe src="${attribute(`${choice.base}${file}#${options()}`)}" title="${attribute(t("embed.frame_title"))}" width="100%" height="${height}" loading="lazy" style="border:0;max-width:${width}px"></iframe>`;
  };
  const tagCode = () => {
    const attributes = [
      state.pressed && `params="${attribute(state.params)}"`,
      state.pressed && `precision="${state.precision}"`,
      choice.language !== "auto" && `lang="${choice.language}"`,
      choice.theme !== "auto" && `theme="${choice.theme}"`,
    ].filter(Boolean);
    const tag = ["meyasu-calculator", ...attributes].join(" ");
    return `<script src="${attribute(`${choice.base}embed.js`)}" async></script>\n<${tag}></meyasu-calculator>`;
  };
  const update = () => {
    const isFrame = choice.form === "iframe" || choice.shown === "page";
    form.element.hidden = choice.shown === "page";
    fill(code, isFrame ? iframeCode() : tagCode());
    fill(note, t(isFrame ? "embed.iframe_note" : "embed.tag_note"));
    if (preview) {
      preview.src = `${SHOWN[choice.shown].file}#${options()}`;
      preview.style.height = `${SHOWN[choice.shown].height}px`;
    }
  };
  addEventListener(
    "message",
    ({ source, data }) => {
      if (!preview || source !== preview.contentWindow || data?.type !== HEIGHT_MESSAGE) return;
      preview.style.height = `${Number(data.height)}px`;
    },
    { signal },
  );

  const form = segmented({
    name: "embed-form",
    legend: [t("embed.form")],
    choices: [
      { value: "iframe", label: t("embed.form.iframe") },
      { value: "tag", label: t("embed.form.tag") },
    ],
    value: choice.form,
    onChange(value) {
      choice.form = value;
      update();
    },
  });
  const shown = segmented({
    name: "embed-shown",
    legend: [t("embed.shown")],
    choices: [
      { value: "compact", label: t("embed.shown.compact") },
      { value: "page", label: t("embed.shown.page") },
    ],
    value: choice.shown,
    onChange(value) {
      choice.shown = /** @type {keyof typeof SHOWN} */ (value);
      update();
    },
  });
  const base = h("input", { id: "embed-base", type: "url", spellcheck: "false" });
  base.value = choice.base;
  base.addEventListener("input", () => {
    choice.base = base.value.replace(/[^/]*$/, "");
    update();
  });
  const dialog = h("dialog", { class: "sheet", id: "embed", "aria-labelledby": "embed-title" });
  dialog.append(
    h(
      "div",
      { class: "drawer-inside" },
      h(
        "div",
        { class: "drawer-head" },
        h(
          "div",
          {},
          h("h2", { id: "embed-title", tabindex: "-1" }, t("embed.title")),
          h("p", { class: "lead" }, t("embed.lead")),
        ),
        h(
          "button",
          { type: "button", class: "tool", "aria-label": t("app.close"), on: { click: () => dialog.close() } },
          icons.close(),
        ),
      ),
      h(
        "div",
        { class: "embed-grid" },
        h(
          "div",
          { class: "stack" },
          shown.element,
          form.element,
          select(
            "embed-theme",
            t("embed.theme"),
            { auto: t("app.theme.auto"), light: t("app.theme.light"), dark: t("app.theme.dark") },
            (value) => {
              choice.theme = value;
              update();
            },
          ),
          select(
            "embed-language",
            t("embed.language"),
            { auto: t("embed.language.auto"), ...languageNames },
            (value) => {
              choice.language = value;
              update();
            },
          ),
          h(
            "div",
            { class: "field" },
            h("label", { class: "label", for: "embed-base" }, t("embed.base")),
            h("div", { class: "input" }, base),
            h("p", { class: "note" }, t("embed.base_hint")),
          ),
          h(
            "div",
            { class: "row row-apart" },
            h("span", { class: "label" }, t("embed.code")),
            copyButton({ t, label: t("app.copy"), text: () => code.textContent ?? "" }),
          ),
          code,
          note,
        ),
        sample,
      ),
    ),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    preview?.remove();
    preview = null;
  });
  return {
    element: dialog,
    open() {
      if (sample) sample.append((preview = h("iframe", { title: t("embed.preview"), class: "embed-preview" })));
      update();
      dialog.showModal();
      document.getElementById("embed-title")?.focus();
    },
  };
}

/**
 * @param {string} id
 * @param {string} label
 * @param {Record<string, string>} choices value and what it is called
 * @param {(value: string) => void} onChange
 */
function select(id, label, choices, onChange) {
  const options = Object.entries(choices).map(([value, name]) => h("option", { value }, name));
  const element = h("select", { id }, ...options);
  element.addEventListener("change", () => onChange(element.value));
  return h("div", { class: "field" }, h("label", { class: "label", for: id }, label), element);
}
