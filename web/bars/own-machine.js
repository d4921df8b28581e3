/**
 * What the browser tells about the visitor's own machine, as a guess to confirm. Everything stays
 * here: nothing is sent.
 */

/** @typedef {import("../core-types.js").HardwareDevice} HardwareDevice */

/**
 * @typedef {object} OwnMachine
 * @property {HardwareDevice[]} devices several where one name is sold with several sizes
 * @property {string} os of the core; empty: unknown
 * @property {string} ram GiB; empty: unknown
 */

/** The name that the graphics driver gives, with the parts that WebGPU and WebGL each tell. */
async function graphicsText() {
  const gpu = /** @type {any} */ (navigator).gpu;
  const adapter = await gpu?.requestAdapter?.().catch(() => null);
  const { vendor = "", device = "", description = "" } = adapter?.info ?? {};
  const context = document.createElement("canvas").getContext("webgl");
  const names = context?.getExtension("WEBGL_debug_renderer_info");
  const renderer = names ? String(context?.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return [vendor, device, description, renderer].join(" ");
}

function systemName() {
  const platform = /** @type {any} */ (navigator).userAgentData?.platform ?? navigator.platform;
  if (/mac/i.test(platform)) return "macos";
  if (/win/i.test(platform)) return "windows";
  return /linux/i.test(platform) ? "linux" : "";
}

/**
 * @param {import("../core-types.js").Core} core
 * @returns {Promise<OwnMachine>}
 */
export async function ownMachine(core) {
  // Browsers say "8" for 8 GiB and more.
  const { deviceMemory = 8 } = /** @type {any} */ (navigator);
  const ram = deviceMemory < 8 ? String(deviceMemory) : "";
  return { devices: core.hardware_named_in(await graphicsText()), os: systemName(), ram };
}
