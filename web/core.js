/** Loads the core. Everything the page computes comes from it; types and names: core-types.d.ts. */

import { unlzma } from "./packed/lzma.js";
import { joinModule } from "./packed/module.js";
import { fromSevenBits } from "./packed/seven-bits.js";

/** Compiled once, for the page and for its worker. @type {WebAssembly.Module | null} */
let compiled = null;

/**
 * A core of its own on the thread that calls it. Runs in the worker too, where only its text arrives.
 * @param {import("./core-types.js").CoreFactory} create
 * @param {WebAssembly.Module} module
 * @returns {Promise<import("./core-types.js").Core>} rejects where no instance comes about, say for want of memory
 */
const coreOf = (create, module) =>
  new Promise((resolve, reject) => {
    create({
      instantiateWasm(/** @type {WebAssembly.Imports} */ imports, /** @type {Function} */ done) {
        WebAssembly.instantiate(module, imports).then((instance) => done(instance, module)).catch(reject);
        return {};
      },
    }).then(resolve, reject);
  });

/**
 * Rejects when WebAssembly is blocked or missing.
 * @param {string} [file] that brings the core; none where the page holds it or names it in a script of its own
 * @returns {Promise<import("./core-types.js").Core>}
 */
export async function loadCore(file) {
  if (file) await import(file);
  const create = globalThis.createMeyasu;
  if (!create) throw new Error("no core in this page");
  const parts = MEYASU_SINGLE_FILE ? globalThis.meyasuModule : unlzma(fromSevenBits(create.packed), create.size);
  compiled = await WebAssembly.compile(joinModule(parts));
  return coreOf(create, compiled);
}

/**
 * @callback Serve answers what is posted to `port`
 * @param {import("./core-types.js").Core} core
 * @param {MessagePort} port
 */

/**
 * Runs `serve` beside a core of its own in a worker. Worker and core arrive there as text and as a
 * compiled module, so that it also works from file://: `serve` may use nothing but its arguments.
 * @param {Serve} serve
 * @param {() => void} refused the browser starts no worker here
 * @returns {MessagePort} what is posted before the worker runs waits for it
 */
export function startWorker(serve, refused) {
  const { port1, port2 } = new MessageChannel();
  const start = `onmessage=async({data:[module,port]})=>(${serve})(await(${coreOf})((${globalThis.createMeyasu?.glue})(),module),port)`;
  const address = URL.createObjectURL(new Blob([start], { type: "text/javascript" }));
  try {
    // The page's policy lets scripts come from nowhere else.
    const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("meyasu-worker", { createScriptURL: (/** @type {string} */ url) => url });
    const worker = new Worker(policy ? policy.createScriptURL(address) : address);
    worker.onerror = (event) => {
      event.preventDefault();
      refused();
    };
    worker.postMessage([compiled, port2], [port2]);
  } catch {
    refused();
  }
  return port1;
}
