/**
 * The inputs of the tab 推論: what they are called in the address, what they are before anybody
 * touches them, and how they are handed to the core. Everything is kept as text, as typed.
 */

import { optionalNumber, typedNumber } from "../../format.js";

/**
 * w quantization, wf weight format of server runtimes (empty: like w), c context, u users,
 * k and v types of the KV cache (v empty: like k), kt KV type of server runtimes (empty: like k),
 * lf format of Transformers and ExLlama (empty: like w), pr prompt, la attention and lc cache of
 * Transformers; r runtime; mp size of a projector file (mpc on the CPU), lr rank of LoRA adapters,
 * ln how many, lt their matrices; dr draft model, dq its quantization, nd tokens drafted at once, mt
 * prediction blocks; mf memory fraction of vLLM, eg its --enforce-eager; the rest are flags of
 * llama.cpp (ub and b empty: the program's) and its surroundings (be empty: what suits the machine).
 */
export const inferenceDefaults = Object.freeze({
  w: "Q4_K_M",
  wf: "",
  c: "8192",
  u: "1",
  k: "f16",
  v: "",
  kt: "",
  lf: "",
  pr: "",
  la: "fused",
  lc: "dynamic",
  r: "llama-server",
  ngl: "",
  ts: "",
  ub: "",
  b: "",
  fa: "auto",
  cmoe: "",
  nmoe: "",
  nkvo: "",
  swa: "",
  ot: "",
  nm: "",
  mp: "",
  mpc: "",
  lr: "",
  ln: "1",
  lt: "linear",
  dr: "",
  dq: "Q8_0",
  nd: "16",
  mt: "",
  be: "",
  rel: "v0.5.0",
  mf: "",
  eg: "",
});

/** @typedef {keyof typeof inferenceDefaults} InferenceKey */
/** @typedef {Record<InferenceKey, string>} InferenceInputs */

/** Types of the KV cache in view; the rest would be rows of a list nobody reads. */
export const KV_TYPES = ["f16", "q8_0", "q4_0"];

export const LLAMA_CPP_RUNTIMES = ["llama-server", "llama-cli", "ollama", "lm-studio", "koboldcpp"];
export const SERVER_RUNTIMES = ["vllm", "sglang", "tensorrt-llm"];
export const LIBRARY_RUNTIMES = ["transformers", "exllamav2", "exllamav3"];
/** Runtimes of one family have the same settings. @param {string} runtime */
export const familyOf = (runtime) => (isLlamaCpp(runtime) ? "llama.cpp" : SERVER_RUNTIMES.includes(runtime) ? "server" : runtime);
/** @param {string} runtime */
export const isLibrary = (runtime) => LIBRARY_RUNTIMES.includes(runtime);
/** @param {string} runtime */
export const isLlamaCpp = (runtime) => LLAMA_CPP_RUNTIMES.includes(runtime);

/**
 * The question for llama.cpp and its relatives.
 * @param {InferenceInputs} inputs
 * @param {import("../../core-types.js").MachineOptions} machine
 * @param {string} runtime
 */
export function llamaCppOptions(inputs, machine, runtime) {
  return {
    runtime,
    mix: inputs.w,
    n_ctx: typedNumber(inputs.c),
    users: typedNumber(inputs.u),
    type_k: inputs.k,
    type_v: inputs.v || inputs.k,
    n_gpu_layers: optionalNumber(inputs.ngl),
    tensor_split: inputs.ts.trim(),
    n_ubatch: optionalNumber(inputs.ub),
    n_batch: optionalNumber(inputs.b),
    flash_attention: inputs.fa,
    cpu_moe: inputs.cmoe === "1",
    n_cpu_moe: optionalNumber(inputs.nmoe),
    offload_kv: inputs.nkvo !== "1",
    swa_full: inputs.swa === "1",
    mmap: inputs.nm !== "1",
    overrides: inputs.ot,
    mmproj_mib: optionalNumber(inputs.mp),
    mmproj_on_gpu: inputs.mpc !== "1",
    lora_rank: optionalNumber(inputs.lr),
    n_lora: optionalNumber(inputs.ln),
    lora_targets: inputs.lt,
    draft: inputs.dr,
    draft_mix: inputs.dq,
    n_draft: optionalNumber(inputs.nd),
    mtp: inputs.mt === "1",
    release: inputs.rel,
    backend: inputs.be || null,
    machine,
  };
}

/**
 * The question for vLLM, SGLang and TensorRT-LLM.
 * @param {InferenceInputs} inputs
 * @param {import("../../core-types.js").MachineOptions} machine
 * @param {string} runtime
 * @param {{ format: string, kv_type: string }} like formats near those of llama.cpp
 */
export function servingOptions(inputs, machine, runtime, like) {
  return {
    runtime,
    format: inputs.wf || like.format,
    kv_type: inputs.kt || like.kv_type,
    n_ctx: typedNumber(inputs.c),
    users: typedNumber(inputs.u),
    memory_fraction: optionalNumber(inputs.mf),
    enforce_eager: inputs.eg === "1",
    machine,
  };
}

/**
 * The question for Transformers and ExLlama.
 * @param {InferenceInputs} inputs
 * @param {import("../../core-types.js").MachineOptions} machine
 * @param {string} runtime
 * @param {{ format: string, k_bits: number, v_bits: number }} like what is nearest to llama.cpp's
 */
export function libraryOptions(inputs, machine, runtime, like) {
  return {
    runtime,
    format: (runtime === inputs.r && inputs.lf) || like.format,
    n_ctx: typedNumber(inputs.c),
    users: typedNumber(inputs.u),
    prompt: optionalNumber(inputs.pr),
    attention: inputs.la,
    cache: inputs.lc,
    k_bits: like.k_bits,
    v_bits: like.v_bits,
    machine,
  };
}
