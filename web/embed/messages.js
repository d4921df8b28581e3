/** What an embedded calculator and the page around it say to each other. */

/** The frame tells its height in CSS pixels: { type: HEIGHT_MESSAGE, height: number }. */
export const HEIGHT_MESSAGE = "meyasu:height";
