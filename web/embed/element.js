/**
 * <meyasu-calculator params="7" precision="FP16" lang="ja" theme="dark"></meyasu-calculator>
 *
 * A frame around embed.html, in a shadow tree, so that neither the style sheet nor the policy of
 * the page around it changes what is inside. The page needs this script's host in script-src and
 * frame-src, and nothing else. The frame loads when it comes near the window and sets its height.
 * Plain <iframe src=".../embed.html"> on the same page is given its height too.
 */

import { titles } from "meyasu:frame-titles";
import { closestLanguage } from "../closest-language.js";
import { HEIGHT_MESSAGE } from "./messages.js";

const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
const home = new URL("embed.html", script?.src || location.href);
/** Pages opened from disk have the origin "null". */
const homeOrigin = home.protocol === "file:" ? "null" : home.origin;

const ATTRIBUTES = ["params", "precision", "lang", "theme"];
const FIRST_HEIGHT = 470;
const MAX_HEIGHT = 2000;

/** !important in a shadow tree wins over the page's own rules for the element. */
const STYLE = `
  :host { all: initial !important; display: block !important; min-width: 280px !important;
    max-width: 400px !important; margin-inline: auto !important; }
  iframe { display: block; width: 100%; border: 0; color-scheme: normal; }`;

/** @type {Set<HTMLIFrameElement>} frames inside shadow trees, which no query of the page finds */
const frames = new Set();

class MeyasuCalculator extends HTMLElement {
  static observedAttributes = ATTRIBUTES;

  #frame = document.createElement("iframe");

  constructor() {
    super();
    const root = this.attachShadow({ mode: "closed" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.#frame.loading = "lazy";
    this.#frame.style.height = `${FIRST_HEIGHT}px`;
    root.append(this.#frame);
  }

  connectedCallback() {
    frames.add(this.#frame);
    this.#update();
  }

  disconnectedCallback() {
    frames.delete(this.#frame);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#update();
  }

  #update() {
    const language = closestLanguage(Object.keys(titles), [this.getAttribute("lang") ?? "", ...navigator.languages]);
    this.#frame.title = titles[language ?? "en"];
    const address = new URL(home);
    address.hash = fragment(this);
    if (this.#frame.src !== address.href) this.#frame.src = address.href;
  }
}

/** @param {HTMLElement} element */
function fragment(element) {
  const parts = ["v1"];
  const keys = { params: "p", precision: "q", lang: "lang", theme: "theme" };
  for (const [attribute, key] of Object.entries(keys)) {
    const value = element.getAttribute(attribute);
    if (value) parts.push(`${key}=${encodeURIComponent(value)}`);
  }
  return parts.join(";");
}

/** @param {MessageEvent} event */
function onMessage({ data, origin, source }) {
  if (origin !== homeOrigin || data?.type !== HEIGHT_MESSAGE) return;
  const height = Number(data.height);
  if (!(height > 0 && height <= MAX_HEIGHT)) return;
  const plain = document.querySelectorAll("iframe");
  const frame = [...frames, ...plain].find(({ contentWindow }) => contentWindow === source);
  if (frame) frame.style.height = `${Math.ceil(height)}px`;
}

addEventListener("message", onMessage);
if (!customElements.get("meyasu-calculator")) {
  customElements.define("meyasu-calculator", MeyasuCalculator);
}
