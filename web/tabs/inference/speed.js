/** How fast it runs: tokens a second as a range, what limits it, the wait for the first word. */

import { h, icons } from "../../dom.js";
import { plain, rate, seconds } from "../../format.js";

/** @typedef {import("../../core-types.js").Speed} Speed */
/** @typedef {import("../../core-types.js").SpeedPart} SpeedPart */

/**
 * @param {Speed} speed
 * @param {import("../../i18n.js").Translate} t
 * @param {(explanation: import("../../components/explain.js").Explanation) => void} explain
 */
export function speedRow(speed, t, explain) {
  const { low, likely, high } = speed.decode_tok_s;
  const bound = speed.decode[speed.binding];
  const limit = t(/** @type {any} */ (`speed.limit_${bound.resource}`), { x: placeName(bound.place, t) });
  const first = speed.first_token_s.likely > 0 ? t("speed.first", { x: seconds(speed.first_token_s.likely, t) }) : "";
  const sum = (/** @type {SpeedPart[]} */ parts) => parts.map(({ id, place }) => `t(${id}, ${place})`).join(" + ");
  const { first_token_s: wait, prompt } = speed;
  const title = t(speed.generates ? "speed.decode" : "speed.reading");
  const open = () =>
    explain({
      title,
      formula: first ? `t = ${sum(speed.decode)}\n${t("speed.first", { x: `${seconds(wait.low, t)}–${seconds(wait.high, t)}` })} = ${sum(prompt)} + t` : sum(speed.decode),
      inputs: [...speed.decode, ...(first ? prompt : [])].flatMap(({ id, place, seconds: length, formula }) => [
        { name: `t(${id}, ${place})`, value: `${seconds(length, t)} = ${formula.expression}` },
        ...formula.inputs.map(({ name, value, unit }) => ({ name, value: `${plain(Number(value.toPrecision(4)))}${unit ? `\u00a0${unit}` : ""}` })),
      ]),
      answer: `${rate(likely)} tok/s`,
      also: [`${rate(low)}–${rate(high)} tok/s`],
      evidence: bound.evidence,
      source: bound.source,
      moves: limit,
      movesTitle: t("speed.limit"),
      data: speed,
    });
  return h(
    "button",
    { type: "button", class: "term speed-row", id: "infer-speed", on: { click: open } },
    h("span", { class: "term-name" }, h("strong", {}, title), h("span", { class: "note" }, [limit, first].filter(Boolean).join(t("machine.gap")))),
    speed.slow && h("span", { class: "doubt" }, `△ ${t("speed.slow")}`),
    h(
      "span",
      { class: "term-amount" },
      h("span", {}, h("strong", {}, rate(likely)), " ", h("span", { class: "unit" }, "tok/s")),
      h("span", { class: "note" }, t("infer.range", { a: rate(low), b: rate(high) })),
    ),
    icons.chevron(),
  );
}

/** @param {string} place @param {import("../../i18n.js").Translate} t */
const placeName = (place, t) => (place.startsWith("gpu") ? "GPU" : t(/** @type {any} */ (`speed.place_${place}`)));
