/**
 * The planner's searches on a thread of their own: the page stays free while they run. A newer
 * question ends the one before it, once that has its plan: what follows a slider always moves.
 */

import { startWorker } from "../../core.js";

/** @typedef {import("../../core-types.js").Core} Core */
/** @typedef {import("../../core-types.js").InferenceStudy} InferenceStudy */
/** @typedef {"plan" | "others" | "curve" | "what_if"} Part */

/**
 * What the worker runs; it is sent there as text, so it uses nothing from outside. A question with
 * the `id` of a catalog model is about one sequence by every program; one without a shape only ends
 * the one before it.
 * @param {Core} core
 * @param {MessagePort} port
 */
function serveSearches(core, port) {
  let waiting = /** @type {{ round: number, shape: object | null, options: object } | null} */ (null);
  let programs = /** @type {{ round: number, id: string, options: object } | null} */ (null);
  /** @type {{ id: string, study: InferenceStudy } | null} */
  let known = null;
  let working = false;
  // Lets messages in between two steps; a timer would wait some milliseconds each time.
  const breath = new MessageChannel();
  const breathe = () =>
    new Promise((resolve) => {
      breath.port1.onmessage = resolve;
      breath.port2.postMessage(null);
    });
  /** @param {string} id */
  function studyOf(id) {
    if (known?.id === id) return known.study;
    known?.study.delete();
    known = null;
    const built = core.catalog_model(id);
    if (!built.ok) return null;
    known = { id, study: core.study_of_model(built.value) };
    built.value.delete();
    return known.study;
  }
  async function work() {
    working = true;
    while (waiting || programs) {
      if (!waiting && programs) {
        const { round, id, options } = programs;
        programs = null;
        const study = studyOf(id);
        if (study) port.postMessage({ round, part: "programs", value: core.offload_latency(study, options), progress: 1 });
        await breathe();
        continue;
      }
      const { round, shape, options } = /** @type {NonNullable<typeof waiting>} */ (waiting);
      waiting = null;
      if (!shape) continue;
      const started = core.offload_run(shape, options);
      if (!started.ok) {
        port.postMessage({ round, part: "refused", value: started.error, progress: 1 });
        continue;
      }
      const run = started.value;
      let planned = false;
      for (let part = /** @type {string} */ (""); part !== "what_if"; ) {
        part = run.step();
        const value = part === "" ? null : run[/** @type {Part} */ (part)]();
        port.postMessage({ round, part, value, progress: run.progress() });
        if (part === "plan") planned = true;
        await breathe();
        const newer = /** @type {{ shape: object | null } | null} */ (waiting);
        if (newer && (planned || !newer.shape)) break;
      }
      run.delete();
    }
    working = false;
  }
  port.onmessage = ({ data }) => {
    if (data.id) programs = data;
    else waiting = data;
    if (!working) work();
  };
}

/** Of the whole visit: the tab is built anew with each language. @type {MessagePort | null} */
let thread = null;
let rounds = 0;
let beside = true;

/**
 * @typedef {object} Answer
 * @property {number} round of the question, ascending
 * @property {boolean} latest no newer question has been asked
 * @property {"" | Part | "refused" | "programs"} part refused: no search was started
 * @property {any} value
 * @property {number} progress 0 to 1
 */

/**
 * @param {Core} core used where no worker starts
 * @param {(answer: Answer) => void} onAnswer
 */
export function searches(core, onAnswer) {
  let last = { round: 0, shape: /** @type {object | null} */ (null), options: {} };
  /** @param {MessagePort} port */
  const listen = (port) => {
    thread = port;
    port.onmessage = ({ data }) => onAnswer({ ...data, latest: data.round === last.round });
  };
  const here = () => {
    beside = false;
    const { port1, port2 } = new MessageChannel();
    serveSearches(core, port2);
    listen(port1);
    if (last.shape) port1.postMessage(last);
  };
  listen(thread ?? startWorker(serveSearches, here));
  return {
    /** Whether a worker does it. */
    beside: () => beside,
    /** @param {object} shape @param {object} options @returns {number} its round */
    ask(shape, options) {
      last = { round: (rounds += 1), shape, options };
      thread?.postMessage(last);
      return last.round;
    },
    /** One sequence by every program. @param {string} id of a catalog model @param {object} options */
    askPrograms(id, options) {
      thread?.postMessage({ round: last.round, id, options });
    },
    /** Nothing of what was asked is wanted any more. */
    cancel() {
      last = { round: (rounds += 1), shape: null, options: {} };
      thread?.postMessage(last);
    },
  };
}
