/** The tab モデル: pick one from the catalog, drop files, or name one on a server; then its card. */

import { dropZone } from "../../components/drop-zone.js";
import { fill, h } from "../../dom.js";
import * as format from "../../format.js";
import { modelCard } from "./card.js";
import { openAddressCard, openFilesCard } from "./open.js";
import { modelSearch } from "../../bars/model-picker.js";

/**
 * @param {import("../../context.js").Context} context
 * @returns {import("../index.js").TabView}
 */
export function modelTab(context) {
  const { t, core, state, models, announce, onTab, signal } = context;
  const result = h("div", { class: "model-result", id: "model-result" });

  const search = modelSearch({
    t,
    core,
    id: "model",
    value: models.get()?.entry?.name ?? "",
    onChoose: (entry) => models.choose(entry.id),
  });
  /**
   * @param {import("../../sources/open-files.js").Opened} opened
   * @param {string} host
   */
  const onOpened = (opened, host) => {
    if (signal.aborted) {
      opened.model.delete();
      return;
    }
    models.useOpened(opened, host);
  };
  const files = openFilesCard({ t, core, signal, onOpened });
  const address = openAddressCard({ t, core, signal, onOpened });
  const veil = dropZone(
    t("model.drop"),
    { onFiles: files.open, onText: address.set },
    signal,
  );

  function chosen() {
    // What is still being read would replace it.
    files.stop();
    address.stop();
    search.set(models.get()?.entry?.name ?? "");
    show();
    const current = models.get();
    if (!current) return;
    announce(t("model.said", { x: current.title, y: format.namedSize(current.parameters.total / 1e9) }));
    if (matchMedia("(max-width: 1000px)").matches) {
      const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
      result.scrollIntoView({ behavior: smooth ? "smooth" : "auto", block: "start" });
    }
  }

  /** What the card in view listens to ends with it. */
  let card = new AbortController();
  signal.addEventListener("abort", () => card.abort());
  function show() {
    const shown = models.shown();
    card.abort();
    card = new AbortController();
    fill(result, ...modelCard(shown, { ...context, signal: card.signal }, { example: models.get() === null, onUse: () => use(shown) }));
  }

  /**
   * Fills the quick form; the precision stays what it was.
   * @param {import("../../current-model.js").CurrentModel} current
   */
  function use({ parameters }) {
    state.params = format.inFormula(parameters.total / 1e9);
    state.pressed = true;
    onTab("quick");
  }

  models.subscribe(chosen, signal);
  show();

  return {
    element: h(
      "section",
      { class: "model", id: "panel-model", role: "tabpanel", "aria-label": t("model.tab") },
      h("div", {}, h("h1", {}, t("model.title")), h("p", { class: "lead" }, t("model.lead"))),
      h(
        "div",
        { class: "model-grid" },
        h("div", { class: "card stack model-open" }, search.element, files.element, address.element),
        result,
      ),
      veil,
    ),
    result,
    /** One line for the bar that repeats the answer on a phone. */
    summary() {
      const current = models.get();
      if (!current) return null;
      return { model: current.title, size: format.namedSize(current.parameters.total / 1e9) };
    },
  };
}
