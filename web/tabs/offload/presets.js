/** Known cases of the core as inputs of this tab and of the machine. Choosing one sets everything. */

import { deviceInputs, machineDefaults } from "../../current-machine.js";
import { coreSentence } from "../../i18n.js";
import { offloadDefaults } from "./inputs.js";

/** @typedef {import("../../core-types.js").OffloadCase} OffloadCase */

const typed = (/** @type {number} */ value) => (value > 0 ? String(value) : "");

/** @param {OffloadCase} known @returns {import("../../current-machine.js").MachineInputs} */
export const caseMachine = (known) => ({
  ...machineDefaults(),
  devices: [deviceInputs({ id: known.device, count: String(known.n_devices) })],
  os: "linux",
  ram: typed(known.ram_gib),
  ramClass: known.ram_class,
  storage: known.storage,
  storageFree: typed(known.storage_free_gb),
});

/** @param {OffloadCase} known @returns {import("./inputs.js").OffloadInputs} */
export const caseInputs = (known) => ({ ...offloadDefaults, ob: typed(known.block), oc: known.compress ? "1" : "", oz: known.percent, on: known.pin ? "" : "0" });

/** What is worth knowing of it. @param {OffloadCase} known @param {import("../../i18n.js").Translate} t */
export const caseNote = (known, t) => coreSentence(t, "off", `case_${known.id}`, {}, t(`off.group_${known.group}`));
