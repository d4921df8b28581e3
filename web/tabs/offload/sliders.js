/** Capacities of the machine as sliders over sizes that are sold; they move what all tabs share. */

import { fill, h, icons } from "../../dom.js";
import { soldGb, typedNumber } from "../../format.js";

const GPU_GIB = [4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 141, 192];
const RAM_GIB = [16, 32, 48, 64, 96, 128, 192, 208, 256, 384, 512, 768, 1024, 1536, 2048];
const DISK_GB = [100, 250, 500, 1000, 1500, 2000, 4000, 8000];

/**
 * @param {object} options
 * @param {import("../../i18n.js").Translate} options.t
 * @param {import("../../current-machine.js").MachineStore} options.machine
 */
export function capacitySliders({ t, machine }) {
  /**
   * @param {string} id
   * @param {string} field of the core that it sets
   * @param {import("../../i18n.js").MessageId} label
   * @param {string} unit
   * @param {number[]} steps
   * @param {() => { typed: string, standing: number }} read as typed, and in its place what is meant
   * @param {(text: string) => void} write
   */
  function slider(id, field, label, unit, steps, read, write) {
    const words = h("span", { "aria-hidden": "true" }); // said by the slider itself
    const input = h("input", { type: "range", id, min: 0, max: steps.length - 1, step: 1, on: { input: () => write(String(steps[Number(input.value)])) } });
    const error = h("p", { class: "error-line", id: `${id}-error`, hidden: true });
    const element = h("div", { class: "field" }, h("div", { class: "row row-apart" }, h("label", { class: "label", for: id }, t(label)), words), input, error);
    return {
      element,
      /** @param {string} wrong @param {string} sentence */
      showError(wrong, sentence) {
        error.hidden = wrong !== field;
        fill(error, wrong === field && icons.error(), wrong === field && h("span", {}, sentence));
      },
      refresh() {
        const { typed, standing } = read();
        const size = typed === "" ? standing : typedNumber(typed);
        const known = Number.isFinite(size) && size > 0;
        const nearest = known ? steps.reduce((best, step, at) => (Math.abs(step - size) < Math.abs(steps[best] - size) ? at : best), 0) : 0;
        input.value = String(nearest);
        const said = known ? `${typed === "" ? size : typed}\u00a0${unit}` : "–";
        input.setAttribute("aria-valuetext", said);
        fill(words, said);
      },
    };
  }
  /** What stands in place of a size that nobody typed, as the core understands the machine. */
  const standing = {
    gpu() {
      const summary = machine.summary();
      const capacity = summary.ok ? summary.value.devices[0]?.capacity : undefined;
      return capacity?.ok ? typedNumber(soldGb(capacity.value.usable.bytes)) : NaN;
    },
    disk: () => (machine.get().storage ? assumedDisk : NaN),
  };
  /** GB, of the last plan. */
  let assumedDisk = NaN;
  const all = [
    slider("off-gpu", "machine.devices.0.usable_gib", "off.gpu", "GiB", GPU_GIB, () => ({ typed: machine.get().devices[0]?.usable ?? "", standing: standing.gpu() }), (usable) => machine.get().devices.length > 0 && machine.changeDevice(0, { usable })),
    slider("off-ram", "machine.ram_gib", "off.ram", "GB", RAM_GIB, () => ({ typed: machine.get().ram, standing: NaN }), (ram) => machine.change({ ram })),
    slider("off-disk", "machine.storage_free_gb", "off.disk", "GB", DISK_GB, () => ({ typed: machine.get().storageFree, standing: standing.disk() }), (storageFree) => machine.change({ storageFree, storage: machine.get().storage || "nvme-pcie4-x4" })),
  ];
  const refresh = () => all.forEach((one) => one.refresh());
  return {
    elements: all.map(({ element }) => element),
    refresh,
    /** Beside the slider of that field; no field: nowhere. @param {string} field @param {string} sentence */
    showError: (field, sentence) => all.forEach((one) => one.showError(field, sentence)),
    /** @param {import("../../core-types.js").OffloadTier[]} tiers of a plan */
    know([, , disk]) {
      assumedDisk = disk.capacity / 1e9;
      refresh();
    },
  };
}
