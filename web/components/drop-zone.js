/** The whole page takes dropped files or a dropped text; what becomes of them is the tab's business. */

import { h } from "../dom.js";

/**
 * @param {string} sentence shown while something hovers over the page
 * @param {{ onFiles: (files: File[]) => void, onText: (text: string) => void }} receivers
 * @param {AbortSignal} signal ends the listening
 */
export function dropZone(sentence, { onFiles, onText }, signal) {
  const veil = h("div", { class: "drop-veil", hidden: true }, h("p", {}, sentence));
  let depth = 0;
  /** @param {DragEvent} event */
  const taken = (event) => {
    const types = event.dataTransfer?.types ?? [];
    if (types.includes("Files")) return true;
    const field = event.target instanceof Element && event.target.closest("input, textarea");
    return types.includes("text/plain") && !field;
  };
  const end = () => {
    depth = 0;
    veil.hidden = true;
  };
  /** @type {[keyof WindowEventMap, (event: DragEvent) => void][]} */
  const listeners = [
    [
      "dragenter",
      () => {
        depth += 1;
      },
    ],
    [
      "dragover",
      (event) => {
        if (!taken(event)) return;
        event.preventDefault();
        veil.hidden = false;
      },
    ],
    [
      "dragleave",
      () => {
        depth -= 1;
        if (depth <= 0) end();
      },
    ],
    [
      "drop",
      (event) => {
        const wanted = taken(event);
        end();
        if (!wanted) return;
        event.preventDefault();
        const files = [...(event.dataTransfer?.files ?? [])];
        const text = event.dataTransfer?.getData("text/plain").trim();
        if (files.length > 0) onFiles(files);
        else if (text) onText(text);
      },
    ],
  ];
  for (const [type, listener] of listeners) {
    window.addEventListener(type, /** @type {EventListener} */ (listener), { signal });
  }
  return veil;
}
