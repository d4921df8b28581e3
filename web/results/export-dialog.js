/** ⋯ 書き出し: the answer in view as text, data and a picture, to copy or to save. */

import { copyButton } from "../components/copy.js";
import { dialog } from "../components/dialog.js";
import { fill, h } from "../dom.js";
import { pngOf, resultCard, svgText } from "./card.js";
import { toCsv, toJson, toMarkdown } from "./text.js";

/**
 * @param {string} name
 * @param {Blob} content
 */
export function saveFile(name, content) {
  const address = URL.createObjectURL(content);
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/**
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {() => import("./document.js").ResultDocument | null} options.result
 * @param {() => import("./text.js").Origin} options.origin
 */
export function exportDialog({ t, result, origin }) {
  const inside = h("div", { class: "stack" });
  const made = dialog({ t, id: "export", title: t("export.title"), class: "sheet", content: [inside] });

  /** @param {import("./document.js").ResultDocument} shown */
  function content(shown) {
    const from = origin();
    const card = resultCard(shown, t("export.origin", { v: from.version, a: from.catalog, b: from.hardware }), t);
    card.classList.add("export-card");
    const failed = h("p", { class: "error-line", role: "alert", hidden: true }, t("export.failed"));
    /** @type {[string, string, () => string][]} */
    const kinds = [
      ["markdown", "md", () => toMarkdown(shown, from, t)],
      ["csv", "csv", () => toCsv(shown, from, t)],
      ["json", "json", () => toJson(shown, from)],
    ];
    const types = { md: "text/markdown", csv: "text/csv", json: "application/json" };
    const save = (/** @type {string} */ id, /** @type {() => void} */ click) => h("button", { type: "button", class: "button-line", id: `export-${id}`, on: { click } }, t("export.save"));
    return [
      h("p", { class: "lead" }, t("export.lead")),
      card,
      h(
        "dl",
        { class: "inputs export-kinds" },
        kinds.map(([id, ending, text]) =>
          h(
            "div",
            {},
            h("dt", {}, t(/** @type {any} */ (`export.${id}`))),
            h(
              "dd",
              { class: "row" },
              copyButton({ t, label: t("app.copy"), text }),
              save(id, () => saveFile(`meyasu.${ending}`, new Blob([text()], { type: `${types[/** @type {keyof typeof types} */ (ending)]};charset=utf-8` }))),
            ),
          ),
        ),
        h(
          "div",
          {},
          h("dt", {}, t("export.card")),
          h(
            "dd",
            { class: "row" },
            h("button", { type: "button", class: "button-line", id: "export-svg", on: { click: () => saveFile("meyasu.svg", new Blob([svgText(card)], { type: "image/svg+xml" })) } }, "SVG"),
            h(
              "button",
              {
                type: "button",
                class: "button-line",
                id: "export-png",
                on: {
                  click: () =>
                    pngOf(card).then(
                      (blob) => saveFile("meyasu.png", blob),
                      () => (failed.hidden = false),
                    ),
                },
              },
              "PNG",
            ),
          ),
        ),
      ),
      failed,
    ];
  }
  return {
    element: made.element,
    open() {
      const shown = result();
      fill(inside, ...(shown ? content(shown) : [h("p", { class: "lead" }, t("export.none"))]));
      made.open();
    },
  };
}
