/**
 * Choosing the machine all tabs share: its devices, each with a number and what is held back, main
 * memory, disk, link and system. Every change counts at once.
 */

import { dialog } from "../components/dialog.js";
import { numberField } from "../components/number-field.js";
import { searchList } from "../components/search-list.js";
import { coreErrorSentence } from "../core-error.js";
import { deviceInputs } from "../current-machine.js";
import { fill, h, icons } from "../dom.js";
import { plain, soldGb } from "../format.js";
import { ownMachine } from "./own-machine.js";
import { capacitySentence, deviceTitle, withRate } from "./words.js";

/** @typedef {import("../i18n.js").Translate} Translate */
/** @typedef {import("../core-types.js").HardwareDevice} HardwareDevice */
/** @typedef {import("../current-machine.js").DeviceInputs} DeviceInputs */

/** Fields of the core and the inputs they come from. @type {Record<string, string>} */
const INPUT_OF = {
  count: "count",
  memory_gib: "memory",
  usable_gib: "usable",
  reserve_gib: "reserve",
  total_mib: "total",
  bandwidth_gb_s: "bandwidth",
  ram_gib: "ram",
  storage_free_gb: "storageFree",
};

/**
 * @param {object} options
 * @param {Translate} options.t
 * @param {import("../core-types.js").Core} options.core
 * @param {import("../current-machine.js").MachineStore} options.machine
 * @param {AbortSignal} options.signal
 */
export function machinePicker({ t, core, machine, signal }) {
  const choices = core.hardware_choices();
  /** Number fields by the id of their input. @type {Map<string, import("../components/number-field.js").NumberField>} */
  const fields = new Map();
  let adding = false;

  /**
   * In place of what was there, or beside it.
   * @param {DeviceInputs} device
   */
  function take(device) {
    const { devices } = machine.get();
    machine.change({ devices: adding ? [...devices, device] : [device] });
    search.set("");
    if (adding || device.id === "custom") build();
    else picker.close();
  }

  const search = searchList({
    t,
    id: "machine",
    label: t("machine.search"),
    placeholder: t("machine.search_placeholder"),
    hint: t("machine.search_hint"),
    quiet: true,
    value: "",
    search: (query, limit) => core.hardware_search(query, limit),
    nameOf: (/** @type {HardwareDevice} */ { name }) => name,
    row: (device, query) => {
      const count = core.hardware_count_in(query);
      return [
        h("span", { class: "picker-name" }, count > 1 ? `${count} × ` : "", deviceTitle(device)),
        h("span", { class: "picker-size" }, `${plain(device.bandwidth_gb_s)}\u00a0GB/s`),
        h("span", { class: "picker-from" }, device.vendor),
        device.confidence === "low" && h("span", { class: "unverified" }, t("model.unverified")),
      ];
    },
    none: (query) => [
      h("p", {}, t("machine.search_none")),
      h(
        "button",
        {
          type: "button",
          class: "button-line",
          id: "machine-own-size",
          on: {
            pointerdown: (/** @type {PointerEvent} */ event) => event.preventDefault(),
            click() {
              take(deviceInputs({ id: "custom", name: query.trim() }));
              document.getElementById(`machine-${machine.get().devices.length - 1}-total`)?.focus();
            },
          },
        },
        t("machine.own_size", { x: query.trim() }),
      ),
    ],
    onChoose: (device, query) =>
      take(deviceInputs({ id: device.id, count: String(core.hardware_count_in(query)) })),
  });

  const guess = h("div", { class: "machine-guess" });
  const list = h("div", { class: "stack" });
  const system = h("div", { class: "machine-system" });
  const picker = dialog({
    t,
    id: "machine-picker",
    title: t("bar.machine_title"),
    class: "drawer",
    content: [guess, search.element, list, h("h3", {}, t("machine.rest")), system],
  });

  /**
   * @param {string} key of the input; the id is "machine-<key>"
   * @param {string} label
   * @param {string} unit
   * @param {string} value
   * @param {(text: string) => void} onInput
   * @param {{ hint?: string, placeholder?: string }} [more]
   */
  function number(key, label, unit, value, onInput, { hint = "", placeholder } = {}) {
    const id = `machine-${key}`;
    const field = numberField({
      id,
      label: [h("label", { for: id }, label)],
      name: label,
      unit,
      hint,
      placeholder,
      value,
      onInput(text) {
        onInput(text);
        show();
      },
      onSettled: show,
    });
    fields.set(key, field);
    return field.element;
  }
  /**
   * @param {string} key
   * @param {string} label
   * @param {string} value
   * @param {{ value: string, label: string }[]} options
   * @param {(value: string) => void} onChange
   */
  function select(key, label, value, options, onChange) {
    const id = `machine-${key}`;
    const element = h(
      "select",
      { id, on: { change: () => onChange(element.value) } },
      options.map((option) => h("option", { value: option.value }, option.label)),
    );
    element.value = value;
    return h("div", { class: "field" }, h("label", { class: "label", for: id }, label), element);
  }
  const rows = (/** @type {HardwareDevice[]} */ devices) => devices.map((device) => ({ value: device.id, label: withRate(device) }));

  /**
   * @param {DeviceInputs} inputs
   * @param {number} at
   */
  function deviceCard(inputs, at) {
    const known = inputs.id === "custom" ? null : core.hardware_device(inputs.id);
    const title = known ? deviceTitle(known) : inputs.name || t("machine.own");
    /** @param {keyof DeviceInputs} field */
    const set = (field) => (/** @type {string} */ text) => machine.changeDevice(at, { [field]: text });
    const screen = h("input", { type: "checkbox", id: `machine-${at}-desktop`, on: { change: () => set("desktop")(screen.checked ? "1" : "") } });
    screen.checked = inputs.desktop === "1";
    const more = h("details", { class: "advanced" }, h("summary", {}, t("machine.more")));
    more.open = inputs.usable !== "" || inputs.reserve !== "" || inputs.desktop !== "";
    more.append(
      h("label", { class: "check" }, screen, h("span", {}, t("machine.desktop"))),
      h(
        "div",
        { class: "pair" },
        number(`${at}-reserve`, t("machine.reserve"), "GiB", inputs.reserve, set("reserve"), { placeholder: "0", hint: t("machine.reserve_hint") }),
        number(`${at}-usable`, t("machine.measured"), "GiB", inputs.usable, set("usable"), { placeholder: t("machine.auto"), hint: t("machine.measured_hint") }),
      ),
    );
    return h(
      "div",
      { class: "machine-device", role: "group", "aria-label": title },
      h(
        "div",
        { class: "row row-apart" },
        h("h3", {}, title, known?.confidence === "low" && h("span", { class: "unverified" }, t("model.unverified"))),
        h("button", { type: "button", class: "link", id: `machine-${at}-remove`, "aria-label": t("machine.remove_one", { x: title }), on: { click: () => leave(machine.get().devices.filter((_device, index) => index !== at)) } }, t("machine.remove")),
      ),
      h(
        "div",
        { class: "pair" },
        number(`${at}-count`, t("machine.count"), t("machine.count_unit"), inputs.count, set("count")),
        known &&
          known.memory_options_gib.length > 1 &&
          select(
            `${at}-memory`,
            t("machine.memory"),
            inputs.memory || soldGb(known.memory),
            known.memory_options_gib.map((size) => ({ value: String(size), label: `${size}\u00a0GB` })),
            (value) => {
              set("memory")(value);
              show();
            },
          ),
        !known && number(`${at}-total`, t("machine.total"), "MiB", inputs.total, set("total"), { placeholder: "24564", hint: t("machine.total_hint") }),
      ),
      !known && number(`${at}-bandwidth`, t("machine.bandwidth"), "GB/s", inputs.bandwidth, set("bandwidth"), { hint: t("machine.bandwidth_hint") }),
      h("p", { class: "note machine-capacity", id: `machine-${at}-capacity` }),
      more,
    );
  }
  /** The button that was pressed is gone with them. @param {DeviceInputs[]} devices what is left */
  function leave(devices) {
    machine.change({ devices });
    build();
    search.input.focus();
  }

  function build() {
    fields.clear();
    const inputs = machine.get();
    const several = inputs.devices.length > 0;
    fill(
      list,
      several ? inputs.devices.map(deviceCard) : h("p", { class: "note" }, t("machine.no_gpu_note")),
      several &&
        h(
          "div",
          { class: "row" },
          h(
            "button",
            {
              type: "button",
              class: "button-line",
              id: "machine-add",
              on: {
                click() {
                  adding = true;
                  search.input.focus();
                },
              },
            },
            t("machine.add"),
          ),
          h("button", { type: "button", class: "button-line", id: "machine-none", on: { click: () => leave([]) } }, t("machine.without")),
        ),
    );
    const unknown = { value: "", label: t("machine.unknown") };
    fill(
      system,
      number("ram", "RAM", "GiB", inputs.ram, (ram) => machine.change({ ram })),
      select("ramClass", t("machine.ram_class"), inputs.ramClass, [unknown, ...rows(choices.ram)], (ramClass) => machine.change({ ramClass })),
      select("storage", t("machine.storage"), inputs.storage, [unknown, ...rows(choices.storage)], (storage) => machine.change({ storage })),
      number("storageFree", t("machine.storage_free"), "GB", inputs.storageFree, (storageFree) => machine.change({ storageFree }), { placeholder: t("machine.unknown") }),
      select("link", t("machine.link"), inputs.link, [{ value: "", label: t("machine.link_own") }, ...rows(choices.link)], (link) => machine.change({ link })),
      select(
        "os",
        t("machine.os"),
        inputs.os,
        [{ value: "", label: t("machine.auto") }, ...["linux", "windows", "macos"].map((os) => ({ value: os, label: t(/** @type {any} */ (`os.${os}`)) }))],
        (os) => {
          machine.change({ os });
          show();
        },
      ),
      select(
        "macos",
        "macOS",
        inputs.macos,
        [
          { value: "26", label: t("machine.macos_new") },
          { value: "15", label: t("machine.macos_old") },
        ],
        (macos) => machine.change({ macos }),
      ),
    );
    show();
  }

  /** Capacities and errors, without touching the fields. */
  function show() {
    for (const field of fields.values()) field.showError("");
    const summary = machine.summary();
    if (!summary.ok) {
      const [, at, name] = /^devices\.(\d+)\.(\w+)$/.exec(summary.error.field) ?? [];
      const key = at === undefined ? INPUT_OF[summary.error.field] : `${at}-${INPUT_OF[name]}`;
      const sentence = coreErrorSentence(t, summary.error);
      const field = fields.get(key);
      if (field) field.showError(sentence);
      else if (at !== undefined) fill(/** @type {Element} */ (document.getElementById(`machine-${at}-capacity`)), icons.error(), ` ${sentence}`);
      return;
    }
    const { devices, shares_memory, os } = summary.value;
    devices.forEach(({ capacity }, at) => {
      const line = list.querySelector(`#machine-${at}-capacity`);
      if (line) fill(line, capacity.ok ? capacitySentence(capacity.value, t) : coreErrorSentence(t, capacity.error));
    });
    const hide = (/** @type {string} */ key, /** @type {boolean} */ hidden) => {
      const part = /** @type {HTMLElement | null | undefined} */ (system.querySelector(`#machine-${key}`)?.closest(".field"));
      if (part) part.hidden = hidden;
    };
    hide("ram", shares_memory);
    hide("ramClass", shares_memory);
    hide("macos", os !== "macos");
  }

  async function offerOwn() {
    const own = await ownMachine(core);
    if (signal.aborted) return;
    fill(
      guess,
      own.devices.length > 0 && h("p", { class: "note" }, t("machine.guess")),
      h(
        "div",
        { class: "row" },
        own.devices.map((device) =>
          h(
            "button",
            {
              type: "button",
              class: "button-line",
              on: {
                click() {
                  machine.change({ os: own.os === "macos" ? "" : own.os, ...(own.ram ? { ram: own.ram } : {}) });
                  adding = false;
                  take(deviceInputs({ id: device.id, desktop: "1" }));
                },
              },
            },
            deviceTitle(device),
          ),
        ),
      ),
    );
  }

  let offered = false;
  return {
    element: picker.element,
    open() {
      adding = false;
      build();
      picker.open();
      search.input.focus();
      if (!offered) offerOwn();
      offered = true;
    },
  };
}
