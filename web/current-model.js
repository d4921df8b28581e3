/**
 * The model that every tab calculates with. One from the catalog is in the address (m=); one from
 * a file or a server is not, and lasts as long as the page.
 */

/** @typedef {import("./core-types.js").Core} Core */
/** @typedef {import("./core-types.js").CatalogEntry} CatalogEntry */
/** @typedef {import("./core-types.js").ModelParameters} ModelParameters */
/** @typedef {import("./sources/open-files.js").Opened} Opened */

/**
 * @typedef {object} CurrentModel
 * @property {import("./core-types.js").Model} model owned by the store: do not delete
 * @property {string} title
 * @property {ModelParameters} parameters
 * @property {CatalogEntry | null} entry of the catalog
 * @property {Opened | null} opened from files
 * @property {string} host that the headers came from; empty for files and the catalog
 */

/**
 * @param {Core} core
 * @param {string} id
 * @returns {CurrentModel | null} null: not in the catalog
 */
export function catalogModel(core, id) {
  const entry = core.catalog_entry(id);
  if (!entry) return null;
  const built = core.catalog_model(entry.id);
  if (!built.ok) return null;
  const counted = core.catalog_parameters(entry.id);
  const parameters = counted.ok ? counted.value : built.value.summary().parameters;
  return { model: built.value, title: entry.name, parameters, entry, opened: null, host: "" };
}

/** The worked example of a first visit. */
export const EXAMPLE_MODEL = "meta-llama/Llama-3.1-8B";

/**
 *     const { model, title } = models.shown();
 *     models.subscribe(() => start(models.shown()), signal);
 *
 * @param {Core} core
 */
export function modelStore(core) {
  /** @type {CurrentModel | null} */
  let current = null;
  /** @type {CurrentModel | null} */
  let example = null;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  const notify = () => {
    for (const listener of [...listeners]) listener();
  };
  /** @param {CurrentModel | null} next */
  const replace = (next) => {
    if (next === current) return;
    current?.model.delete();
    current = next;
  };
  return {
    get: () => current,
    /** The current one, or the worked example while there is none. @returns {CurrentModel} */
    shown() {
      example ??= current ? null : catalogModel(core, EXAMPLE_MODEL);
      return /** @type {CurrentModel} */ (current ?? example);
    },
    /**
     * @param {Opened} opened
     * @param {string} host
     */
    useOpened(opened, host) {
      const parameters = opened.checkpoint?.parameters ?? opened.model.summary().parameters;
      replace({ model: opened.model, title: opened.title, parameters, entry: null, opened, host });
      notify();
    },
    /** @param {string} id of the catalog; empty: none, so the example is shown */
    choose(id) {
      const found = id === "" ? null : catalogModel(core, id);
      if (id !== "" && !found) return;
      replace(found);
      notify();
    },
    /**
     * @param {() => void} listener called when another model is chosen or opened
     * @param {AbortSignal} signal ends it
     */
    subscribe(listener, signal) {
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener));
    },
    /**
     * Makes the current model the one of the address, before anybody reads it. Without one there, a
     * file stays.
     * @param {string} id of the catalog; empty: none
     * @returns {boolean} false: the catalog has no such model
     */
    follow(id) {
      if (id === "") {
        if (current?.entry) replace(null);
        return true;
      }
      if (current?.entry?.id.toLowerCase() === id.toLowerCase()) return true;
      const found = catalogModel(core, id);
      replace(found);
      return found !== null;
    },
    /** Gives back what it made, once nobody asks it any more. */
    end() {
      replace(null);
      example?.model.delete();
    },
  };
}

/** @typedef {ReturnType<typeof modelStore>} ModelStore */
