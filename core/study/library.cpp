#include "core/study/library.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/fit/largest_step.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kExllamaPage = 256;
constexpr std::int64_t kMostUsers = 4096;

/// V2 also builds for ROCm; V3 has that on its list of things to do.
const char* makers_of(LibraryRuntime runtime) {
  return runtime == LibraryRuntime::exllamav2 ? "NVIDIA, AMD" : "NVIDIA";
}

Error needs_gpu(LibraryRuntime runtime) {
  return {"needs_gpu", "machine", makers_of(runtime)};
}

bool runs_on(LibraryRuntime runtime, const Device& device) {
  if (runtime == LibraryRuntime::transformers) return true;
  return std::string_view(makers_of(runtime)).find(device.vendor) != std::string_view::npos;
}

std::vector<Room> rooms_of(const LibraryQuestion& question) {
  std::vector<Room> rooms;
  for (std::size_t i = 0; i < question.gpus.size(); ++i) {
    rooms.push_back({"gpu" + std::to_string(i), question.gpus[i].usable});
  }
  if (question.host_usable > 0 || question.gpus.empty())
    rooms.push_back({"host", question.host_usable});
  return rooms;
}

Result<LibraryEstimate> by_transformers(const Model& model, std::span<const Bytes> bytes,
                                        const LibraryQuestion& question) {
  TransformersSettings settings;
  settings.batch = question.users;
  settings.context = question.context;
  settings.prompt = question.prompt > 0 ? question.prompt : question.context;
  settings.attention = question.attention;
  settings.cache = question.cache;
  settings.on_cpu = question.gpus.empty();
  settings.n_gpu = static_cast<std::int64_t>(question.gpus.size());
  if (!question.gpus.empty()) settings.device = question.gpus.front().card;
  auto made = estimate_transformers(model, bytes, settings);
  if (!made) return made.error();
  LibraryEstimate estimate;
  estimate.terms = std::move(made.value().terms);
  estimate.warnings = std::move(made.value().warnings);
  estimate.layers = std::move(made.value().layers);
  estimate.context = question.context;
  return estimate;
}

Result<LibraryEstimate> by_exllama(const Model& model, std::span<const Bytes> bytes,
                                   const WeightFormat& format, const LibraryQuestion& question) {
  if (question.gpus.empty()) return needs_gpu(question.runtime);
  ExllamaSettings settings;
  settings.max_seq_len = question.context;
  settings.users = question.users;
  settings.k_bits = question.k_bits;
  settings.v_bits = question.v_bits;
  settings.gpus = question.gpus;
  if (model.tied_embeddings) {
    Bytes tensors = 0;
    for (const Bytes tensor : bytes) tensors += tensor;
    settings.tied_head = FormatPlan(model).weigh(format).bytes() - tensors;
  }
  auto made = estimate_exllama(model, bytes, settings);
  if (!made) return made.error();
  LibraryEstimate estimate;
  estimate.terms = std::move(made.value().terms);
  estimate.warnings = std::move(made.value().warnings);
  estimate.layers = std::move(made.value().layers);
  estimate.context = made.value().max_seq_len;
  return estimate;
}

std::string shortage_text(const LibraryEstimate& estimate) {
  return std::to_string(estimate.fit.shortage());
}

/// Searches `change(question, value)` from 1 to `last`.
template <class Change>
Result<LibrarySolution> solve(InferenceStudy& study, const LibraryQuestion& question,
                              std::int64_t last, const char* field, Change&& change) {
  using Answer = Step<LibraryEstimate>;
  auto found = largest_step<LibraryEstimate>(
      1, last, field,
      [&](std::int64_t value) -> Result<Answer> {
        LibraryQuestion asked = question;
        change(asked, value);
        auto estimate = estimate_library(study, asked);
        if (!estimate) return estimate.error();
        const bool fits = accepts(Comfort::tight, estimate.value().fit.verdict);
        return Answer{value, fits, std::move(estimate.value())};
      },
      shortage_text);
  if (!found) return found.error();
  return LibrarySolution{found.value().best.value, std::move(found.value().best.answer),
                         !found.value().next.has_value(), found.value().n_estimates};
}

}  // namespace

std::span<const WeightFormat> library_formats(LibraryRuntime runtime) {
  switch (runtime) {
    case LibraryRuntime::exllamav2:
      return kExllamaV2Formats;
    case LibraryRuntime::exllamav3:
      return kExllamaV3Formats;
    case LibraryRuntime::transformers:
      break;
  }
  return kTransformersFormats;
}

WeightFormat library_format_like(LibraryRuntime runtime, Ftype ftype) {
  const BlockLayout layout = block_layout(ftype_info(ftype).default_type);
  const double bits = 8.0 * layout.bytes / layout.block;
  if (bits >= 16) return plain_format(FormatMethod::bf16);
  if (runtime == LibraryRuntime::transformers) {
    return bits >= 8 ? plain_format(FormatMethod::int8_bnb)
                     : bnb_4bit(FormatMethod::bnb_nf4, false);
  }
  const auto formats = library_formats(runtime);
  return *std::min_element(formats.begin(), formats.end(),
                           [&](const WeightFormat& a, const WeightFormat& b) {
                             return std::fabs(a.bits - bits) < std::fabs(b.bits - bits);
                           });
}

int exllama_bits_like(LibraryRuntime runtime, GgmlType type) {
  const BlockLayout layout = block_layout(type);
  const int bits = static_cast<int>(8 * layout.bytes / layout.block);
  if (bits >= 16) return 16;
  if (runtime == LibraryRuntime::exllamav3) return std::clamp(bits, 2, 8);
  return bits >= 8 ? 8 : bits >= 5 ? 6 : 4;
}

Result<std::vector<ExllamaGpu>> library_gpus(LibraryRuntime runtime, const Machine& machine) {
  std::vector<ExllamaGpu> gpus;
  for (std::size_t i = 0; i < machine.devices.size(); ++i) {
    const MachineDevice& kind = machine.devices[i];
    if (!runs_on(runtime, kind.device)) return needs_gpu(runtime);
    const auto capacity = device_capacity(machine, kind);
    if (!capacity) {
      const Error& error = capacity.error();
      return Error{error.code, "devices." + std::to_string(i) + ".reserve_gib", error.detail};
    }
    ExllamaGpu gpu;
    gpu.usable = capacity.value().usable.bytes;
    gpu.card.n_sm = kind.device.n_sm;
    gpu.card.threads_per_sm = kind.device.threads_per_sm();
    gpus.insert(gpus.end(), static_cast<std::size_t>(kind.count), gpu);
  }
  if (gpus.empty() && runtime != LibraryRuntime::transformers) return needs_gpu(runtime);
  return gpus;
}

Result<LibraryEstimate> estimate_library(InferenceStudy& study, const LibraryQuestion& question) {
  const auto formats = library_formats(question.runtime);
  const auto format = std::find_if(
      formats.begin(), formats.end(),
      [&](const WeightFormat& candidate) { return format_id(candidate) == question.format; });
  if (format == formats.end()) return Error{"format_unknown", "format", question.format};
  if (question.context < 1) return Error{"ctx_range", "n_ctx", "1.."};
  const auto bytes = study.tensor_bytes(*format);
  auto estimate = question.runtime == LibraryRuntime::transformers
                      ? by_transformers(study.model(), bytes, question)
                      : by_exllama(study.model(), bytes, *format, question);
  if (!estimate) return estimate.error();
  estimate.value().fit = judge(estimate.value().terms, rooms_of(question));
  return estimate;
}

SweepPoint library_point(InferenceStudy& study, const LibraryQuestion& question) {
  const auto estimate = estimate_library(study, question);
  if (!estimate || estimate.value().fit.tightest < 0) return {};
  const MachineFit& fit = estimate.value().fit;
  SweepPoint point;
  point.possible = true;
  point.device = fit.places[static_cast<std::size_t>(fit.tightest)].fit.likely;
  point.verdict = fit.verdict;
  return point;
}

Result<LibrarySolution> longest_library_context(InferenceStudy& study,
                                                const LibraryQuestion& question) {
  const std::int64_t trained = study.model().n_ctx_train;
  if (trained < 1) return Error{"ctx_range", "n_ctx", "1.."};
  const std::int64_t step = question.runtime == LibraryRuntime::transformers ? 1 : kExllamaPage;
  auto solution = solve(study, question, round_up(trained, step) / step, "n_ctx",
                        [step](LibraryQuestion& asked, std::int64_t value) {
                          asked.context = value * step;
                          asked.prompt = std::min(asked.prompt, asked.context);
                        });
  if (solution) solution.value().value *= step;
  return solution;
}

Result<LibrarySolution> most_library_users(InferenceStudy& study, const LibraryQuestion& question) {
  return solve(study, question, kMostUsers, "users",
               [](LibraryQuestion& asked, std::int64_t value) { asked.users = value; });
}

Result<LibrarySolution> best_library_format(InferenceStudy& study,
                                            const LibraryQuestion& question) {
  const auto formats = library_formats(question.runtime);
  int n_estimates = 0;
  LibrarySolution best;
  double bits = 0;
  std::string shortage;
  for (std::size_t i = 0; i < formats.size(); ++i) {
    LibraryQuestion asked = question;
    asked.format = format_id(formats[i]);
    auto estimate = estimate_library(study, asked);
    if (!estimate) return estimate.error();
    ++n_estimates;
    shortage = shortage_text(estimate.value());
    const bool fits = accepts(Comfort::tight, estimate.value().fit.verdict);
    if (!fits || formats[i].bits <= bits) continue;
    bits = formats[i].bits;
    best.value = static_cast<std::int64_t>(i);
    best.best = std::move(estimate.value());
  }
  if (bits == 0) return Error{"none_fits", "format", shortage};
  best.n_estimates = n_estimates;
  return best;
}

}  // namespace meyasu
