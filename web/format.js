/**
 * All formatting of numbers. GiB = 2^30 bytes, GB = 10^9 bytes; never one where the other is meant.
 * Two decimals below 100, one below 1,000, none above; below 0.005 the next smaller unit.
 */

const NBSP = "\u00a0";
const MINUS = "\u2212";
const BINARY_UNITS = /** @type {const} */ (["GiB", "MiB", "KiB"]);
const DECIMAL_UNITS = /** @type {const} */ (["GB", "MB", "KB"]);

/** @type {Map<string, Intl.NumberFormat>} */
const formatters = new Map();

/**
 * Comma groups and a real minus sign, in both languages.
 * @param {number} value
 * @param {number} minimumDigits
 * @param {number} maximumDigits
 */
function decimal(value, minimumDigits, maximumDigits) {
  const key = `${minimumDigits}-${maximumDigits}`;
  let formatter = formatters.get(key);
  if (!formatter) {
    formatter = new Intl.NumberFormat("en-US", {
      minimumFractionDigits: minimumDigits,
      maximumFractionDigits: maximumDigits,
    });
    formatters.set(key, formatter);
  }
  const text = formatter.format(value);
  return text === "-0" ? "0" : text.replace("-", MINUS);
}

/**
 * Decimals by size, decided on the rounded value: 99.999 becomes 100.0, not 100.00.
 * @param {number} value
 */
function adaptive(value) {
  const size = Math.abs(value);
  if (Number(size.toFixed(2)) < 100) return decimal(value, 2, 2);
  if (Number(size.toFixed(1)) < 1000) return decimal(value, 1, 1);
  return decimal(value, 0, 0);
}

/**
 * @param {number} bytes
 * @param {number} base
 * @param {readonly string[]} units
 * @returns {{ value: string, unit: string }}
 */
function scaled(bytes, base, units) {
  let power = 3;
  for (const unit of units) {
    const value = bytes / base ** power;
    if (Math.abs(value) >= 0.005 || bytes === 0) return { value: adaptive(value), unit };
    power -= 1;
  }
  return { value: decimal(bytes, 0, 0), unit: "B" };
}

/** @param {number} bytes */
export const gibParts = (bytes) => scaled(bytes, 1024, BINARY_UNITS);
/** @param {number} bytes */
export const gbParts = (bytes) => scaled(bytes, 1000, DECIMAL_UNITS);

/** @param {{ value: string, unit: string }} parts */
const joined = ({ value, unit }) => `${value}${NBSP}${unit}`;

/** "13.04 GiB". @param {number} bytes */
export const gib = (bytes) => joined(gibParts(bytes));
/** "14.00 GB". @param {number} bytes */
export const gb = (bytes) => joined(gbParts(bytes));
/** GiB with one decimal and no unit, for cells of a map: "13.0". @param {number} bytes */
export const gibCoarse = (bytes) => decimal(bytes / 1024 ** 3, 1, 1);
/** "13,351.4 MiB". @param {number} bytes */
export const mib = (bytes) => `${decimal(bytes / 1024 ** 2, 1, 1)}${NBSP}MiB`;
/** "168.0 GB" of a number that is in GB already. @param {number} value */
export const gbValue = (value) => joined(gbParts(value * 1e9));
/** A speed: two significant digits, "0.67", "38", "1,200". @param {number} value */
export const rate = (value) => {
  const rounded = Number(value.toPrecision(2));
  return decimal(rounded, rounded < 1 ? 2 : rounded < 10 ? 1 : 0, rounded < 1 ? 4 : rounded < 10 ? 1 : 0);
};
/**
 * Seconds of a fine step: "3.13 秒", "0.0012 秒".
 * @param {number} value
 * @param {import("./i18n.js").Translate} t
 */
export const seconds = (value, t) => t("format.seconds", { x: decimal(Number(value.toPrecision(3)), 0, 4) });
/**
 * A time to wait: "3時間24分", "45 秒".
 * @param {number} value seconds
 * @param {import("./i18n.js").Translate} t
 */
export function duration(value, t) {
  if (value < 60) return t("format.seconds", { x: rate(value) });
  const minutes = Math.round(value / 60);
  if (minutes < 60) return t("format.minutes", { x: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return t("format.hours", { x: hours, y: minutes % 60 });
  return t("format.days", { x: decimal(hours / 24, 0, 1) });
}
/** Comma groups, no decimals. @param {number} value */
export const whole = (value) => decimal(value, 0, 0);
/** As many decimals as the value has, up to six: "1.2", "4.5", "16". @param {number} value */
export const plain = (value) => decimal(value, 0, 6);

/**
 * A number inside a formula: no groups, so that a comma is always an argument separator.
 * @param {number} value
 */
export const inFormula = (value) => String(Number(value.toPrecision(12)));

/**
 * GiB with four decimals, as the original form prints its result; small values keep four digits.
 * @param {number} value in GiB
 */
export function fourDecimals(value) {
  return value >= 0.001 ? value.toFixed(4) : String(Number(value.toPrecision(4)));
}

/** "7B", "0.5B", "135M", "1.1T", as models are called. @param {number} billions */
export function parameters(billions) {
  if (billions >= 1000) return `${plain(billions / 1000)}T`;
  if (billions >= 1 || Number.isInteger(billions * 10)) return `${plain(billions)}B`;
  if (billions >= 1e-3) return `${plain(billions * 1e3)}M`;
  return whole(billions * 1e9);
}

/** "131,072": commas between thousands, and nowhere else. */
const GROUPED = /^\d{1,3}(,\d{3})+(\.\d*)?$/;

/**
 * What someone typed into a small numeric field; full-width digits and comma groups count. NaN if
 * unreadable.
 * @param {string} text
 */
export function typedNumber(text) {
  const narrow = text.normalize("NFKC").trim();
  if (narrow === "") return NaN;
  return Number(GROUPED.test(narrow) ? narrow.replaceAll(",", "") : narrow);
}

/** The same for a field that may be empty: null then. @param {string} text */
export const optionalNumber = (text) => (text.trim() === "" ? null : typedNumber(text));

/** What is typed to find something, and what is found by it: "24gb" in "RTX 4090 24 GB". @param {string} text */
export const searchable = (text) => text.normalize("NFKC").toLowerCase().replace(/[\s-]+/g, "");

/** Memory modules are sold by GiB and labelled GB: "32". @param {number} bytes */
export const soldGb = (bytes) => whole(bytes / 1024 ** 3);

/**
 * The size of a model that is known by name, to the four digits it is known by: "46.7B".
 * @param {number} billions
 */
export const namedSize = (billions) => parameters(Number(billions.toPrecision(4)));

/** "69.1 %" of a part of 1; small parts keep two digits. @param {number} part */
export function percent(part) {
  if (part > 0 && part < 0.00005) return `<${NBSP}0.01${NBSP}%`;
  return `${decimal(part * 100, 0, part < 0.0995 ? 2 : 1)}${NBSP}%`;
}
/** Bits per weight: "4.89". @param {number} value */
export const bits = (value) => decimal(value, 2, 2);

/** A mark of a ruler, round by itself: "0", "5 GiB", "256 MiB". @param {number} bytes */
export function rulerMark(bytes) {
  if (bytes === 0) return "0";
  const [size, unit] = bytes >= 1024 ** 3 ? [1024 ** 3, "GiB"] : [1024 ** 2, "MiB"];
  return joined({ value: decimal(bytes / size, 0, 0), unit });
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** "10^9" as it is printed: 10⁹. @param {string} expression */
export const withSuperscripts = (expression) =>
  expression.replace(/\^(\d+)/g, (_whole, digits) =>
    [...digits].map((digit) => SUPERSCRIPTS[Number(digit)]).join(""),
  );
