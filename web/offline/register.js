/** Makes a hosted copy work without a network, and says when there is a new version of it. */

import { h } from "../dom.js";

/** @param {import("../i18n.js").Translate} t @param {HTMLElement} element that takes the notice */
export async function keepOffline(t, element) {
  const workers = navigator.serviceWorker;
  if (MEYASU_SINGLE_FILE || !workers || !isSecureContext || parent !== window) return;
  try {
    const types = /** @type {any} */ (globalThis).trustedTypes;
    const policy = types?.createPolicy("meyasu", { createScriptURL: (/** @type {string} */ url) => url });
    const registration = await workers.register(policy ? policy.createScriptURL("sw.js") : "sw.js");
    const offer = (/** @type {ServiceWorker} */ waiting) => {
      const press = () => {
        // Not "controllerchange": a page that was loaded past the worker has no controller.
        waiting.addEventListener("statechange", () => waiting.state === "activated" && location.reload());
        waiting.postMessage("update");
      };
      element.replaceChildren(
        h("p", { class: "banner row", id: "update" }, h("span", {}, t("app.update")), h("button", { type: "button", class: "button-line", on: { click: press } }, t("app.update_now"))),
      );
    };
    if (registration.waiting) offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const found = registration.installing;
      found?.addEventListener("statechange", () => {
        // Without an active one before it this is the first visit, not an update.
        if (found.state === "installed" && registration.active) offer(found);
      });
    });
  } catch {
    // Private windows and some browsers refuse; the page works all the same, online.
  }
}
