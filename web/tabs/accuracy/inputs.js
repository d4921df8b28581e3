/** What the page 精度 keeps in the address: at the table in view, ag its group (empty: all). */
export const accuracyDefaults = Object.freeze({ at: "", ag: "" });
