/** The guide below the form: one accordion for each topic, content per language. */

import { guides } from "meyasu:guide";
import { rich } from "../components/rich.js";
import { h } from "../dom.js";

/**
 * A paragraph, a list, or a table whose first row is its head. All text is rich text.
 * @typedef {string | { list: string[] } | { steps: string[] } | { table: string[][] }} Block
 * @typedef {{ id: string, title: string, blocks: Block[], lang?: string }} Topic `lang`: of its text, where not that of the page
 * @typedef {import("../i18n.js").Translate} Translate
 */

/** @type {Record<import("../i18n.js").Language, Topic[]>} */
const contents = {};

/** Needed before `guide`. @param {import("../i18n.js").Language} language */
export async function loadGuide(language) {
  contents[language] = (await guides[language]()).guide;
}

/**
 * @param {Block} block
 * @param {Translate} t
 */
function blockElement(block, t) {
  if (typeof block === "string") return h("p", {}, ...rich(block, t));
  if ("table" in block) return table(block.table, t);
  const [tag, items] = "list" in block ? ["ul", block.list] : ["ol", block.steps];
  const list = h(/** @type {"ul" | "ol"} */ (tag), { class: tag === "ul" ? "bullets" : "numbers" });
  list.append(...items.map((item) => h("li", {}, ...rich(item, t))));
  return list;
}

/** A cell that needs no room to wrap: on a phone a table of numbers fits. */
const NUMBER = /^[\d.―–]+$/;

/**
 * @param {string[][]} rows
 * @param {Translate} t
 */
function table([head, ...body], t) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": head[0] },
    h(
      "table",
      { class: "guide-table" },
      h("thead", {}, h("tr", {}, head.map((cell) => h("th", { scope: "col" }, ...rich(cell, t))))),
      h(
        "tbody",
        {},
        body.map(([first, ...rest]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, ...rich(first, t)),
            rest.map((cell) => h("td", { class: NUMBER.test(cell) && "short" }, ...rich(cell, t))),
          ),
        ),
      ),
    ),
  );
}

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("../i18n.js").Language} options.language
 */
export function guide({ t, language }) {
  const topics = (contents[language] ?? []).map(({ id, title, blocks, lang }, index) =>
    h(
      "details",
      { id: `guide-${id}`, open: index === 0, lang },
      h("summary", {}, h("h3", {}, title)),
      h("div", { class: "guide-body" }, blocks.map((block) => blockElement(block, t))),
    ),
  );
  return {
    element: h(
      "section",
      { class: "guide", id: "guide", "aria-labelledby": "guide-title" },
      h("h2", { id: "guide-title" }, t("guide.title")),
      ...topics,
    ),
    /** @param {string} id */
    open(id) {
      const topic = topics.find((element) => element.id === `guide-${id}`);
      if (!topic) return;
      topic.open = true;
      topic.querySelector("summary")?.focus({ preventScroll: true });
      topic.scrollIntoView({ block: "start" });
    },
  };
}
