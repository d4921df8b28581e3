/** A button that copies a text and says so inside itself for two seconds. */

import { h } from "../dom.js";

const SHOWN_MS = 2000;

/** @param {string} text */
async function copyText(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain http other than localhost has no clipboard object.
  const area = h("textarea", { class: "visually-hidden" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("copy refused");
}

/**
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {string} options.label
 * @param {() => string} options.text
 * @param {string} [options.class]
 * @returns {HTMLButtonElement}
 */
export function copyButton({ t, label, text, class: className = "button-line" }) {
  const words = h("span", { "aria-live": "polite" }, label);
  let timer = 0;
  /** @param {string} sentence */
  const say = (sentence) => {
    words.textContent = sentence;
    clearTimeout(timer);
    timer = setTimeout(() => (words.textContent = label), SHOWN_MS);
  };
  const press = () =>
    copyText(text()).then(
      () => say(t("app.copied")),
      () => say(t("app.copy_failed")),
    );
  return h("button", { type: "button", class: className, on: { click: press } }, words);
}
