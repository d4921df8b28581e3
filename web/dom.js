/** Building the page: elements are made by calls, text is always text, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Sets attributes; `on` holds event listeners, `true` an empty attribute, `false`/`null` none.
 * @param {Element} element
 * @param {Record<string, any>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...nodes(children));
  return element;
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * Replaces what is inside an element. What has the focus and an id keeps it; where it is gone, as a
 * button whose work is done, the element itself takes the focus, so that a keyboard goes on from there.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  const { activeElement } = document;
  const focused = activeElement && activeElement !== element && element.contains(activeElement) ? activeElement : null;
  element.replaceChildren(...nodes(children));
  if (!focused || focused.isConnected) return;
  const same = focused.id ? document.getElementById(focused.id) : null;
  if (!same) element.setAttribute("tabindex", "-1");
  /** @type {HTMLElement} */ (same ?? element).focus({ preventScroll: true });
}

/**
 * A decorative drawing: one path, in the colour of the text around it.
 * @param {string} path
 * @param {{ size?: number, filled?: boolean, dashed?: boolean, class?: string }} [options]
 */
export function icon(path, options = {}) {
  const { size = 20, filled = false, dashed = false } = options;
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  setAttributes(svg, {
    viewBox: `0 0 ${size} ${size}`,
    class: options.class,
    "aria-hidden": "true",
    fill: filled ? "currentColor" : "none",
    stroke: filled ? "none" : "currentColor",
    "stroke-width": 1.8,
    "stroke-dasharray": dashed ? "4 3" : null,
  });
  const drawing = document.createElementNS(namespace, "path");
  drawing.setAttribute("d", path);
  svg.append(drawing);
  return svg;
}

export const icons = {
  theme: () => icon("M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14z M10 3v14 M12 3.6v12.8 M14 4.6v10.8"),
  more: () =>
    icon(
      "M4 8.3a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4z M10 8.3a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4z M16 8.3a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4z",
      { filled: true },
    ),
  close: () => icon("M5 5l10 10M15 5L5 15"),
  error: () => icon("M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 1 0 0-15z M10 6v5 M10 13.4v.6"),
  doubt: () => icon("M10 3L18 17H2z"),
  chevron: () => icon("M7.5 5l5 5l-5 5"),
};
