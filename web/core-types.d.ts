/**
 * What the WebAssembly module offers, in the words of the C++ headers it comes from (core/quick).
 * snake_case marks values that belong to the core. scripts/package
 * refuses to build when the names in `Core` and those in wasm/bind_*.cpp differ.
 */

/** A message id, the input it is about, and what to fill into the sentence. */
export interface CoreError {
  code: string;
  field: string;
  detail: string;
}
export type Result<T> = { ok: true; value: T } | { ok: false; error: CoreError };

export type Evidence = "exact" | "derived" | "measured" | "assumed";

export interface FormulaInput {
  name: string;
  value: number;
  unit: string;
}
export interface Formula {
  expression: string;
  inputs: FormulaInput[];
}
/** One line of an answer: how many bytes, where, by which formula, on what evidence. */
export interface Term {
  id: string;
  device: string;
  bytes: number;
  low: number;
  high: number;
  formula: Formula;
  evidence: Evidence;
  source: string;
}

export interface ParameterCount {
  billions: number;
  exact: number | null;
}
export type PrecisionName = "FP32" | "FP16" | "BF16" | "INT8" | "INT4";
export interface Precision {
  name: PrecisionName;
  bits: number;
  bytes: number;
}
export interface WeightSize {
  gib: number;
  gb: number;
  vram: Term;
  ram: Term;
  installed_ram: Term | null;
}
export interface CommonGpu {
  name: string;
  nominal_gb: number;
  memory: number;
}
export interface GpuNeed {
  gpu: CommonGpu;
  by_rule: number;
  by_rule_least: number;
  for_weights: number;
  for_weights_least: number;
}
export interface RuleOfThumb {
  gb: number;
  weights_gb: number;
  term: Term;
  gpus: GpuNeed[];
}

export type SizeBand = "small" | "medium" | "upper_medium" | "large";
export interface SizeOnScale {
  band: SizeBand;
  smallest_fit_gb: number | null;
  largest_not_gb: number | null;
  position: number;
}
export interface SizeScale {
  ticks: { nominal_gb: number; position: number }[];
  bands: { band: SizeBand; begin: number; end: number }[];
}

export type NoteLevel = "recognised" | "doubted" | "missing";
export interface NameNote {
  id: string;
  level: NoteLevel;
  match: string;
  value: string;
}
export interface ModelNameReading {
  name: string;
  total_billions: number | null;
  total_from_table: boolean;
  active_billions: number | null;
  effective_billions: number | null;
  precision: PrecisionName | null;
  quant_label: string;
  quant_bits: number | null;
  context: number | null;
  shard_index: number | null;
  shard_count: number | null;
  notes: NameNote[];
}

/** What is known about the loss of quality; `model` is the one it was measured on. */
export interface Quality {
  message: string;
  measure: "ppl_delta" | "ln_ppl_ratio" | null;
  value: number;
  model: string;
  source: string;
}
/** One weight format of one model; `file_bytes` is 0 outside GGUF. */
export interface FormatRow {
  id: string;
  name: string;
  family: "gguf" | "server";
  bytes: number;
  file_bytes: number;
  bits_per_weight: number;
  relative_to_bf16: number;
  quality: Quality;
  recommendation: string;
  requires_imatrix: boolean;
  n_fallback: number;
  formula: Formula;
  evidence: Evidence;
  source: string;
}
/** Rows ascend in bytes; `refused` are mixes that llama-quantize does not make of this model. */
export interface FormatTable {
  rows: FormatRow[];
  refused: { id: string; error: CoreError }[];
  gguf_names_missing: boolean;
}

/** One published model; figures as published, 0 where nothing is stated. */
export interface CatalogEntry {
  id: string;
  name: string;
  family: string;
  model_type: string;
  params_total: number;
  params_exact: boolean;
  params_active: number;
  checkpoint_total: number;
  has_shape: boolean;
  confidence: "low" | "medium" | "medium_high" | "high";
  sources: string[];
}
/** Counted from derived tensors: `total` with prediction blocks and towers, the rest without. */
export interface ModelParameters {
  total: number;
  language: number;
  active: number;
  embedding: number;
}

/** Bytes of a file: what a reader wants next. */
export interface ByteRange {
  offset: number;
  length: number;
}
/**
 * Pull reader of a file's header: while not finished(), read need() and feed() it, whole or in
 * pieces; feeding nothing says that the source has ended. Every object with delete() wants it called.
 */
export interface FileReader<Header> {
  finished(): boolean;
  need(): ByteRange;
  feed(bytes: Uint8Array): void;
  /** 0 to 1. */
  progress(): number;
  take(): Result<Header>;
  delete(): void;
}
/** Sizes in bytes. `finding` is not fatal: part of the data is missing. */
export interface HeaderSummary {
  n_tensors: number;
  file_size: number;
  header_size: number;
  data_needed: number;
  data_present: number;
  header_only: boolean;
  finding: CoreError | null;
}
export interface GgufSummary extends HeaderSummary {
  version: number;
  architecture: string;
  name: string;
  /** Number of files the model is split into; null when it is not. */
  split_count: number | null;
}
export interface GgufHeader {
  summary(): GgufSummary;
  delete(): void;
}
export interface SafetensorsHeader {
  summary(): HeaderSummary;
  delete(): void;
}
export interface SafetensorsIndex {
  files(): string[];
  delete(): void;
}
export interface ModelSummary {
  name: string;
  architecture: string;
  provenance: "header" | "architecture" | "count";
  n_tensors: number;
  /** All elements stored, rotary factors and the like included. */
  n_params: number;
  /** As publishers count them. */
  parameters: ModelParameters;
  tower_params: number;
  weight_bytes: number;
  n_layer: number;
  n_vocab: number;
  n_embd: number;
  n_ctx_train: number;
  sliding_window: number;
  tied_embeddings: boolean;
  /** No head: it turns texts into vectors. */
  is_encoder: boolean;
  unknowns: string[];
}
export interface ModelLayer {
  kind: string;
  span: "full" | "sliding" | "chunked";
  n_head: number;
  n_head_kv: number;
  head_dim_k: number;
  head_dim_v: number;
  mla: boolean;
  shares_kv: boolean;
  n_ff: number;
  n_expert: number;
  n_expert_used: number;
  n_ff_exp: number;
  n_ff_shexp: number;
  is_mtp: boolean;
}
export interface ModelTensor {
  name: string;
  ne: number[];
  type: string;
  role: string;
  layer: number;
  bytes: number;
}
export type WeightGroup =
  | "embedding"
  | "attention"
  | "recurrent"
  | "feed_forward"
  | "experts"
  | "output_head"
  | "other";
/** `share` of the whole they are parts of. */
export interface GroupWeight {
  group: WeightGroup;
  n_params: number;
  bytes: number;
  share: number;
}
/** One block; `of_largest`: its bytes in proportion to the largest block. */
export interface BlockWeight {
  layer: number;
  bytes: number;
  of_largest: number;
  groups: GroupWeight[];
}
/** A model, from a reader or the catalog. */
export interface Model {
  summary(): ModelSummary;
  groups(): GroupWeight[];
  blocks(): BlockWeight[];
  layers(): ModelLayer[];
  tensors(): ModelTensor[];
  delete(): void;
}
/** Opaque: a model with everything that sweeps over it keep. `delete` frees it. */
export interface InferenceStudy {
  delete(): void;
}
export interface StudySummary {
  name: string;
  architecture: string;
  n_params: number;
  n_layer: number;
  n_ctx_train: number;
  has_file: boolean;
  has_kv_cache: boolean;
  has_experts: boolean;
  has_mtp: boolean;
}
export type Verdict = "fits" | "tight" | "over";
/** Bytes against what the device can give; `margin` is negative when it does not fit. */
export interface Fit {
  usable: number;
  low: number;
  likely: number;
  high: number;
  margin: number;
  verdict: Verdict;
}
/** `certain`: the exact and derived terms alone. */
export interface DeviceFit {
  device: string;
  certain: number;
  fit: Fit;
}
export type LayerClass = "full" | "sliding" | "chunked" | "mla" | "shared" | "recurrent" | "none" | "mtp";
/** `kept`: for the conversation, cache and state. */
export interface LayerCost {
  layer: number;
  kind: LayerClass;
  device: string;
  weights: number;
  kept: number;
}
/** Layers of one kind; of one of them. */
export interface LayerClassCost {
  kind: LayerClass;
  n_layer: number;
  weights: { least: number; most: number };
  kept: { least: number; most: number };
}
/** Blocks and what lies outside them: the terms of weights and cache. */
export interface LayerCosts {
  blocks: LayerCost[];
  classes: LayerClassCost[];
  outside_weights: number;
  outside_cache: number;
}
export interface LlamaCppEstimate {
  terms: Term[];
  devices: DeviceFit[];
  tightest: number;
  verdict: Verdict;
  context: {
    n_ctx: number;
    n_batch: number;
    n_ubatch: number;
    n_seq: number;
    n_stream: number;
    n_gpu_layers: number;
  };
  flash_attention: boolean;
  graph_known: boolean;
  layers: LayerCosts;
  warnings: CoreError[];
}
export interface ServingEstimate {
  terms: Term[];
  budget: number;
  /** All terms of one GPU; the verdict is about the users, see `fits`. */
  fit: Fit;
  /** GPUs that share each layer. */
  tp: number;
  max_num_seqs: number;
  max_num_batched_tokens: number;
  memory_fraction: number;
  n_tokens: number;
  /** What the pool holds; `at_once` is how many of them the runtime lets run. */
  max_concurrency: number;
  at_once: number;
  starts: boolean;
  fits: boolean;
  /** Of one GPU, with the cache of the users asked for. */
  layers: LayerCosts;
  warnings: CoreError[];
}
export interface InferenceChoices {
  mixes: string[];
  map_mixes: string[];
  formats: { id: string; name: string }[];
  programs: string[];
  backends: string[];
  releases: string[];
  flash_attention: string[];
  server_kv_types: string[];
}
/** The weights of a safetensors checkpoint as stored; `bytes` holds `other_bytes` too. */
export interface Checkpoint {
  /** Without layers: those are in config.json. */
  model: Model;
  bytes: number;
  other_bytes: number;
  format: string;
  groups: GroupWeight[];
}

export type DeviceClass = "gpu" | "unified" | "accelerator" | "ram" | "storage" | "link";
/** `memory`: as sold; `reported_total`: what the driver's tools print, 0 when that is not known. */
export interface HardwareDevice {
  id: string;
  vendor: string;
  name: string;
  device_class: DeviceClass;
  memory: number;
  memory_options_gib: number[];
  reported_total: number;
  reported_verified: boolean;
  bandwidth_gb_s: number;
  n_sm: number;
  fp16_tflops: number;
  link: string;
  confidence: "low" | "medium" | "medium_high" | "high";
  source: string;
}
/**
 * The machine of a question, in the units people type; what is left out or null takes the core's
 * default. Field names of errors: "ram_gib", "devices.0.count".
 */
export interface MachineOptions {
  devices: MachineDeviceOptions[];
  os?: OperatingSystem | null;
  macos?: "26" | "15" | null;
  ram_gib?: number | null;
  ram_class?: string | null;
  storage?: string | null;
  storage_free_gb?: number | null;
  link?: string | null;
}
/** `id` of the catalog, or "custom" with name, total and bandwidth. */
export interface MachineDeviceOptions {
  id: string;
  count?: number | null;
  memory_gib?: number | null;
  /** What a tool printed as free; replaces the estimate. */
  usable_gib?: number | null;
  reserve_gib?: number | null;
  desktop?: boolean;
  /** Seen on this very device beside llama.cpp's buffers; null: estimate it. */
  overhead_bytes?: number | null;
  name?: string | null;
  total_mib?: number | null;
  bandwidth_gb_s?: number | null;
}
export type OperatingSystem = "linux" | "windows" | "macos";
/** The machine as the core understood it. `capacity` is that of one of the `count` devices. */
export interface MachineSummary {
  devices: {
    device: HardwareDevice;
    count: number;
    desktop: boolean;
    capacity: Result<UsableCapacity>;
  }[];
  n_devices: number;
  /** CPU and devices have one memory; `host` is what the devices leave. */
  shares_memory: boolean;
  os: OperatingSystem;
  /** The backend of llama.cpp that suits all its devices. */
  backend: string;
  /** As sold, bytes; 0: not given. */
  ram: number;
  host: UsableCapacity | null;
  ram_class: HardwareDevice | null;
  storage: HardwareDevice | null;
  /** Bytes; 0: not given. */
  storage_free: number;
  link: HardwareDevice | null;
}
export interface UsableCapacity {
  sold: number;
  reported: number;
  usable: Term;
  reason:
    | "driver_total"
    | "ecc_hidden"
    | "metal_share"
    | "shared_memory"
    | "os_reserve"
    | "measured_free"
    | "gpu_limit"
    | "as_sold";
}

export interface PlaceFit {
  device: string;
  fit: Fit;
  binding_term: string;
  binding_bytes: number;
}
export interface LlamaCppFit {
  settings: {
    n_ctx: number;
    n_seq: number;
    n_batch: number;
    n_ubatch: number;
    n_gpu_layers: number;
    cpu_moe: boolean;
    n_cpu_moe: number;
  };
  terms: Term[];
  places: PlaceFit[];
  tightest: number;
  verdict: Verdict;
}
/** `best` fits, `next` does not; `next` is null where the search reached its limit. */
export interface LlamaCppSolution {
  value: number;
  best: LlamaCppFit;
  next_value: number | null;
  next: LlamaCppFit | null;
  n_estimates: number;
}
export interface MixSolution {
  mix: string;
  file_bytes: number;
  best: LlamaCppFit;
  next_mix: string;
  next: LlamaCppFit | null;
  n_estimates: number;
}
export interface ServingSolution {
  value: number;
  terms: Term[];
  n_tokens: number;
  max_concurrency: number;
  at_limit: boolean;
  n_estimates: number;
}

export interface ServingFormatSolution {
  format: string;
  weights: number;
  max_concurrency: number;
  n_estimates: number;
}
/** `n_ctx`: tokens of one conversation, as allocated. */
export interface LibraryEstimate {
  terms: Term[];
  places: PlaceFit[];
  tightest: number;
  verdict: Verdict;
  n_ctx: number;
  warnings: CoreError[];
}
export interface LibrarySolution {
  value: number;
  best: LibraryEstimate;
  at_limit: boolean;
  n_estimates: number;
}

export interface TierShares {
  gpu: number;
  cpu: number;
  disk: number;
}
export interface OffloadPath {
  path: "up" | "up_cache" | "read" | "compute" | "gpu_memory" | "down" | "write";
  begin: number;
  seconds: number;
  binding: boolean;
}
export interface OffloadTier {
  tier: "gpu" | "host" | "disk";
  capacity: number;
  used: number;
  spare: number;
  terms: Term[];
}
export interface OffloadLatency {
  runtime: "flexgen" | "llama_cpp" | "accelerate_auto" | "accelerate_sequential" | "zero_cpu" | "zero_disk";
  /** Of llama.cpp: "F16", "Q4_K_M"; what it is started with. */
  mix: string;
  flags: string;
  /** Weights there, bytes. */
  gpu: number;
  host: number;
  disk: number;
  low: number;
  likely: number;
  high: number;
  missing: number;
  missing_on: "" | "gpu" | "host" | "disk";
  formula: Formula;
  evidence: Evidence;
  source: string;
}
export interface OffloadPlan {
  gpu_batch: number;
  n_batches: number;
  block: number;
  weights: TierShares;
  cache: TierShares;
  activations: TierShares;
  /** Shares of the weights that really end up there: tensors move whole. */
  realised: TierShares;
  realised_tokens_per_second: number;
  ram: {
    block_weights: number;
    outer_weights: number;
    cache: number;
    activations: number;
    copy_buffers: number;
    process: number;
    total: number;
  };
  pinned: boolean;
  tiers: OffloadTier[];
  /** One layer of one decoded token. */
  paths: OffloadPath[];
  layer_seconds: number;
  seconds: number;
  /** Tokens a second. */
  low: number;
  likely: number;
  high: number;
  formula: Formula;
  evidence: Evidence;
  source: string;
  model_bytes: number;
  fits_gpu: boolean;
  /** Why FlexGen itself refuses the model. */
  refusals: ("post_norm" | "projected_embeddings")[];
}
export interface OffloadRow {
  runtime: "accelerate" | "zero_inference";
  home: "gpu" | "cpu" | "disk";
  batch: number;
  /** 0: it does not run. */
  tokens_per_second: number;
}
export interface OffloadPoint {
  block: number;
  tokens_per_second: number;
  seconds: number;
}
export interface OffloadChange {
  change: "ram_64" | "disk_2x" | "pcie_5" | "compress";
  /** Id of the hardware catalog that is put in, where it is one. */
  part: string;
  tokens_per_second: number;
}
/** The answer of the tab in short steps: step() says which part it has completed, "what_if" is the last. */
export interface OffloadRun {
  step(): "" | "plan" | "others" | "curve" | "what_if";
  /** 0 to 1. */
  progress(): number;
  plan(): Result<OffloadPlan> | null;
  others(): OffloadRow[];
  curve(): OffloadPoint[];
  what_if(): OffloadChange[];
  delete(): void;
}
/** What the planner needs of a model: numbers alone, so that a worker can have it. */
export type OffloadShape = object;
export interface OffloadCase {
  id: string;
  group: "paper" | "colab_free" | "colab_pro" | "cards";
  model: string;
  title: string;
  device: string;
  n_devices: number;
  ram_gib: number;
  ram_class: string;
  storage: string;
  storage_free_gb: number;
  /** 0: the best. */
  block: number;
  compress: boolean;
  percent: string;
  pin: boolean;
  /** Tokens a second; 0: none. */
  published: number;
  source: string;
}
/** One option of an estimate set to another value; "add_gpus": so many more of the last device. */
export interface OptionChange {
  option: string;
  value: string;
}
export type AdviceKind =
  | "flash_attention"
  | "ubatch"
  | "kv_type"
  | "mix"
  | "context"
  | "users"
  | "offload"
  | "runtime"
  | "memory_fraction"
  | "eager"
  | "more_gpus"
  | "other_gpu";
/** A change, or two, with which it fits. Bytes; `host_share`: of what a token reads, 0 to 1. */
export interface Advice {
  kinds: AdviceKind[];
  changes: OptionChange[];
  cost: "none" | "slight" | "some" | "much" | "hardware";
  /** One for each kind. */
  qualities: { message: string; is_ratio: boolean; value: number; model: string; source: string }[];
  host_share: number;
  /** Tokens a second of all users, as it is (if only it fitted) and afterwards; 0: not known. */
  tok_s_before: number;
  tok_s_after: number;
  saving: number;
  margin: number;
  verdict: Verdict;
}
export interface PlacementPlan {
  changes: OptionChange[];
  host_share: number;
  verdict: Verdict;
}
/** `title` and `notes` are message ids; `missing` are options that the program has no flag for. */
export interface Launch {
  blocks: { title: string; file: string; text: string }[];
  notes: string[];
  missing: string[];
}
/** `n` of one device; `memory` is the sold size of one. */
export interface DeviceChoice {
  id: string;
  vendor: string;
  name: string;
  bandwidth_gb_s: number;
  n: number;
  memory: number;
  has_sizes: boolean;
  capacity: number;
  usable: number;
  needed: number;
  margin: number;
  /** Tokens a second of all users; 0: not known. */
  tok_s: number;
  tok_s_low: number;
  tok_s_high: number;
  verdict: Verdict;
}
export interface FormatFit {
  mix: string;
  verdict: Verdict;
  margin: number;
}

export interface SpeedRange {
  low: number;
  likely: number;
  high: number;
}
export interface SpeedPart {
  id: string;
  place: string;
  resource: "memory" | "compute" | "launch" | "link" | "disk";
  seconds: number;
  formula: Formula;
  evidence: Evidence;
  source: string;
}
export interface Speed {
  /** False: an encoder. `decode` and its rates are those of reading. */
  generates: boolean;
  decode_tok_s: SpeedRange;
  decode_tok_s_each: SpeedRange;
  prompt_tok_s: SpeedRange;
  /** Seconds; likely 0: not known. */
  first_token_s: SpeedRange;
  decode: SpeedPart[];
  prompt: SpeedPart[];
  /** Index into `decode`: the largest part. */
  binding: number;
  /** Slower than people read along comfortably. */
  slow: boolean;
}

/** Settings of training as the core understood them; names as in core/training/names.hpp. */
export interface TrainingSettings {
  method: "full" | "lora" | "qlora";
  precision: string;
  fp32_gradients: boolean;
  rank: number;
  targets: string | null;
  lora_dropout: number;
  dora: boolean;
  fp32_adapters: boolean;
  save_embeddings: boolean;
  fp32_embeddings: boolean;
  base: string;
  optimizer: string;
  update: string;
  galore_rank: number;
  paged: boolean;
  in_backward: boolean;
  batch: number;
  sequence: number;
  accumulation: number;
  flash_attention: boolean;
  fused: boolean;
  dropout: number;
  expandable_segments: boolean;
  checkpointing: string;
  loss: string;
  loss_chunks: number;
  eval_batch: number;
  data_parallel: string;
  dp: number;
  shard_group: number;
  tp: number;
  sequence_parallel: boolean;
  pp: number;
  schedule: string;
  virtual_stages: number;
  cp: number;
  ep: number;
  deepspeed: boolean;
  bucket_view: boolean;
  offload: string;
  objective: string;
  completions: number;
  reference_model: boolean;
  rollout_share: number;
}
/** A moment of a step; bytes of each part: weights, optimizer_states, gradients, activations, logits, work_buffers, buckets, other_models. */
export interface TrainingStage {
  kind: "reference" | "forward" | "loss" | "backward" | "update" | "evaluation";
  /** backward: whose gradient is being made; -1: none */
  block: number;
  parts: number[];
  total: number;
}
/** `gpu`: the worst rank on the device with the least room, as the driver counts it. */
export interface TrainingFit {
  gpu: Fit;
  device: string;
  host: Fit | null;
  disk: Fit | null;
  n_gpus: number;
  n_machine: number;
  verdict: Verdict;
}
export interface TrainingEstimate {
  settings: TrainingSettings;
  stages: TrainingStage[];
  peak: number;
  rank_stage: number;
  /** Allocated at the peak of every pipeline stage. */
  stage_peaks: number[];
  trained: number;
  parameters: number;
  /** At the peak: by the allocator, and as the chosen counter sees it. */
  allocated: number;
  counted: number;
  /** Of the peak, as the driver counts it. */
  terms: Term[];
  fit: TrainingFit;
}
/** 0: not even the smallest fits. */
export interface TrainingSolution {
  value: number;
  at_limit: boolean;
}
export interface TrainingDevices {
  id: string;
  name: string;
  vendor: string;
  memory: number;
  usable: number;
  /** 0: no number of them suffices */
  n: number;
  /** with weights, gradients and states sharded */
  sharded: boolean;
}
export interface TrainingLimits {
  batch: TrainingSolution;
  sequence: TrainingSolution;
  devices: TrainingDevices[];
}
export interface TrainingWays {
  rows: { id: string; settings: TrainingSettings; usual: TrainingSettings; bytes: number; allocated: number; card: string }[];
  cards: TrainingDevices[];
}
export interface TrainingPreset {
  id: string;
  model: string;
  device: string;
  n_devices: number;
  settings: TrainingSettings;
  /** What the method starts from. */
  usual: TrainingSettings;
}
/** One change, or the fewest that together make it fit. `time_*`: of a token, beside now. */
export interface TrainingAdvice {
  kinds: string[];
  changes: OptionChange[];
  cost: Advice["cost"];
  saving: number;
  margin: number;
  verdict: Verdict;
  time_low: number;
  time_high: number;
}
export type TrainingChoices = Record<
  | "method"
  | "precision"
  | "targets"
  | "base"
  | "optimizer"
  | "update"
  | "checkpointing"
  | "loss"
  | "data_parallel"
  | "schedule"
  | "offload"
  | "objective"
  | "framework"
  | "counter",
  string[]
>;

export interface Core {
  readonly default_overhead_factor: number;
  precisions(): Precision[];
  parse_parameter_count(text: string): Result<ParameterCount>;
  parameter_count_from_billions(billions: number): Result<ParameterCount>;
  weight_size(count: ParameterCount, precision: string): Result<WeightSize>;
  /** The next smaller precision in which the weights fit the machine; null: none. */
  precision_that_fits(machine: MachineOptions, count: ParameterCount, precision: string): Result<Precision | null>;
  rule_of_thumb(count: ParameterCount, bits: number, factor: number): Result<RuleOfThumb>;
  size_scale(): SizeScale;
  size_on_scale(weight_bytes: number): SizeOnScale;
  read_model_name(name: string): ModelNameReading;
  format_table(model: Model): FormatTable;
  /** Round marks of a ruler for an amount of bytes; positions are parts of the whole. */
  ruler_ticks(whole: number): { bytes: number; position: number }[];
  readonly GgufReader: new (file_size: number) => FileReader<GgufHeader>;
  merge_gguf_splits(parts: { file_name: string; header: GgufHeader }[]): Result<GgufHeader>;
  /** What `mmproj_mib` is for a projector's file, to the byte. */
  projector_mib(file: Model): Result<number>;
  model_from_gguf(header: GgufHeader): Result<Model>;
  readonly SafetensorsReader: new (file_size: number) => FileReader<SafetensorsHeader>;
  parse_safetensors_index(text: string): Result<SafetensorsIndex>;
  merge_safetensors(
    shards: { file_name: string; header: SafetensorsHeader }[],
    index: SafetensorsIndex | null,
  ): Result<SafetensorsHeader>;
  /** `config`: the text of config.json, or "". */
  checkpoint_from_safetensors(header: SafetensorsHeader, config: string): Result<Checkpoint>;
  catalog_version(): string;
  /** Best first; an empty query gives the catalog's own order. */
  catalog_search(query: string, limit: number): CatalogEntry[];
  catalog_entry(id: string): CatalogEntry | null;
  /** The entry whose name stands in a file name, the longest if several do. */
  catalog_entry_of_file(file_name: string): CatalogEntry | null;
  catalog_parameters(id: string): Result<ModelParameters>;
  /** `value` is a Model of the module: call delete() on it when done. */
  catalog_model(id: string): Result<Model>;
  /** The text of a config.json as a Model of the module. */
  model_from_config(json: string): Result<Model>;
  /** Keeps a copy of the model. */
  study_of_model(model: Model): InferenceStudy;
  study_summary(study: InferenceStudy): StudySummary;
  inference_choices(): InferenceChoices;
  /** What server runtimes would use where llama.cpp uses this mix and this KV type. */
  serving_like(mix: string, type_k: string): { format: string; kv_type: string };
  /** Models of the catalog that could draft for the study's, the largest first. */
  draft_candidates(study: InferenceStudy): { id: string; name: string; params_total: number }[];
  estimate_llama_cpp(study: InferenceStudy, options: object): Result<LlamaCppEstimate>;
  speed_llama_cpp(study: InferenceStudy, options: object): Result<Speed>;
  speed_serving(study: InferenceStudy, options: object): Result<Speed>;
  estimate_serving(study: InferenceStudy, options: object): Result<ServingEstimate>;
  /** Two numbers at each context: verdict (-1 refused, 0 fits, 1 tight, 2 over), bytes at the tightest place. */
  sweep_llama_cpp(study: InferenceStudy, options: object, contexts: number[]): Float64Array;
  /** Tokens for each user; error none_fits when not even the least fits. */
  largest_context(study: InferenceStudy, options: object): Result<number>;
  /** The same; bytes: what one GPU needs for the users asked for, who are served at once (0) or not (2). */
  sweep_serving(study: InferenceStudy, options: object, contexts: number[]): Float64Array;
  offload_shape(model: Model): Result<OffloadShape>;
  /** `options`: machine, prompt, generated, block (null: the best), percent (empty: the best), pin, authors_rates, compress, cpu_attention. */
  offload_run(shape: OffloadShape, options: object): Result<OffloadRun>;
  /** One sequence by each program; likely 0: it does not run, `missing` bytes on `missing_on`. */
  offload_latency(study: InferenceStudy, options: object): OffloadLatency[];
  /** Published speeds of programs that no formula here covers; whether they take this model. */
  offload_references(study: InferenceStudy): { program: string; model: string; machine: string; low: number; high: number; applies: boolean; source: string }[];
  offload_cases(): OffloadCase[];
  hardware_version(): string;
  /** Devices that run models, best first; an empty query gives the catalog's own order. */
  hardware_search(query: string, limit: number): HardwareDevice[];
  /** "2x l40s": 2. */
  hardware_count_in(query: string): number;
  /** Devices whose name stands in what a browser says about its graphics; several: sizes of one name. */
  hardware_named_in(text: string): HardwareDevice[];
  /** Classes of main memory, disks and links. */
  hardware_choices(): { ram: HardwareDevice[]; storage: HardwareDevice[]; link: HardwareDevice[] };
  hardware_device(id: string): HardwareDevice | null;
  machine_summary(machine: MachineOptions): Result<MachineSummary>;
  /**
   * Solvers over estimate_llama_cpp, with its options. `roomy`: the upper end of the range fits and
   * 5 % stay free; otherwise the likely amount fits.
   */
  solve_context(study: InferenceStudy, options: object, roomy: boolean): Result<LlamaCppSolution>;
  solve_llama_cpp_users(
    study: InferenceStudy,
    options: object,
    roomy: boolean,
    context: number,
  ): Result<LlamaCppSolution>;
  solve_ubatch(study: InferenceStudy, options: object, roomy: boolean): Result<LlamaCppSolution>;
  /** The split between GPUs and host: n_cpu_moe first, then n_gpu_layers. */
  solve_offload(study: InferenceStudy, options: object, roomy: boolean): Result<LlamaCppSolution>;
  solve_mix(study: InferenceStudy, options: object, roomy: boolean): Result<MixSolution>;
  /** Solvers over estimate_serving: most users of n_ctx tokens; longest context for the users. */
  solve_users(study: InferenceStudy, options: object): Result<ServingSolution>;
  /** The format with the largest weights that serves the users. */
  solve_serving_format(study: InferenceStudy, options: object): Result<ServingFormatSolution>;
  solve_serving_context(study: InferenceStudy, options: object): Result<ServingSolution>;
  /**
   * Training. `options`: the fields of TrainingSettings, absent ones as usual for the method;
   * `counter` (allocated, reserved, nvidia_smi) and `machine`.
   */
  training_choices(): TrainingChoices;
  training_presets(): TrainingPreset[];
  estimate_training(model: Model, options: object): Result<TrainingEstimate>;
  /** The terms of one stage as the counter sees them. */
  training_stage_terms(model: Model, options: object, stage: number): Term[];
  /** The most that fits, and how many cards of each kind it takes. */
  training_limits(model: Model, options: object): Result<TrainingLimits>;
  /** Table 1 of the ZeRO paper: bytes of each GPU by kind of data parallel (`device`). */
  zero_table(parameters: number, ranks: number): Term[];
  advise_training(model: Model, options: object): Result<TrainingAdvice[]>;
  /** A program or configuration for one of `training_choices().framework`. */
  launch_training(options: object, framework: string, model: string): Result<Launch>;
  /** Full, LoRA, QLoRA with the smallest common card that holds each. */
  compare_training(model: Model, options: object): Result<TrainingWays>;
  /** Transformers, ExLlamaV2 and V3: what each loads, and what is nearest to llama.cpp's settings. */
  library_formats(runtime: string): { id: string; name: string }[];
  library_like(runtime: string, mix: string, type_k: string, type_v: string): { format: string; k_bits: number; v_bits: number };
  /** `options`: runtime, format, n_ctx, users, prompt, attention, cache, k_bits, v_bits, machine. */
  estimate_library(study: InferenceStudy, options: object): Result<LibraryEstimate & { layers: LayerCosts }>;
  sweep_library(study: InferenceStudy, options: object, contexts: number[]): Float64Array;
  solve_library_context(study: InferenceStudy, options: object): Result<LibrarySolution>;
  solve_library_users(study: InferenceStudy, options: object): Result<LibrarySolution>;
  /** `value`: index into library_formats(). */
  solve_library_format(study: InferenceStudy, options: object): Result<LibrarySolution>;
  /** An amount against all devices of the machine together, or RAM without any. */
  machine_fit(machine: MachineOptions, bytes: number): Result<Fit>;
  /** Cheapest first; empty when the configuration already fits (`roomy`: with 5 % to spare). */
  advise_llama_cpp(study: InferenceStudy, options: object, roomy: boolean): Result<Advice[]>;
  advise_serving(study: InferenceStudy, options: object): Result<Advice[]>;
  /** The best place for layers, experts and cache on this machine. */
  plan_llama_cpp(study: InferenceStudy, options: object, roomy: boolean): Result<PlacementPlan>;
  /** What to type; `shell`: "posix" or "powershell". */
  launch_llama_cpp(study: InferenceStudy, options: object, file: string, shell: string): Result<Launch>;
  launch_serving(study: InferenceStudy, options: object, model: string, shell: string): Result<Launch>;
  launch_library(study: InferenceStudy, options: object, model: string): Result<Launch>;
  /** Every device of the catalog with the fewest that fit; those that fit first, smallest first. */
  devices_that_run(study: InferenceStudy, options: object): Result<DeviceChoice[]>;
  /** The same of a server, with the least tensor parallelism that serves all users. */
  devices_that_serve(study: InferenceStudy, options: object): Result<DeviceChoice[]>;
  /** The largest quantization that fits at each context on the machine of `options`. */
  best_formats(model: Model, options: object, contexts: number[]): Result<(FormatFit | null)[]>;
  read_log(text: string): LogReading;
  /** `options`: those of estimate_llama_cpp or, for a server's log, of estimate_serving. */
  check_log(study: InferenceStudy, text: string, options: object): Result<{ rows: LogRow[]; mix: string }>;
}

export interface LogReading {
  /** "llama.cpp", "ollama", "vllm", "sglang", "nvidia-smi"; empty: no line could be read. */
  source: string;
  buffers: { term: string; place: string; bytes: number }[];
  facts: { name: string; value: string }[];
  /** The facts that are settings, as options of the page. */
  options: OptionChange[];
  /** What a GPU held beside the printed buffers, by llama.cpp's table at exit or by nvidia-smi. */
  overheads: { device: string; name: string; bytes: number; from_nvidia_smi: boolean }[];
  second_model: boolean;
  /** CSV. */
  truth_rows: string;
}

export interface LogRow {
  term: string;
  device: string;
  logged: number | null;
  estimated: number | null;
  /** Estimated less logged. */
  difference: number;
  reason: "equal" | "in_range" | "not_printed" | "no_estimate" | "other_model" | "other_place" | "other_build" | "other_settings";
}

/** The Emscripten factory; scripts/package adds the module, packed, and how many bytes it has. */
export interface CoreFactory {
  (options: { instantiateWasm(imports: WebAssembly.Imports, done: Function): object }): Promise<Core>;
  packed: string;
  size: number;
  /** Makes such a factory; its text alone does. */
  glue: () => CoreFactory;
}

declare global {
  /** Defined by core-quick.js, then by core-*.js; in the single file by its inline script. */
  var createMeyasu: CoreFactory | undefined;
  /** Unpacked by the single file before its page starts. */
  var meyasuModule: Uint8Array<ArrayBuffer>;
  /** Filled in by the bundler. */
  const MEYASU_VERSION: string;
  /** True in the single file, which has no folder of other files beside it. */
  const MEYASU_SINGLE_FILE: boolean;
  /** Where the whole core is, beside the script. */
  const MEYASU_CORE: string;
  /** Of the service worker: a name for these very files, and which they are. */
  const MEYASU_BUILD: string;
  const MEYASU_FILES: string[];
}
