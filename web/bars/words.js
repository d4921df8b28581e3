/** How devices and machines are called. */

import { gib, gibParts, gb, plain, soldGb, whole } from "../format.js";
import { coreSentence } from "../i18n.js";

/** @typedef {import("../i18n.js").Translate} Translate */
/** @typedef {import("../core-types.js").HardwareDevice} HardwareDevice */
/** @typedef {import("../core-types.js").MachineSummary} MachineSummary */

/**
 * "RTX 4090 24 GB": with its size, unless the name says it.
 * @param {HardwareDevice} device
 * @param {number} [memory] bytes as sold, of one with several sizes
 */
export function deviceTitle({ name, memory: largest }, memory = largest) {
  const short = name.replace(/^GeForce /, "").replace(/(\d)GB\b/, "$1\u00a0GB");
  return memory > 0 && !/\dGB|\d\u00a0GB/.test(short) ? `${short} ${soldGb(memory)}\u00a0GB` : short;
}

/** @param {MachineSummary} machine @param {Translate} t */
export function machineTitle({ devices }, t) {
  if (devices.length === 0) return t("machine.no_gpu");
  return devices
    .map(({ device, count, capacity }) => {
      const name = deviceTitle(device, capacity.ok ? capacity.value.sold : undefined);
      return count > 1 ? `${whole(count)} × ${name}` : name;
    })
    .join(t("machine.and"));
}

/** "使える 15.50 GiB・RAM 32 GB・SSD 1.5 TB". @param {MachineSummary} machine @param {Translate} t */
export function machineDetail(machine, t) {
  const usable = machine.devices.map(({ count, capacity }) => {
    const size = capacity.ok ? gibParts(capacity.value.usable.bytes).value : "–";
    return count > 1 ? `${whole(count)} × ${size}` : size;
  });
  const ram = `RAM ${soldGb(machine.ram)}\u00a0GB`;
  return [
    usable.length > 0 && t("machine.usable", { x: `${usable.join(" + ")}\u00a0GiB` }),
    machine.shares_memory ? t("machine.shared") : machine.ram > 0 ? ram : t("machine.ram_unknown"),
    machine.storage_free > 0 && `SSD ${gb(machine.storage_free)}`,
  ]
    .filter(Boolean)
    .join(t("machine.gap"));
}

/**
 * Why a "24 GB" card shows less, in one sentence.
 * @param {import("../core-types.js").UsableCapacity} capacity
 * @param {Translate} t
 */
export function capacitySentence({ sold, reported, usable, reason }, t) {
  const range = usable.low === usable.high ? "" : t("machine.range", { a: gibParts(usable.low).value, b: gibParts(usable.high).value });
  const why = coreSentence(t, "capacity", reason, { x: soldGb(sold), y: gib(reported), z: `${whole(reported / 1024 ** 2)}\u00a0MiB` }, "");
  return `${t("machine.usable", { x: gib(usable.bytes) })}${range}${t("machine.stop")}${why}`;
}

/** "DDR5-5600 dual channel, 89.6 GB/s". @param {HardwareDevice} device */
export const withRate = ({ name, bandwidth_gb_s }) => `${name}, ${plain(bandwidth_gb_s)}\u00a0GB/s`;
