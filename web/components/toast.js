/** One line at the edge of the window that says what was done, with a button that undoes it. */

import { fill, h } from "../dom.js";

const SHOWN_MS = 10_000;

/** @param {import("../i18n.js").Translate} t */
export function toast(t) {
  const words = h("span", { role: "status" });
  let undo = () => {};
  const button = h(
    "button",
    {
      type: "button",
      class: "button-line",
      id: "toast-undo",
      on: {
        click() {
          hide();
          undo();
        },
      },
    },
    t("toast.undo"),
  );
  let timer = 0;
  const element = h("div", { class: "toast", id: "toast", hidden: true }, words, button);
  const hide = () => {
    clearTimeout(timer);
    element.hidden = true;
  };
  const waitAgain = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (element.contains(document.activeElement) || element.matches(":hover") ? waitAgain() : hide()), SHOWN_MS);
  };
  return {
    element,
    hide,
    /**
     * @param {string} sentence
     * @param {() => void} onUndo
     */
    show(sentence, onUndo) {
      undo = onUndo;
      element.hidden = false;
      fill(words, sentence);
      waitAgain();
    },
  };
}
