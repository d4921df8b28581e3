/** Choosing the model all tabs share: the search over the catalog, and where files are opened. */

import { dialog } from "../components/dialog.js";
import { searchList } from "../components/search-list.js";
import { h } from "../dom.js";
import { namedSize } from "../format.js";

/** @typedef {import("../core-types.js").CatalogEntry} CatalogEntry */

/**
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {import("../core-types.js").Core} options.core
 * @param {string} options.id
 * @param {string} options.value
 * @param {boolean} [options.inline]
 * @param {(entry: CatalogEntry) => void} options.onChoose
 */
export function modelSearch({ t, core, id, value, inline, onChoose }) {
  return searchList({
    t,
    id,
    label: t("model.search"),
    placeholder: t("model.search_placeholder"),
    hint: t("model.search_hint"),
    key: inline ? "" : "/",
    inline,
    value,
    search: (query, limit) => core.catalog_search(query, limit),
    nameOf: (/** @type {CatalogEntry} */ { name }) => name,
    row: ({ id: name_id, name, params_total, confidence }) => [
      h("span", { class: "picker-name" }, name),
      h("span", { class: "picker-size" }, namedSize(params_total / 1e9)),
      h("span", { class: "picker-from" }, name_id.split("/")[0]),
      confidence === "low" && h("span", { class: "unverified" }, t("model.unverified")),
    ],
    none: () => [t("model.search_none")],
    onChoose,
  });
}

/**
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {import("../core-types.js").Core} options.core
 * @param {import("../current-model.js").ModelStore} options.models
 * @param {() => void} options.onFiles the visitor has a model of their own
 */
export function modelPicker({ t, core, models, onFiles }) {
  const search = modelSearch({
    t,
    core,
    id: "pick-model",
    value: "",
    inline: true,
    onChoose(entry) {
      picker.close();
      models.choose(entry.id);
    },
  });
  const picker = dialog({
    t,
    id: "model-picker",
    title: t("bar.model_title"),
    class: "drawer",
    content: [
      search.element,
      h(
        "p",
        { class: "row" },
        t("bar.model_files"),
        h("button", { type: "button", class: "button-line", id: "pick-model-files", on: { click: () => (picker.close(), onFiles()) } }, t("bar.model_files_open")),
      ),
    ],
  });
  return {
    element: picker.element,
    open() {
      picker.open();
      search.set("");
      search.input.focus();
    },
  };
}
