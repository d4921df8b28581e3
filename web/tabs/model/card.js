/** What a model is: provenance, parameters, exact weight, where the bytes are, and its formats. */

import { evidenceMark } from "../../components/evidence.js";
import { fitBadge } from "../../components/fit-badge.js";
import { rich } from "../../components/rich.js";
import { h, icons } from "../../dom.js";
import * as format from "../../format.js";
import { coreSentence } from "../../i18n.js";
import { formatTable } from "./formats.js";
import { blockStrip, weightBar } from "./weights.js";

/** @typedef {import("../../i18n.js").Translate} Translate */
/** @typedef {import("../../context.js").Context} Context */
/** @typedef {import("../../current-model.js").CurrentModel} CurrentModel */

/** @type {Record<import("../../core-types.js").ModelSummary["provenance"], import("../../core-types.js").Evidence>} */
const EVIDENCE = { header: "exact", architecture: "derived", count: "assumed" };

/**
 * @param {CurrentModel} current
 * @param {Context} context
 * @param {{ example: boolean, onUse: () => void }} options
 * @returns {HTMLElement[]}
 */
export function modelCard(current, { t, core, explain, machine, signal }, { example, onUse }) {
  const { model, parameters, entry, opened } = current;
  const summary = model.summary();
  const table = core.format_table(model);
  const { groups, bytes, label } = stored(current, table, t);
  const badge = fitBadge({ t, core, machine, id: "model-fit" });
  badge.show(bytes);
  machine.subscribe(() => badge.show(bytes), signal);
  const main = [
    fact(t("model.parameters"), ...parameterLines(current, t)),
    bytes > 0 && fact(label, h("strong", { id: "weight-gib" }, format.gib(bytes)), h("span", { id: "weight-gb" }, t("quick.same_bytes", { x: format.gb(bytes) })), badge.element),
  ];
  const more = [
    summary.n_layer > 0 && fact(t("model.layers"), format.whole(summary.n_layer)),
    summary.n_ctx_train > 0 && fact(t("model.context"), t("model.tokens", { x: format.whole(summary.n_ctx_train) })),
    summary.n_vocab > 0 && fact(t("model.vocabulary"), format.whole(summary.n_vocab), !summary.is_encoder && h("span", { class: "note" }, t(summary.tied_embeddings ? "model.tied" : "model.untied"))),
  ];
  const card = h(
    "section",
    { class: "card stack model-card", id: "model-card", "aria-labelledby": "model-title" },
    example && h("p", { class: "notice" }, h("span", { class: "tag" }, t("quick.example")), " ", t("model.example_note")),
    h(
      "div",
      { class: "title-row" },
      h("h2", { id: "model-title", class: "model-title", tabindex: "-1" }, current.title),
      evidenceMark(opened?.checkpoint ? "exact" : EVIDENCE[summary.provenance], t),
    ),
    h("p", { class: "lead" }, origin(current, t)),
    ...doubts(current, t).map((sentence) => h("p", { class: "doubt" }, icons.doubt(), h("span", {}, sentence))),
    h("dl", { class: "facts" }, ...main),
    more.some((one) => one) && h("dl", { class: "facts facts-small" }, ...more),
    parameters.total > 0 &&
      h("div", {}, h("button", { type: "button", id: "use-model", class: "button-line", on: { click: onUse } }, t("model.use"))),
    groups.length > 0 && h("h3", {}, t("model.parts")),
    groups.length > 0 && weightBar(groups, bytes, core, t),
    summary.n_layer > 0 && model.blocks().some((block) => block.bytes > 0) && blockStrip(model, t),
    entry && h("p", { class: "note" }, t("explain.source", { x: entry.sources.join(t("model.comma")) })),
  );
  return table.rows.length > 0 ? [card, formatTable({ t, table, explain, core, machine, signal })] : [card];
}

/**
 * The weights that the card is about: those of the files, or those of the 16-bit release.
 * @param {CurrentModel} current
 * @param {import("../../core-types.js").FormatTable} table
 * @param {Translate} t
 */
function stored({ model, opened }, table, t) {
  if (opened?.checkpoint) {
    const { groups, bytes, format: name } = opened.checkpoint;
    return { groups, bytes, label: t("model.weight_stored", { x: name }) };
  }
  const groups = model.groups();
  if (opened && opened.kind !== "config") {
    return { groups, bytes: model.summary().weight_bytes, label: t("model.weight_file") };
  }
  const bf16 = table.rows.find(({ id }) => id === "bf16");
  return { groups, bytes: bf16?.bytes ?? 0, label: t("model.weight_16bit") };
}

/**
 * @param {string} name
 * @param {...import("../../dom.js").Child} values
 */
const fact = (name, ...values) => h("div", {}, h("dt", {}, name), h("dd", {}, ...values));

/**
 * @param {CurrentModel} current
 * @param {Translate} t
 */
function parameterLines({ model, parameters, entry }, t) {
  const { total, active, language } = parameters;
  const shown = total > 0 ? total : (entry?.params_total ?? 0);
  const lines = [h("strong", { id: "params-total" }, format.namedSize(shown / 1e9))];
  lines.push(h("span", {}, t(total > 0 || entry?.params_exact ? "model.exactly" : "model.about", { x: format.whole(shown) })));
  if (active > 0 && active < language) {
    lines.push(h("span", { id: "params-active" }, ...rich(t("model.active", { x: format.namedSize(active / 1e9) }), t)));
  }
  const others = model.summary().n_params - model.summary().parameters.total;
  if (others > 0) lines.push(h("span", { class: "note" }, t("model.not_counted", { x: format.whole(others) })));
  return lines;
}

/**
 * @param {CurrentModel} current
 * @param {Translate} t
 */
function origin({ entry, opened, host, model }, t) {
  if (entry) return t("model.from_catalog", { x: entry.id });
  if (!opened) return "";
  const { architecture } = model.summary();
  const read = format.gib(opened.bytesRead);
  const where = host ? t("model.from_host", { x: host }) : t("model.from_files");
  if (opened.kind === "config") return t("model.from_config", { where, arch: architecture });
  const size = opened.header && !opened.header.header_only ? format.gib(opened.header.file_size) : "";
  return [
    t(opened.kind === "gguf" ? "model.from_gguf" : "model.from_safetensors", { where, arch: architecture, n: opened.n_files }),
    size ? t("model.read_of", { x: read, y: size }) : t("model.header_only"),
  ].join(" ");
}

/**
 * What is not certain, in sentences.
 * @param {CurrentModel} current
 * @param {Translate} t
 */
function doubts({ entry, opened, model, parameters }, t) {
  const sentences = [];
  if (entry?.confidence === "low") sentences.push(t("model.low_conf"));
  for (const { code, detail } of opened?.notes ?? []) {
    sentences.push(code === "truncated" ? t("model.missing_bytes", { x: format.gib(Number(detail)) }) : coreSentence(t, "open", code, { x: detail, n: detail, pos: detail, list: detail }));
  }
  for (const unknown of model.summary().unknowns) {
    const [code, ...detail] = unknown.split(":");
    sentences.push(coreSentence(t, "unknown", code, { x: detail.join(":") }, unknown));
  }
  if (entry?.params_exact && parameters.total > 0 && parameters.total !== entry.params_total) {
    sentences.push(t("model.differs", { x: format.whole(entry.params_total) }));
  }
  return sentences;
}
