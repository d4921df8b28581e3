/** A dialog with a heading and a button that closes it; Esc closes, the focus goes back by itself. */

import { h, icons } from "../dom.js";

/**
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {string} options.id
 * @param {string} options.title
 * @param {string} options.class drawer, sheet
 * @param {import("../dom.js").Child[]} options.content
 */
export function dialog({ t, id, title, class: className, content }) {
  const element = h("dialog", { class: className, id, "aria-labelledby": `${id}-title` });
  element.append(
    h(
      "div",
      { class: "drawer-inside" },
      h(
        "div",
        { class: "drawer-head" },
        h("h2", { id: `${id}-title`, tabindex: "-1" }, title),
        h(
          "button",
          { type: "button", class: "tool", "aria-label": t("app.close"), on: { click: () => element.close() } },
          icons.close(),
        ),
      ),
      ...content,
    ),
  );
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });
  return {
    element,
    open: () => element.showModal(),
    close: () => element.close(),
  };
}
