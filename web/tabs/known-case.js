/** A known case sets inputs, model and machine; what the visitor had comes back when it is left. */

/**
 * @param {object} options
 * @param {Record<string, any>} options.inputs of the tab
 * @param {import("../state.js").State} options.state
 * @param {import("../current-model.js").ModelStore} options.models
 * @param {import("../context.js").Context["machine"]} options.machine
 */
export function knownCase({ inputs, state, models, machine }) {
  /** @type {{ inputs: Record<string, any>, machine: any, model: string } | null} */
  let mine = null;
  return {
    /**
     * @param {Record<string, any>} values
     * @param {string} model
     * @param {Partial<import("../current-machine.js").MachineInputs>} parts
     */
    show(values, model, parts) {
      mine ??= { inputs: { ...inputs }, machine: structuredClone(machine.get()), model: state.model };
      Object.assign(inputs, values);
      state.model = model;
      models.choose(model);
      machine.change(parts);
    },
    /** False when no case was shown. */
    leave() {
      if (mine === null) return false;
      const before = mine;
      mine = null;
      Object.assign(inputs, before.inputs);
      state.model = before.model;
      models.choose(before.model);
      machine.change(before.machine);
      return true;
    },
  };
}
