// What a person chooses when starting llama.cpp (llama-server, llama-cli, Ollama, LM Studio,
// KoboldCpp), and what the runtime makes of it before it allocates anything.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/model.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// Builds between which an allocation rule changed, in order of age. Each stands for the builds up
/// to it.
enum class LlamaCppRelease {
  build_2025_05,  // to 2025-05: no caches of their own for window layers; cells padded to 32
                  // without flash attention; always all logits
  build_2025_11,  // 2025-11-18: F32 masks, logits for all of n_batch, V cache with MLA
  v0_5_0,         // release of 2026-09-28
};
inline constexpr LlamaCppRelease kNewestRelease = LlamaCppRelease::v0_5_0;
/// As links and logs name them, newest first.
inline constexpr std::array<std::pair<std::string_view, LlamaCppRelease>, 3> kReleases = {{
    {"v0.5.0", LlamaCppRelease::v0_5_0},
    {"2025-11", LlamaCppRelease::build_2025_11},
    {"2025-05", LlamaCppRelease::build_2025_05},
}};
[[nodiscard]] std::string_view release_name(LlamaCppRelease release);

enum class FlashAttention { on, off, automatic };

enum class LlamaCppBackend { cuda, rocm, vulkan, sycl, metal, rpc };

/// WSL2 counts as windows: its driver is the one of Windows.
enum class OperatingSystem { gnu_linux, windows, macos };

/// One GPU-class device, in the order in which llama.cpp lists them.
struct LlamaCppDevice {
  std::string name = "gpu0";  // Term::device of what lies on it
  LlamaCppBackend backend = LlamaCppBackend::cuda;
  Bytes free = 0;            // free memory at start: the default tensor split
  Bytes alignment = 128;     // of tensors inside a buffer: CUDA 128, RPC and most others 32
  bool op_offload = true;    // takes big host-weight products in large batches; RPC does not
  bool async_events = true;  // needed for pipeline copies; not Metal
  // What follows decides only the memory outside the logged buffers (overhead.hpp).
  Bytes total = 0;                // as sold; 0: unknown
  int n_sm = 0;                   // NVIDIA streaming multiprocessors; 0: unknown
  int threads_per_sm = 1536;      // 2048: 6.x, 7.0, 8.0, 9.0; 1024: 7.5; else 1536
  bool drives_a_desktop = false;  // a screen and other programs use it
  Bytes measured_overhead = 0;    // on this very machine, replaces the estimate; 0: unknown
};

/// `-ot pattern=device`: weights whose name contains a match of `pattern` go to `device`
/// (a LlamaCppDevice::name, or "CPU"). See weight_pattern.hpp for the patterns understood.
struct TensorOverride {
  std::string pattern;
  std::string device = "CPU";
};

struct LlamaCppParts;  // parts.hpp

/// Zero or negative "unset" values are llama.cpp's own conventions where it has them.
struct LlamaCppSettings {
  std::int64_t n_ctx = 0;       // 0: the model's training length
  std::int64_t n_batch = 2048;  // -b
  std::int64_t n_ubatch = 512;  // -ub; 0: n_batch
  std::int64_t n_seq = 1;       // -np, slots
  bool kv_unified = false;      // one pool of cells for all sequences
  GgmlType type_k = GgmlType::F16;
  GgmlType type_v = GgmlType::F16;
  FlashAttention flash_attention = FlashAttention::automatic;
  bool swa_full = false;           // window layers get full-length caches
  std::int64_t n_outputs_max = 0;  // rows of logits per batch; 0: n_batch (library, benchmarks)
  bool offload_kv = true;          // false: -nkvo
  bool op_offload = true;          // false: --no-op-offload

  std::vector<LlamaCppDevice> devices;    // empty: CPU only
  std::int64_t n_gpu_layers = -1;         // -ngl; negative: all. Counts the output layer as one
  std::vector<double> tensor_split;       // -ts; empty: by free memory (equal if unknown)
  std::vector<TensorOverride> overrides;  // -ot, before the two below in priority
  bool cpu_moe = false;                   // routed experts of all blocks stay on the host
  std::int64_t n_cpu_moe = 0;             // routed experts of the first N blocks stay on the host
  bool mmap = true;
  bool repack = true;     // CPU-only builds copy some quantized weights into another layout
  bool load_mtp = false;  // use multi-token prediction blocks (they are skipped otherwise)
  /// Tokens that a draft model or a prediction block proposes at once: each is a row of logits
  /// more.
  std::int64_t n_draft = 0;
  std::shared_ptr<const LlamaCppParts> parts;  // what is loaded beside the model; null: nothing

  OperatingSystem os = OperatingSystem::gnu_linux;
  LlamaCppRelease release = kNewestRelease;
  /// A real load. False reproduces the runtime's measuring mode (`no_alloc`, used by its fitting
  /// step and by the measured tables), which loses the scheduler's pins: with several GPUs the
  /// last one then shows more than a real load takes.
  bool real_load = true;
  /// CUDA-only additions to the compute buffer, absent from runs on emulated devices.
  bool cuda_keeps_moe_tensors = true;     // fused MoE kernels keep their sources alive
  bool cuda_quantized_kv_scratch = true;  // flash attention converts quantized K and V to F16
};

/// What a model is run for.
enum class Purpose : std::uint8_t { text, embeddings, ranking };

/// The numbers that the runtime derives from the settings before allocating.
/// Source: llama-context.cpp of the release; llama-cpp-graph.md section 1 of our references.
struct LlamaCppContext {
  std::int64_t n_ctx = 0;  // over all sequences, padded
  std::int64_t n_batch = 0;
  std::int64_t n_ubatch = 0;
  std::int64_t n_seq = 1;
  std::int64_t n_stream = 1;        // 1 if unified, else n_seq
  std::int64_t n_cells = 0;         // KV cells per stream in full-attention layers
  std::int64_t n_cells_swa = 0;     // the same in window layers; 0: the model has none
  std::int64_t n_tokens = 0;        // U: tokens of the worst-case graph, a multiple of n_seq
  std::int64_t n_outputs = 0;       // rows of logits in that graph
  std::int64_t n_gpu_layers = 0;    // 0 .. n_layer + 1, 0 without a device
  bool no_flash_attention = false;  // of this architecture, whatever is asked for
  bool v_transposed = false;        // V cache layout: flash attention off at creation
  Purpose purpose = Purpose::text;
  std::vector<Error> warnings;  // things the runtime only warns about: "ctx_over", "ngl_over"; or
                                // refuses: an encoder texts longer than a micro-batch,
                                // "text_over"
};

/// Applies the runtime's clamps and paddings, or says why the runtime would refuse.
/// Errors (code, field): ctx_range n_ctx; value_range n_seq, n_batch or n_draft; batch_zero
/// n_batch, n_ubatch or n_seq; ubatch_over n_ubatch; v_needs_fa type_v; mla_kv type_k; kv_block
/// type_k or type_v (detail: the head width that the blocks of the type do not divide); split_empty
/// or not_positive tensor_split.
[[nodiscard]] Result<LlamaCppContext> normalize(const LlamaCppSettings& settings,
                                                const Model& model);

/// Whether any layer attends through a window that llama.cpp gives its own cache ("iSWA").
[[nodiscard]] bool has_window_cache(const Model& model);
/// Whether the MLA layers store one latent head (absorbed form).
[[nodiscard]] bool is_absorbed_mla(const Model& model);

}  // namespace meyasu
