/** Setups to compare, each as the fragment of its own page; empty: free. */

export const compareDefaults = Object.freeze({ a: "", b: "", c: "", d: "" });

/** @typedef {Record<keyof typeof compareDefaults, string>} CompareInputs */
