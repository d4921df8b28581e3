/**
 * The answer as a picture to share: an SVG of its own, with colours and sizes inside, in the colours
 * of the page. Only lengths are worked out here.
 */

import { gib } from "../format.js";
import { colourOf, termName } from "../tabs/inference/terms.js";

const WIDTH = 1200;
const HEIGHT = 630;
const MARGIN = 56;
const NAMESPACE = "http://www.w3.org/2000/svg";
const SHAPES = { fits: "○", tight: "△", over: "✕", unknown: "？" };
const COLOURS = /** @type {const} */ ({ fits: "ok", tight: "tight", over: "over", unknown: "ink" });
const FONTS = '"Hiragino Sans","Yu Gothic UI",Meiryo,"Noto Sans CJK JP","Noto Sans JP","Segoe UI",Roboto,sans-serif';

/**
 * Lines of about so many half-width characters; Japanese breaks anywhere, Latin between words.
 * @param {string} text
 * @param {number} room
 * @param {number} most lines
 */
export function wrapped(text, room, most) {
  const pieces = text.match(/[\u0021-\u024f]+|\s+|[^\u0021-\u024f\s]/g) ?? [];
  const width = (/** @type {string} */ piece) => [...piece].reduce((sum, character) => sum + (character.charCodeAt(0) < 0x250 ? 1 : 2), 0);
  const lines = [""];
  for (const piece of pieces) {
    const line = lines[lines.length - 1];
    if (line !== "" && width(line) + width(piece) > room) lines.push(piece.trimStart());
    else lines[lines.length - 1] = line + piece;
  }
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${lines[most - 1].trimEnd().slice(0, -1)}…`];
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(SVGElement | string)} children
 */
function s(tag, attributes, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS(NAMESPACE, tag));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * @param {import("./document.js").ResultDocument} result
 * @param {string} origin version and dates
 * @param {import("../i18n.js").Translate} t
 */
export function resultCard(result, origin, t) {
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("span");
  document.body.append(probe);
  const colour = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color || style.color;
  };
  const text = (/** @type {number} */ y, /** @type {number} */ size, /** @type {string} */ words, fill = "ink", more = {}) =>
    s("text", { x: MARGIN, y, "font-size": size, fill: colour(fill), ...more }, words);

  const card = s("svg", { xmlns: NAMESPACE, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, "font-family": FONTS, role: "img" });
  card.append(s("title", {}, `${result.headline} ${result.subject}`), s("rect", { width: WIDTH, height: HEIGHT, fill: colour("surface") }));
  card.append(text(72, 26, "目安 Meyasu", "ink-2", { "font-weight": 600 }));
  card.append(text(72, 24, result.tab, "ink-3", { x: WIDTH - MARGIN, "text-anchor": "end" }));

  const mark = result.verdict === null ? "" : `${SHAPES[result.verdict]} `;
  let y = 140;
  for (const line of wrapped(mark + result.headline, 44, 2)) {
    card.append(text(y, 46, line, result.verdict === null ? "ink" : COLOURS[result.verdict], { "font-weight": 600 }));
    y += 58;
  }
  for (const line of wrapped(result.subject, 84, 2)) {
    card.append(text(y, 24, line, "ink-2"));
    y += 34;
  }

  const places = result.places.filter(({ terms }) => terms.some(({ bytes }) => bytes > 0)).slice(0, 3);
  const sum = (/** @type {import("./document.js").Place} */ { terms }) => terms.reduce((total, { bytes }) => total + bytes, 0);
  const extent = Math.max(...places.map((place) => Math.max(sum(place), place.usable)), 1);
  const room = WIDTH - 2 * MARGIN;
  const height = places.length > 2 ? 26 : 36;
  y += 6;
  for (const place of places) {
    const total = `${place.title} ${gib(sum(place))}${place.usable > 0 ? ` / ${gib(place.usable)}` : ""}`.trim();
    card.append(text(y + 16, 20, total, "ink-2"));
    y += 26;
    card.append(s("rect", { x: MARGIN, y, width: room, height, fill: colour("sunken") }));
    let x = MARGIN;
    for (const { id, bytes } of place.terms) {
      const length = (bytes / extent) * room;
      if (length > 0.5) card.append(s("rect", { x, y, width: Math.max(length - 1, 0.5), height, fill: colour(colourOf(id)) }));
      x += length;
    }
    const capacity = MARGIN + (place.usable / extent) * room;
    // What is beyond the capacity is paled and framed, as the page hatches it.
    if (place.usable > 0 && x > capacity) {
      card.append(s("rect", { x: capacity, y, width: x - capacity, height, fill: colour("surface"), "fill-opacity": 0.45, stroke: colour("over"), "stroke-width": 3, "stroke-dasharray": "8 6" }));
    }
    if (place.usable > 0) card.append(s("rect", { x: capacity - 2, y: y - 4, width: 3, height: height + 8, fill: colour("ink") }));
    y += height + 14;
  }

  const largest = places
    .flatMap(({ terms }) => terms)
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 6);
  largest.forEach(({ id, bytes }, index) => {
    const left = MARGIN + (index % 3) * (room / 3);
    const line = y + 20 + Math.floor(index / 3) * 32;
    card.append(s("rect", { x: left, y: line - 15, width: 16, height: 16, fill: colour(colourOf(id)) }));
    card.append(text(line, 20, `${termName(id, t)} ${gib(bytes)}`, "ink", { x: left + 24 }));
  });

  const settings = result.settings.filter(({ name }) => name !== t("export.assumptions")).map(({ name, value }) => `${name} ${value}`).join(" · ");
  wrapped(settings, 110, 2).forEach((line, index) => card.append(text(HEIGHT - 82 + index * 24, 17, line, "ink-3")));
  card.append(text(HEIGHT - 26, 17, origin, "ink-3"));
  probe.remove();
  return card;
}

/** @param {SVGElement} card */
export const svgText = (card) => new XMLSerializer().serializeToString(card);

/**
 * @param {SVGElement} card
 * @returns {Promise<Blob>}
 */
export function pngOf(card) {
  return new Promise((resolve, reject) => {
    const picture = new Image();
    picture.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = WIDTH;
      canvas.height = HEIGHT;
      canvas.getContext("2d")?.drawImage(picture, 0, 0);
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png");
    };
    picture.onerror = () => reject(new Error("no picture"));
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(card))}`;
  });
}
