/** How far it goes: the largest context, users, batch and format that fit, and users by context. */

import { fill, h } from "../../dom.js";
import { gib, typedNumber, whole } from "../../format.js";
import { shortContext } from "./chart.js";
import { familyOf, isLibrary, isLlamaCpp, libraryOptions, llamaCppOptions, servingOptions } from "./inputs.js";

/** @typedef {import("./inputs.js").InferenceInputs} InferenceInputs */
/** @typedef {import("../../core-types.js").InferenceStudy} InferenceStudy */
/** @typedef {import("../../core-types.js").CoreError} CoreError */
/**
 * One answer: `changes` applies it; `value` null where nothing fits.
 * @typedef {{ value: string | null, note: string, changes: Partial<InferenceInputs> | null }} Limit
 */

const CONTEXTS = [2048, 4096, 8192, 16384, 32768, 65536, 131072];

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {import("../../core-types.js").Core} options.core
 * @param {InferenceInputs} options.inputs
 * @param {import("../../core-types.js").InferenceChoices} options.choices
 * @param {() => import("../../core-types.js").MachineOptions} options.machine
 * @param {() => { format: string, kv_type: string }} options.likeServers
 * @param {(runtime: string) => { format: string, k_bits: number, v_bits: number }} options.likeLibrary
 * @param {(error: CoreError) => string} options.sentence
 * @param {(changes: Partial<InferenceInputs>) => void} options.apply
 */
export function limitsCard({ t, core, inputs, choices, machine, likeServers, likeLibrary, sentence, apply }) {
  const list = h("dl", { class: "limits", id: "limits" });
  const table = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("limits.users_by_context") });
  const by = h("p", { class: "note" });
  const element = h(
    "section",
    { class: "card stack", "aria-labelledby": "limits-title" },
    h("div", { class: "title-row" }, h("h2", { id: "limits-title" }, t("limits.title")), by),
    h("p", { class: "lead" }, t("limits.lead")),
    list,
    h("h3", { class: "label" }, t("limits.users_by_context")),
    table,
  );
  /** What was found, by the question. @type {Map<string, Limit>} */
  let known = new Map();

  /** "the next step, 9,216, lacks 0.12 GiB". @param {import("../../core-types.js").LlamaCppFit | null} next @param {string} value */
  function nextNote(next, value) {
    if (next === null) return t("limits.at_end");
    const { fit } = next.places[next.tightest];
    return t("limits.next", { x: value, y: gib(Math.abs(fit.margin)) });
  }
  /** @param {CoreError} error @returns {Limit} */
  const none = (error) => ({ value: null, note: error.code === "none_fits" ? t("limits.none") : sentence(error), changes: null });

  /** @param {InferenceStudy} on @returns {[string, () => Limit][]} */
  function questions(on) {
    const context = typedNumber(inputs.c);
    const family = familyOf(inputs.r);
    if (isLlamaCpp(inputs.r)) {
      const options = llamaCppOptions(inputs, machine(), inputs.r);
      return [
        [
          "context",
          () => {
            const found = core.solve_context(on, options, false);
            if (!found.ok) return none(found.error);
            const per = core.largest_context(on, options);
            if (!per.ok) return none(per.error);
            return {
              value: t("infer.tokens", { x: whole(per.value) }),
              note: nextNote(found.value.next, whole(found.value.next_value ?? 0)),
              changes: { c: String(per.value) },
            };
          },
        ],
        [
          "users",
          () => {
            const found = core.solve_llama_cpp_users(on, options, false, context);
            if (!found.ok) return none(found.error);
            return { value: people(found.value.value), note: nextNote(found.value.next, people(found.value.next_value ?? 0)), changes: { u: String(found.value.value) } };
          },
        ],
        [
          "batch",
          () => {
            const found = core.solve_ubatch(on, options, false);
            if (!found.ok) return none(found.error);
            const { value, best, next, next_value } = found.value;
            return {
              value: `-ub ${whole(value)}`,
              note: nextNote(next, whole(next_value ?? 0)),
              changes: { ub: String(value), b: String(best.settings.n_batch) },
            };
          },
        ],
        [
          "format",
          () => {
            const found = core.solve_mix(on, options, false);
            if (!found.ok) return none(found.error);
            return { value: found.value.mix, note: nextNote(found.value.next, found.value.next_mix), changes: { w: found.value.mix } };
          },
        ],
      ];
    }
    if (isLibrary(inputs.r)) {
      const options = libraryOptions(inputs, machine(), inputs.r, likeLibrary(inputs.r));
      const formats = core.library_formats(inputs.r);
      const steps = t(family === "transformers" ? "limits.step_token" : "limits.step_page");
      return [
        [
          "context",
          () => {
            const found = core.solve_library_context(on, options);
            if (!found.ok) return none(found.error);
            return { value: t("infer.tokens", { x: whole(found.value.value) }), note: found.value.at_limit ? t("limits.at_end") : steps, changes: { c: String(found.value.value) } };
          },
        ],
        [
          "users",
          () => {
            const found = core.solve_library_users(on, options);
            return found.ok ? { value: people(found.value.value), note: "", changes: { u: String(found.value.value) } } : none(found.error);
          },
        ],
        [
          "format",
          () => {
            const found = core.solve_library_format(on, options);
            if (!found.ok) return none(found.error);
            const { id, name } = formats[found.value.value];
            return { value: name, note: "", changes: { lf: id } };
          },
        ],
      ];
    }
    const options = servingOptions(inputs, machine(), inputs.r, likeServers());
    return [
      [
        "context",
        () => {
          const found = core.solve_serving_context(on, options);
          if (!found.ok) return none(found.error);
          return { value: t("infer.tokens", { x: whole(found.value.value) }), note: found.value.at_limit ? t("limits.at_end") : t("limits.step_block"), changes: { c: String(found.value.value) } };
        },
      ],
      [
        "users",
        () => {
          const found = core.solve_users(on, options);
          return found.ok ? { value: people(found.value.value), note: "", changes: { u: String(found.value.value) } } : none(found.error);
        },
      ],
      [
        "format",
        () => {
          const found = core.solve_serving_format(on, options);
          if (!found.ok) return none(found.error);
          return { value: choices.formats.find(({ id }) => id === found.value.format)?.name ?? found.value.format, note: gib(found.value.weights), changes: { wf: found.value.format } };
        },
      ],
    ];
  }

  /** @param {number} count */
  const people = (count) => t(count === 1 ? "infer.people_one" : "infer.people_short", { x: whole(count) });

  /**
   * Most users of so many tokens each; 0 where not even one fits.
   * @param {InferenceStudy} on
   * @param {number} context
   */
  function usersAt(on, context) {
    const changed = { ...inputs, c: String(context) };
    const found = isLlamaCpp(inputs.r)
      ? core.solve_llama_cpp_users(on, llamaCppOptions(changed, machine(), inputs.r), false, context)
      : isLibrary(inputs.r)
        ? core.solve_library_users(on, libraryOptions(changed, machine(), inputs.r, likeLibrary(inputs.r)))
        : core.solve_users(on, servingOptions(changed, machine(), inputs.r, likeServers()));
    return found.ok ? found.value.value : 0;
  }

  return {
    element,
    forget: () => known.clear(),
    /**
     * Asks one question a turn, so that the page keeps answering.
     * @param {InferenceStudy} on
     * @param {number} trained
     * @param {() => Promise<boolean>} goOn false: something else is shown by now
     */
    async update(on, trained, goOn) {
      fill(by, t(/** @type {any} */ (`runtime.${inputs.r}`)));
      const base = JSON.stringify([inputs, machine()]);
      /** @type {import("../../dom.js").Child[]} */
      const rows = [];
      for (const [id, ask] of questions(on)) {
        const key = `${id} ${base}`;
        if (!known.has(key)) {
          if (!(await goOn())) return;
          known.set(key, ask());
        }
        rows.push(row(id, /** @type {Limit} */ (known.get(key))));
      }
      fill(list, ...rows);
      const contexts = CONTEXTS.filter((context) => context <= Math.max(trained, CONTEXTS[0]));
      /** @type {number[]} */
      const counts = [];
      for (const context of contexts) {
        const key = `at ${context} ${base}`;
        if (!known.has(key)) {
          if (!(await goOn())) return;
          known.set(key, { value: String(usersAt(on, context)), note: "", changes: null });
        }
        counts.push(Number(known.get(key)?.value));
      }
      fill(
        table,
        h(
          "table",
          { class: "data", id: "users-by-context" },
          h("thead", {}, h("tr", {}, h("th", { scope: "row" }, t("infer.context")), contexts.map((context) => h("th", { scope: "col" }, shortContext(context))))),
          h(
            "tbody",
            {},
            h(
              "tr",
              {},
              h("th", { scope: "row" }, t("limits.users_row")),
              counts.map((count, at) =>
                h(
                  "td",
                  {},
                  count === 0
                    ? h("span", { class: "verdict-over" }, "✕", h("span", { class: "visually-hidden" }, t("verdict.over")))
                    : h("button", { type: "button", class: "link", "aria-label": `${shortContext(contexts[at])}: ${people(count)}`, on: { click: () => apply({ c: String(contexts[at]), u: String(count) }) } }, people(count)),
                ),
              ),
            ),
          ),
        ),
      );
      if (known.size > 400) known = new Map();
    },
  };

  /**
   * @param {string} id
   * @param {Limit} limit
   */
  function row(id, { value, note, changes }) {
    return h(
      "div",
      { class: "limit", id: `limit-${id}` },
      h("dt", {}, t(/** @type {any} */ (`limits.${id}`))),
      h("dd", {}, value === null ? h("span", { class: "verdict-over" }, "✕") : h("strong", {}, value)),
      h("dd", { class: "note" }, note || "\u00a0"),
      h(
        "dd",
        {},
        changes &&
          h("button", { type: "button", class: "button-line", id: `limit-${id}-apply`, "aria-label": `${t(/** @type {any} */ (`limits.${id}`))}: ${value} ${t("infer.apply")}`, on: { click: () => apply(changes) } }, t("infer.apply")),
      ),
    );
  }
}
