/** What the page loads once somebody touches it (load-rest.js): all that is not the first view. */

export { bars } from "./bars/index.js";
export { embedDialog } from "./embed/generator.js";
export { keyList } from "./keys-list.js";
export { keepOffline } from "./offline/register.js";
export { exportDialog } from "./results/export-dialog.js";
export { builders } from "./tabs/builders.js";
export { addToComparison } from "./tabs/compare/index.js";
