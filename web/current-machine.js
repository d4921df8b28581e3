/**
 * The machine that every tab calculates with. What people choose and type is kept as text, in the
 * state and in the address; `question()` hands it to the core, `summary()` is how the core
 * understood it. A tab reads and subscribes:
 *
 *     const options = { ...mine, machine: machine.question() };
 *     machine.subscribe(() => update(), signal);
 *
 * A question with a machine that the core refuses gets an error whose field begins with
 * "machine."; the machine bar says it in words, the tab marks its answer as stale.
 */

import { decoded } from "./decoded.js";
import { optionalNumber } from "./format.js";
import { knownOverheads } from "./overhead.js";

/** @typedef {import("./core-types.js").Core} Core */
/** @typedef {import("./core-types.js").MachineOptions} MachineOptions */
/** @typedef {import("./core-types.js").MachineSummary} MachineSummary */

/**
 * One kind of device, `count` times. Everything as typed; empty: the core's default.
 * @typedef {object} DeviceInputs
 * @property {string} id of the hardware catalog, or "custom"
 * @property {string} count
 * @property {string} memory GiB, of devices that are sold with several sizes
 * @property {string} usable GiB, in place of the core's estimate
 * @property {string} reserve GiB held back for other programs
 * @property {string} desktop "1": it drives a screen
 * @property {string} name of a custom device
 * @property {string} total MiB of a custom device
 * @property {string} bandwidth GB/s of a custom device
 */

/**
 * @typedef {object} MachineInputs
 * @property {DeviceInputs[]} devices in the runtimes' order; empty: no GPU
 * @property {string} os linux, windows, macos; empty: what is usual for the devices
 * @property {string} macos 26, 15
 * @property {string} ram GiB
 * @property {string} ramClass id of the hardware catalog; empty: unknown
 * @property {string} storage the same
 * @property {string} storageFree GB
 * @property {string} link the same; empty: the one of the device
 */

/** @type {Readonly<DeviceInputs>} */
const plainDevice = {
  id: "",
  count: "1",
  memory: "",
  usable: "",
  reserve: "",
  desktop: "",
  name: "",
  total: "",
  bandwidth: "",
};

/** @param {Partial<DeviceInputs>} fields @returns {DeviceInputs} */
export const deviceInputs = (fields) => ({ ...plainDevice, ...fields });

/** The worked example of a first visit. @returns {MachineInputs} */
export const machineDefaults = () => ({
  devices: [deviceInputs({ id: "rtx-4060-ti-16gb" })],
  os: "",
  macos: "26",
  ram: "32",
  ramClass: "ddr5-5600-dual",
  storage: "nvme-pcie4-x4",
  storageFree: "",
  link: "",
});

// --- the address: g=rtx-4090*2~r1,rtx-3060-12gb~d1;ram=64 -------------------------------------

/** Marks of a device's fields in the address. @type {Record<string, keyof DeviceInputs>} */
const DEVICE_MARKS = { m: "memory", u: "usable", r: "reserve", d: "desktop", n: "name", t: "total", b: "bandwidth" };

/** @type {Record<string, Exclude<keyof MachineInputs, "devices">>} */
const MACHINE_KEYS = { ram: "ram", os: "os", mac: "macos", rc: "ramClass", sd: "storage", sf: "storageFree", pl: "link" };
/** Of links before version 0.6, about the first device: number, usable GiB, desktop. */
const OLD_KEYS = ["ng", "gu", "dt"];

/** @param {string} key */
export const isMachineKey = (key) => key === "g" || Object.hasOwn(MACHINE_KEYS, key) || OLD_KEYS.includes(key);

const escapePart = (/** @type {string} */ text) =>
  text.replace(/[%~*,]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);

/** @param {DeviceInputs} device */
function deviceText(device) {
  const count = device.count === "1" ? "" : `*${escapePart(device.count)}`;
  const fields = Object.entries(DEVICE_MARKS)
    .filter(([, field]) => device[field] !== "")
    .map(([mark, field]) => `~${mark}${escapePart(device[field])}`);
  return device.id + count + fields.join("");
}

/** @param {string} text */
function deviceOf(text) {
  const [head, ...fields] = text.split("~");
  const [id, count = "1"] = head.split("*");
  const device = deviceInputs({ id, count: decoded(count) });
  for (const field of fields) {
    const name = DEVICE_MARKS[field[0]];
    if (name) device[name] = decoded(field.slice(1));
  }
  return device;
}

const devicesText = (/** @type {DeviceInputs[]} */ devices) =>
  devices.length === 0 ? "none" : devices.map(deviceText).join(",");

/**
 * @param {MachineInputs} inputs
 * @returns {[string, string][]} what the address must hold: all that is not the default
 */
export function machineParts(inputs) {
  const defaults = machineDefaults();
  /** @type {[string, string][]} */
  const parts = [];
  const devices = devicesText(inputs.devices);
  if (devices !== devicesText(defaults.devices)) parts.push(["g", devices]);
  for (const [key, field] of Object.entries(MACHINE_KEYS)) {
    if (inputs[field] !== defaults[field]) parts.push([key, inputs[field]]);
  }
  return parts;
}

/**
 * @param {Map<string, string>} parts of the address
 * @returns {MachineInputs}
 */
export function machineFromParts(parts) {
  const inputs = machineDefaults();
  const devices = parts.get("g");
  if (devices !== undefined) {
    inputs.devices = devices.split(",").map(deviceOf).filter(({ id }) => id !== "" && id !== "none");
  }
  for (const [key, field] of Object.entries(MACHINE_KEYS)) inputs[field] = parts.get(key) ?? inputs[field];
  const [first] = inputs.devices;
  if (first) {
    first.count = parts.get("ng") ?? first.count;
    first.usable = parts.get("gu") ?? first.usable;
    first.desktop = parts.get("dt") ?? first.desktop;
  }
  return inputs;
}

// --- the store ----------------------------------------------------------------------------------

/**
 * @param {MachineInputs} inputs
 * @returns {MachineOptions}
 */
function options(inputs) {
  const overheads = knownOverheads();
  return {
    devices: inputs.devices.map((device) => ({
      id: device.id,
      overhead_bytes: overheads[device.id] ?? null,
      count: optionalNumber(device.count),
      memory_gib: optionalNumber(device.memory),
      usable_gib: optionalNumber(device.usable),
      reserve_gib: optionalNumber(device.reserve),
      desktop: device.desktop === "1",
      name: device.name,
      total_mib: optionalNumber(device.total),
      bandwidth_gb_s: optionalNumber(device.bandwidth),
    })),
    os: /** @type {MachineOptions["os"]} */ (inputs.os || null),
    macos: /** @type {MachineOptions["macos"]} */ (inputs.macos || null),
    ram_gib: optionalNumber(inputs.ram),
    ram_class: inputs.ramClass,
    storage: inputs.storage,
    storage_free_gb: optionalNumber(inputs.storageFree),
    link: inputs.link,
  };
}

/**
 * @param {Core} core
 * @param {MachineInputs} inputs part of the page's state; changed in place
 */
export function machineStore(core, inputs) {
  /** @type {Set<() => void>} */
  const listeners = new Set();
  /** @type {ReturnType<Core["machine_summary"]> | null} */
  let summary = null;
  const notify = () => {
    summary = null;
    for (const listener of [...listeners]) listener();
  };
  return {
    /** As chosen and typed; use change() to change it. @returns {Readonly<MachineInputs>} */
    get: () => inputs,
    /** What estimates of the core take as `machine`. */
    question: () => options(inputs),
    /** The machine as the core understood it, or what is wrong with it (field: "devices.0.count"). */
    summary: () => (summary ??= core.machine_summary(options(inputs))),
    /** @param {Partial<MachineInputs>} fields */
    change(fields) {
      Object.assign(inputs, fields);
      notify();
    },
    /**
     * @param {number} at which device
     * @param {Partial<DeviceInputs>} fields
     */
    changeDevice(at, fields) {
      Object.assign(inputs.devices[at], fields);
      notify();
    },
    /**
     * @param {() => void} listener called after each change
     * @param {AbortSignal} signal ends it
     */
    subscribe(listener, signal) {
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener));
    },
  };
}

/** @typedef {ReturnType<typeof machineStore>} MachineStore */
