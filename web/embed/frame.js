/** embed.html: the compact calculator inside a frame. It reports its height to the page around. */

import { explainDrawer } from "../components/explain.js";
import { loadCore } from "../core.js";
import { h } from "../dom.js";
import { browserLanguage, loadLanguage, translator } from "../i18n.js";
import { applyTheme, asTheme } from "../preferences.js";
import { fromFragment } from "../state.js";
import { compactCalculator } from "./compact.js";
import { HEIGHT_MESSAGE } from "./messages.js";

/** @param {import("../core-types.js").Core} core */
async function build(core) {
  const { state, lang, theme } = fromFragment(location.hash);
  const language = browserLanguage(lang);
  await loadLanguage(language);
  const t = translator(language);
  document.documentElement.lang = language;
  document.title = t("embed.frame_title");
  applyTheme(asTheme(theme));
  const drawer = explainDrawer(t);
  const calculator = compactCalculator({ t, core, state, explain: drawer.open });
  document.body.replaceChildren(h("main", {}, calculator), drawer.element);
  document.documentElement.dataset.ready = "";
}

/** The height is no secret, so any page around may have it; nothing else is ever sent. */
function reportHeight() {
  const { height } = document.body.getBoundingClientRect();
  parent.postMessage({ type: HEIGHT_MESSAGE, height }, "*");
}

/**
 * A resize observer sees new widths and fonts; it sleeps while the frame is out of view, so changes
 * of the content are reported by themselves.
 */
function followHeight() {
  new ResizeObserver(reportHeight).observe(document.body);
  const changes = { childList: true, subtree: true, attributes: true, characterData: true };
  new MutationObserver(reportHeight).observe(document.body, changes);
}

async function start() {
  if (parent !== window) followHeight();
  try {
    const core = await loadCore();
    await build(core);
    addEventListener("hashchange", () => build(core));
  } catch (error) {
    await loadLanguage(browserLanguage());
    const sentence = translator(browserLanguage())("error.no_wasm");
    document.body.replaceChildren(h("main", {}, h("p", { class: "banner", role: "alert" }, sentence)));
    console.error(error);
  }
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
else start();
