/** The same configuration in every runtime, one row each. */

import { coreErrorSentence } from "../../core-error.js";
import { h } from "../../dom.js";
import { gib, typedNumber, whole } from "../../format.js";
import { libraryOptions, LIBRARY_RUNTIMES, LLAMA_CPP_RUNTIMES, llamaCppOptions, SERVER_RUNTIMES, servingOptions } from "./inputs.js";
import { verdictIcon } from "./verdict.js";

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {import("../../core-types.js").Core} options.core
 * @param {import("../../core-types.js").InferenceStudy} options.study
 * @param {import("./inputs.js").InferenceInputs} options.inputs
 * @param {import("../../core-types.js").MachineOptions} options.machine
 * @param {import("../../core-types.js").InferenceChoices} options.choices
 * @param {{ format: string, kv_type: string }} options.like
 * @param {(runtime: string) => { format: string, k_bits: number, v_bits: number }} options.likeLibrary
 * @param {(changes: Partial<import("./inputs.js").InferenceInputs>) => void} options.apply
 */
export function runtimeRows({ t, core, study, inputs, machine, choices, like, likeLibrary, apply }) {
  const rows = [
    ...LLAMA_CPP_RUNTIMES.map((runtime) => {
      const result = core.estimate_llama_cpp(study, llamaCppOptions(inputs, machine, runtime));
      if (!result.ok) return { runtime, detail: inputs.w, error: result.error };
      const { devices, tightest, verdict, graph_known } = result.value;
      const { fit } = devices[tightest];
      /** @type {import("./verdict.js").Shown} */
      const shown = graph_known ? verdict : "unknown";
      return {
        runtime,
        detail: inputs.w,
        used: fit.likely,
        usable: fit.usable,
        verdict: shown,
        words: t(`verdict.${shown}_short`, { x: gib(Math.abs(fit.margin)) }),
      };
    }),
    ...SERVER_RUNTIMES.map((runtime) => {
      const options = servingOptions(inputs, machine, runtime, like);
      const detail = choices.formats.find(({ id }) => id === options.format)?.name ?? options.format;
      const result = core.estimate_serving(study, options);
      if (!result.ok) return { runtime, detail, error: result.error };
      const { fit, fits, starts, at_once } = result.value;
      /** @type {import("./verdict.js").Shown} */
      const shown = fits ? "fits" : "over";
      return {
        runtime,
        detail,
        used: fit.likely,
        usable: fit.usable,
        verdict: shown,
        words: t(starts ? "infer.people_fit" : "verdict.server_no_short", { x: whole(at_once) }),
      };
    }),
    ...LIBRARY_RUNTIMES.map((runtime) => {
      const options = libraryOptions(inputs, machine, runtime, likeLibrary(runtime));
      const detail = core.library_formats(runtime).find(({ id }) => id === options.format)?.name ?? options.format;
      const result = core.estimate_library(study, options);
      if (!result.ok) return { runtime, detail, error: result.error };
      const { places, tightest, verdict } = result.value;
      const { fit } = places[tightest];
      return {
        runtime,
        detail,
        used: fit.likely,
        usable: fit.usable,
        verdict,
        words: t(`verdict.${verdict}_short`, { x: gib(Math.abs(fit.margin)) }),
      };
    }),
  ];
  const extent = Math.max(...rows.map(({ used = 0, usable = 0 }) => Math.max(used, usable))) * 1.03;
  const several = typedNumber(inputs.u) > 1;
  return [
    h(
      "ul",
      { class: "runtimes" },
      rows.map((row) => {
        const { runtime, detail } = row;
        const name = t(/** @type {any} */ (`runtime.${runtime}`));
        const current = runtime === inputs.r;
        const bar = h("span", { class: "runtime-bar" });
        const mark = h("span", { class: "runtime-mark" });
        if (row.used !== undefined) {
          bar.style.width = `${(row.used / extent) * 100}%`;
          mark.style.left = `${(row.usable / extent) * 100}%`;
        }
        return h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "runtime", id: `runtime-${runtime}`, "aria-pressed": String(current), on: { click: () => apply({ r: runtime }) } },
            h("span", { class: "runtime-name" }, h("strong", {}, name), h("span", { class: "note" }, several && runtime === "llama-cli" ? t("infer.one_user") : detail)),
            h("span", { class: "runtime-lane", "aria-hidden": "true" }, row.used !== undefined && [bar, mark]),
            h(
              "span",
              { class: "runtime-amount" },
              row.used === undefined
                ? h("span", { class: "note" }, coreErrorSentence(t, row.error))
                : [
                    h("strong", {}, gib(row.used)),
                    h("span", { class: `runtime-words verdict-${row.verdict}` }, verdictIcon(row.verdict), ` ${row.words}`),
                  ],
            ),
          ),
        );
      }),
    ),
  ];
}
