/** ○ △ ✕ beside a total: would it go into the machine that is chosen? */

import { machineTitle } from "../bars/words.js";
import { fill, h } from "../dom.js";
import { gib } from "../format.js";
import { verdictIcon } from "../tabs/inference/verdict.js";

/**
 * @param {object} options
 * @param {import("../i18n.js").Translate} options.t
 * @param {import("../core-types.js").Core} options.core
 * @param {import("../current-machine.js").MachineStore} options.machine
 * @param {string} options.id
 */
export function fitBadge({ t, core, machine, id }) {
  const element = h("p", { class: "fit-badge", id });
  return {
    element,
    /** @param {number} bytes @param {string} [smaller] the next smaller format that fits, if this one does not */
    show(bytes, smaller = "") {
      const fit = core.machine_fit(machine.question(), bytes);
      const about = machine.summary();
      element.hidden = !fit.ok || !about.ok;
      if (!fit.ok || !about.ok) return;
      const { verdict } = fit.value;
      element.className = `fit-badge verdict-${verdict}`;
      const words = t(`badge.${verdict}`, { x: machineTitle(about.value, t), y: gib(Math.abs(fit.value.margin)) });
      fill(
        element,
        verdictIcon(verdict),
        ` ${words}`,
        h("span", { class: "note" }, t("badge.note")),
        verdict === "over" && smaller !== "" && h("span", {}, t("badge.smaller", { x: smaller })),
      );
    },
  };
}
