/** What plots are made of: shapes are SVG in a square of 100 by 100, words are HTML placed over it. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
export function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {number} x part of the width
 * @param {number} y part of the height, from above
 */
export function place(element, x, y) {
  element.style.left = `${(x * 100).toFixed(2)}%`;
  element.style.top = `${(y * 100).toFixed(2)}%`;
  return element;
}
