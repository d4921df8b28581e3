/** A technical word that explains itself: pressing it opens a small box below the word. */

import { h } from "../dom.js";

/** @typedef {import("../i18n.js").MessageId} MessageId */

const EDGE = 8;
let count = 0;

/**
 * @param {string} id of the messages gloss.<id> and gloss.<id>.term
 * @param {string | undefined} label the word as it stands in the sentence
 * @param {import("../i18n.js").Translate} t
 * @returns {HTMLElement}
 */
export function gloss(id, label, t) {
  const term = t(/** @type {MessageId} */ (`gloss.${id}.term`));
  const word = label ?? term;
  const boxId = `gloss-${(count += 1)}`;
  const box = h(
    "span",
    { id: boxId, class: "gloss-box", popover: "auto", role: "note" },
    h("strong", {}, term),
    " ",
    t(/** @type {MessageId} */ (`gloss.${id}`)),
  );
  const button = h(
    "button",
    {
      type: "button",
      class: "gloss",
      popovertarget: boxId,
      "aria-expanded": "false",
    },
    word,
  );
  box.addEventListener("toggle", (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) place(box, button);
  });
  return h("span", { class: "gloss-pair" }, button, box);
}

/**
 * Below the word, or above it where there is no room; never outside the window.
 * @param {HTMLElement} box
 * @param {HTMLElement} button
 */
function place(box, button) {
  const word = button.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const view = document.documentElement;
  const left = Math.max(EDGE, Math.min(word.left, view.clientWidth - size.width - EDGE));
  const below = word.bottom + 6;
  const top = below + size.height > view.clientHeight ? word.top - size.height - 6 : below;
  box.style.left = `${left}px`;
  box.style.top = `${Math.max(EDGE, top)}px`;
}
