/** On a phone, a bar at the bottom repeats the answer once the result is scrolled away. */

import { fill, h } from "./dom.js";

/**
 * @param {{ result: HTMLElement, summary: () => { model: string, size: string } | null }} tab
 * @param {AbortSignal} signal
 */
export function peekBar(tab, signal) {
  const element = h("div", { class: "peek", hidden: true, "aria-hidden": "true" });
  let away = false;
  const update = () => {
    const summary = away ? tab.summary() : null;
    element.hidden = summary === null;
    if (summary) fill(element, h("span", {}, summary.model), h("strong", {}, summary.size));
  };
  const observer = new IntersectionObserver(([entry]) => {
    away = !entry.isIntersecting;
    update();
  });
  observer.observe(tab.result);
  signal.addEventListener("abort", () => observer.disconnect());
  return { element, update };
}
