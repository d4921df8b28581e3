/** One layer of one token: each transfer and the computation as a bar in time; the binding one is outlined. */

import { h } from "../../dom.js";
import { seconds } from "../../format.js";

/** @type {Record<string, string>} */
const COLOURS = { up: "embed", up_cache: "kv", read: "weights", compute: "compute", gpu_memory: "compute", down: "ctx", write: "ctx" };

/** @param {string} path @param {import("../../i18n.js").Translate} t */
export const pathName = (path, t) => t(/** @type {any} */ (`off.path_${path}`));

/**
 * @param {import("../../core-types.js").OffloadPath[]} paths
 * @param {import("../../i18n.js").Translate} t
 */
export function layerTime(paths, t) {
  const end = Math.max(...paths.map(({ begin, seconds: length }) => begin + length));
  return paths
    .filter(({ path, seconds: length }) => length > 0 || path === "compute")
    .map(({ path, begin, seconds: length, binding }) => {
      const piece = h("span", { class: `path-piece lane-${COLOURS[path]}` });
      piece.style.left = `${((begin / end) * 100).toFixed(3)}%`;
      piece.style.width = `${Math.max((length / end) * 100, 0.3).toFixed(3)}%`;
      return h(
        "div",
        { class: binding ? "path path-binding" : "path" },
        h("span", { class: "path-name" }, pathName(path, t)),
        h("span", { class: "path-lane", "aria-hidden": "true" }, piece),
        h("span", { class: "path-time" }, seconds(length, t), binding && h("span", { class: "note" }, ` ${t("off.binding")}`)),
      );
    });
}
