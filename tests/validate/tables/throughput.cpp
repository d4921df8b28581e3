// Prompt and generation rates of public benchmarks. Names of models, formats and machines are read
// as people write them and looked up in the catalogs; what is not found is listed with the reason.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "core/catalog/name_match.hpp"
#include "core/catalog/search.hpp"
#include "core/fit/llama_cpp.hpp"
#include "core/hardware/capacity.hpp"
#include "core/inference/machine.hpp"
#include "core/offload/streaming.hpp"
#include "core/quick/model_name.hpp"
#include "core/quick/weight_size.hpp"
#include "core/speed/speed.hpp"
#include "tests/validate/tables/tables.hpp"

namespace validate {
namespace throughput {
namespace {

using namespace meyasu;

bool is_throughput(const CsvTable& table) {
  return table.has_column("decode_tok_s");
}
bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
/// The whole number after `tag`: "-ngl 32" -> 32.
std::optional<std::int64_t> number_after(std::string_view text, std::string_view tag) {
  const std::size_t at = text.find(tag);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string rest(text.substr(at + tag.size()));
  char* end = nullptr;
  const std::int64_t value = std::strtoll(rest.c_str(), &end, 10);
  return end == rest.c_str() ? std::nullopt : std::optional(value);
}
const Catalog& models_known() {
  static const Catalog catalog = Catalog::built_in().value();
  return catalog;
}
const DeviceCatalog& devices_known() {
  static const DeviceCatalog catalog = DeviceCatalog::built_in().value();
  return catalog;
}
/// Words with letters and numbers parted: "llama3.1" and "Llama-3.1" are the same two.
std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list;
  const auto is_number = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  for (const std::string& word : words_of(fold_for_search(text))) {
    std::size_t cut = 0;
    while (cut < word.size() && !is_number(word[cut])) ++cut;
    constexpr std::size_t kShortestFamily = 3;
    if (cut < kShortestFamily) cut = 0;
    if (cut > 0) list.push_back(word.substr(0, cut));
    if (cut < word.size()) list.push_back(word.substr(cut));
  }
  return list;
}
/// "2507", "0528": when, not what.
bool is_date(const std::string& word) {
  return word.size() == 4 && (word[0] == '0' || word[0] == '2') &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}
bool has_digit(const std::string& word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// llama-bench prints the architecture and the size ("qwen3moe 30B.A3B"): the catalog model of that
/// architecture with the nearest number of parameters, within 8 %.
const CatalogEntry* by_architecture(std::string_view name, double params_b) {
  std::string arch(name.substr(0, name.find(' ')));
  arch.erase(std::remove(arch.begin(), arch.end(), '-'), arch.end());
  if (params_b <= 0) {
    const std::size_t blank = name.find(' ');
    if (blank == std::string_view::npos) return nullptr;
    params_b = std::atof(std::string(name.substr(blank + 1)).c_str());
  }
  const CatalogEntry* best = nullptr;
  double nearest = 0.08;
  for (const CatalogEntry& entry : models_known().entries()) {
    if (!entry.has_shape) continue;
    std::string known = architecture_of(entry).gguf_arch;
    known.erase(std::remove(known.begin(), known.end(), '-'), known.end());
    if (known != arch) continue;
    const double off = std::fabs(static_cast<double>(entry.params_total) / (params_b * 1e9) - 1);
    if (off < nearest) {
      nearest = off;
      best = &entry;
    }
  }
  return best;
}

/// A fine-tune or a family without its version's suffix: the entry all of whose words stand in the
/// name in order ("Llama-3.1-Tulu-3-8B" holds llama, 3.1, 8b), or that holds all of the name's.
const CatalogEntry* by_words(std::string_view name) {
  const auto is_noise = [](const std::string& word) {
    for (const char* noise : {"instruct", "it", "chat", "meta", "base", "gguf", "hf", "v1", "v0.3",
                              "v0.1", "text", "preview", "thinking", "qat"}) {
      if (word == noise) return true;
    }
    return is_date(word);
  };
  const auto size = read_model_name(name).total_billions;
  const auto size_agrees = [&](const CatalogEntry& entry) {
    const double ratio = static_cast<double>(entry.params_total) / 1e9 / size.value_or(1);
    constexpr double kRounding = 1.35;  // "1B" is 1.24, "24B" is 23.6
    return !size || (ratio < kRounding && ratio > 1 / kRounding);
  };
  const auto bare = [&](std::string_view text) {
    std::vector<std::string> list = words(text);
    list.erase(std::remove_if(list.begin(), list.end(), is_noise), list.end());
    return list;
  };
  const auto holds = [](const std::vector<std::string>& all, const std::vector<std::string>& some) {
    std::size_t found = 0;
    for (const std::string& word : all) {
      if (found < some.size() && word == some[found]) ++found;
    }
    return found == some.size();
  };
  const std::vector<std::string> row = bare(name);
  const CatalogEntry* best = nullptr;
  std::size_t most = 1;
  for (const CatalogEntry& entry : models_known().entries()) {
    if (!entry.has_shape || !size_agrees(entry)) continue;
    const std::vector<std::string> list = bare(entry.name);
    const bool size_said =
        std::any_of(list.begin() + (list.empty() ? 0 : 1), list.end(), has_digit);
    if (list.size() > most && size_said && holds(row, list)) {
      most = list.size();
      best = &entry;
    }
  }
  if (best != nullptr) return best;
  for (const CatalogEntry& entry : models_known().entries()) {
    if (entry.has_shape && size_agrees(entry) && row.size() > 1 && holds(bare(entry.name), row))
      return &entry;
  }
  return nullptr;
}

/// The name without what says the format.
std::string bare_name(std::string_view name) {
  std::string text(name);
  // The distilled models of R1 name the family of their base only: Qwen is Qwen2.5 (arXiv
  // 2501.12948, table 5).
  constexpr std::string_view kDistilled = "R1-Distill-Qwen";
  const std::size_t distilled = text.find(kDistilled);
  if (distilled != std::string::npos) text = "Qwen2.5" + text.substr(distilled + kDistilled.size());
  for (const char* mark : {"-UD-", "-Q", ".Q", "-IQ", "-MXFP4", "-F16", "-BF16", "-GGUF", ".i1"}) {
    const std::size_t at = text.find(mark);
    if (at != std::string::npos && at > 3) text.resize(at);
  }
  const std::size_t under = text.find('_');
  if (under != std::string::npos && under < 14) text = text.substr(under + 1);  // the publisher
  std::replace(text.begin(), text.end(), ':', '-');
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos) {  // "DeepSeek-V3/R1-671B": two models of one shape
    text.resize(slash);
  }
  return text;
}

std::optional<Model> model_of_row(const CsvRow& row, ModelStore& store) {
  const std::string name(row["model"]);
  const std::string bare = bare_name(name);
  if (const Model* known = store.by_loose_name(bare)) return *known;
  const CatalogEntry* entry = by_architecture(name, row.number("params_b"));
  if (entry == nullptr) entry = by_words(bare);
  if (entry == nullptr) entry = entry_of_file(models_known(), bare);
  if (entry == nullptr || !entry->has_shape) return std::nullopt;
  auto model = model_of(*entry);
  if (!model || model.value().tensors.empty()) return std::nullopt;
  return model.value();
}

/// gpt-oss files keep the experts in MXFP4 whatever the name of the rest says.
std::optional<MixName> mix_of_row(const CsvRow& row, const Model& model) {
  if (model.architecture == "gpt-oss") return mix_from_name("MXFP4_MOE");
  const std::string quant(row["quant"]);
  std::vector<std::string> names = {quant, quant.substr(0, quant.find(' '))};
  const std::size_t bracket = quant.find('(');
  if (bracket != std::string::npos && quant.back() == ')') {
    names.push_back(quant.substr(bracket + 1, quant.size() - bracket - 2));
  }
  const std::string label = read_model_name(row["model"]).quant_label;
  names.push_back(label);
  if (label.starts_with("UD-") || label.starts_with("i1-")) names.push_back(label.substr(3));
  // "qwen3moe 235B.A22B Q3_K - Medium", "tool default (Q4_K_M)", "Q2".
  for (const char* mark : {" Q", " F"}) {
    const std::size_t at = quant.find(mark);
    if (at == std::string::npos) continue;
    names.push_back(quant.substr(at + 1));
  }
  for (std::string candidate : names) {
    if (auto mix = mix_from_name(candidate)) return mix;
    if (candidate == "Q2" || candidate == "IQ6_K") candidate = candidate == "Q2" ? "Q2_K" : "Q6_K";
    if (auto mix = mix_from_name(candidate)) return mix;
  }
  if (contains(row["model"], "qat")) return mix_from_name("Q4_0");
  // Repositories that name no format hold Q8_0, the default of llama.cpp's converter page.
  if (row["model"].ends_with("-GGUF")) return mix_from_name("Q8_0");
  // ollama and llmfit load Q4_K_M where nothing is said.
  if (quant.empty() || contains(quant, "not stated")) return mix_from_name("Q4_K_M");
  return std::nullopt;
}

/// The device whose name the text holds: all words of the catalog's name that carry a number or
/// tell variants apart, brands aside; the most words win, then the order of the catalog.
const Device* device_in(std::string_view text) {
  const auto is_brand = [](const std::string& word) {
    for (const char* brand :
         {"geforce", "radeon", "nvidia", "amd",    "intel",      "apple", "rtx",
          "gtx",     "rx",     "tesla",  "quadro", "generation", "pcie",  "core",
          "gpu",     "strix",  "halo",   "8060s",  "dgx",        "d"}) {
      if (word == brand) return true;
    }
    return false;
  };
  const std::vector<std::string> row = words(text);
  const auto in_row = [&](const std::string& word) {
    return std::any_of(row.begin(), row.end(), [&](const std::string& other) {
      return other == word || other == word + "c" || other == word + "d" || word == other + "gb";
    });
  };
  const Device* best = nullptr;
  int most = 0;
  for (const Device& device : devices_known().devices()) {
    if (device.device_class != DeviceClass::gpu && device.device_class != DeviceClass::unified) {
      continue;
    }
    int score = 0;
    bool all = true;
    for (const std::string& word : words(device.name)) {
      if (in_row(word)) {
        score += is_brand(word) ? 1 : 4;
        continue;
      }
      if (is_brand(word)) continue;
      const bool is_size = word.size() > 2 && word.ends_with("gb");
      if (!is_size) all = false;
    }
    if (all && score > most && score >= 4) {
      most = score;
      best = &device;
    }
  }
  return best;
}

std::int64_t gpu_count(std::string_view text) {
  for (const char* tag : {" x2", " x4", " x6", " x8"}) {
    const std::size_t at = text.find(tag);
    if (at != std::string_view::npos && at < text.find("DDR")) return tag[2] - '0';
  }
  if (text.size() > 2 && text[1] == 'x' && text[2] == ' ' && !contains(text, "Xeon")) {
    return text[0] - '0';
  }
  return 1;
}

struct Setup {
  Model model;
  const Device* device = nullptr;  // null: CPU only
  double gpu_gb_s = 0;
  double host_gb_s = 0;
  LlamaCppSettings settings;
  double depth = 0;  // mean while generating
  double prompt = 0;
  double n_batch = 1;
};

/// Not llama.cpp's way: streamed() answers for those whose bytes are given.
const char* const kStreamed = "weights are streamed by another program";

/// What the row's placement asks of llama.cpp; a reason where it is none of its options.
std::optional<std::string> place(std::string_view placement, Setup& setup) {
  LlamaCppSettings& settings = setup.settings;
  if (contains(placement, "disk") || contains(placement, "NVMe") || contains(placement, "GB CPU") ||
      contains(placement, "offload to") || contains(placement, "streamed") ||
      contains(placement, "streaming")) {
    return kStreamed;
  }
  if (contains(placement, "all CPU") || placement == "2 sockets") {
    settings.devices.clear();
    setup.device = nullptr;
    return std::nullopt;
  }
  if (setup.device == nullptr) return "the device is in no catalog";
  const auto n_layer = static_cast<std::int64_t>(setup.model.layers.size());
  if (contains(placement, "last")) {
    const std::int64_t n = number_after(placement, "last ").value_or(0);
    for (std::int64_t il = n_layer - n; il < n_layer; ++il) {
      settings.overrides.push_back({"blk\\." + std::to_string(il) + "\\.ffn_.*_exps", "CPU"});
    }
  } else if (contains(placement, "other ffn CPU")) {
    const std::int64_t n = number_after(placement, "layers 0-").value_or(0);
    for (std::int64_t il = n + 1; il < n_layer; ++il) {
      settings.overrides.push_back({"blk\\." + std::to_string(il) + "\\.ffn_.*_exps", "CPU"});
    }
  } else if (contains(placement, "exps=CPU") || contains(placement, "experts CPU")) {
    settings.cpu_moe = true;
  } else if (const auto n = number_after(placement, "n-cpu-moe ")) {
    settings.n_cpu_moe = *n;
  } else if (const auto layers = number_after(placement, "-ngl ")) {
    settings.n_gpu_layers = *layers;
  } else if (contains(placement, "layers on GPU")) {
    settings.n_gpu_layers = std::atoll(std::string(placement).c_str());
  }
  if (const auto ubatch = number_after(placement, "ubatch ")) {
    settings.n_ubatch = *ubatch;
    settings.n_batch = std::max(settings.n_batch, *ubatch);
  }
  // More than the device holds is not all on it, whatever "-ngl 99" asks.
  const auto room = static_cast<Bytes>(settings.devices.size()) * setup.device->memory;
  const bool too_large = setup.device->memory > 0 && setup.model.weight_bytes() > room &&
                         settings.overrides.empty() && !settings.cpu_moe &&
                         settings.n_cpu_moe == 0 &&
                         (settings.n_gpu_layers < 0 || settings.n_gpu_layers > n_layer);
  if (contains(placement, "auto") || too_large) {
    settings.n_gpu_layers = -1;
    const auto capacity = usable_capacity(*setup.device, {});
    LlamaCppEstimator estimator(setup.model);
    FitGoal goal;
    for (const LlamaCppDevice& it : settings.devices) {
      goal.rooms.push_back({it.name, capacity ? capacity.value().usable.bytes : it.total});
    }
    const auto planned = plan_offload(estimator, setup.model, settings, goal);
    if (!planned) return "it does not fit";
    settings = planned.value().best.settings;
  }
  return std::nullopt;
}

std::optional<std::string> set_up(const CsvRow& row, ModelStore& store, Setup& setup) {
  auto model = model_of_row(row, store);
  if (!model) return "the model is in no catalog";
  auto mix = mix_of_row(row, *model);
  if (!mix) return "the format is not known";
  mix->options.imatrix = ftype_info(mix->ftype).requires_imatrix;
  auto quantized = apply_mix(*model, *mix);
  if (!quantized) return "llama-quantize refuses the format";
  setup.model = std::move(quantized.value());
  if (setup.model.architecture == "gpt-oss" && contains(row["quant"], "F16")) {
    // Files of that name keep all but the experts in 16 bits.
    for (Tensor& tensor : setup.model.tensors) {
      if (tensor.type == GgmlType::Q8_0) tensor.type = GgmlType::F16;
    }
  }
  setup.device = device_in(row["hardware"]);
  setup.gpu_gb_s = row.number("gpu_mem_bw_gbs");
  setup.host_gb_s = row.number("cpu_mem_bw_gbs");
  if (setup.device != nullptr && setup.gpu_gb_s == 0) setup.gpu_gb_s = setup.device->bandwidth_gb_s;
  setup.settings = default_settings(LlamaCppProgram::library);
  setup.settings.n_ctx = 4096;
  if (setup.device != nullptr) {
    for (std::int64_t i = 0; i < gpu_count(row["hardware"]); ++i) {
      setup.settings.devices.push_back(llama_cpp_device(*setup.device, usual_backend(*setup.device),
                                                        setup.device->memory, false));
      setup.settings.devices.back().name = "gpu" + std::to_string(i);
    }
  }
  if (contains(row["note"], "ubatch 2048")) setup.settings.n_ubatch = 2048;
  // llama.cpp decides by itself since the end of August 2025; before, it was off unless asked for.
  if (row["date"] < std::string_view("2025-09") && !contains(row["note"], "flash attention on")) {
    setup.settings.flash_attention = FlashAttention::off;
  }
  setup.prompt = row.number("prompt_len", 512);
  setup.n_batch = row.number("batch", 1);
  // llama-bench generates from an empty cache; batched-bench and requests after their prompt.
  const bool after_prompt = contains(row["runtime"], "batched") || contains(row["runtime"], "kt");
  setup.depth =
      row.number("depth") + row.number("gen_len", 300) / 2 + (after_prompt ? setup.prompt : 0);
  return place(row["placement"], setup);
}

SpeedMachine machine_of(const CsvRow& row, const Setup& setup) {
  SpeedMachine machine;
  if (setup.device != nullptr) {
    machine.gpus.assign(setup.settings.devices.size(), *setup.device);
    for (Device& gpu : machine.gpus) gpu.bandwidth_gb_s = setup.gpu_gb_s;
  }
  machine.host_gb_s = setup.host_gb_s;
  // Of two sockets one counts: threads read the other's memory through the link between them.
  // KTransformers keeps a copy of the experts in each and uses both.
  const bool both =
      contains(row["runtime"], "ktransformers") && contains(row["placement"], "2 sock");
  if (contains(row["cpu"], "2x") && !both) machine.host_gb_s /= 2;
  if (const auto ram = number_after(row["cpu"], "DDR4-2667 "))
    machine.host_usable = *ram * kGiB - kSystemRoom;
  if (const auto ram = number_after(row["hardware"], " + ");
      ram && contains(row["hardware"], "GB RAM")) {
    machine.host_usable = *ram * kGiB - kSystemRoom;
  }
  if (contains(row["hardware"], "PCIe 3.0 x8")) machine.link_gb_s = 6.5;
  if (row["date"] < std::string_view("2024-09")) machine.age = SoftwareAge::before_autumn_2024;
  return machine;
}

/// "20.7+22.3 GB GPU, 14.1 GB CPU, rest disk": the number in front of `what`, all summands.
double gb_before(std::string_view placement, std::string_view what) {
  const std::size_t at = placement.find(what);
  if (at == std::string_view::npos) return 0;
  const std::size_t comma = placement.substr(0, at).rfind(',');
  std::string text(placement.substr(comma == std::string_view::npos ? 0 : comma + 1));
  double sum = 0;
  for (char* p = text.data(); *p != 0 && *p != 'G';) {
    char* end = nullptr;
    const double number = std::strtod(p, &end);
    if (end != p) sum += number;
    p = end == p ? p + 1 : end;
  }
  return sum;
}

/// Programs that bring weights to the GPU for every token, where the row says how many bytes.
std::optional<SpeedRange> streamed(const CsvRow& row, const Setup& setup) {
  constexpr double kSpread = 1.5;  // rate_spread() of machines that were not measured
  constexpr double kGiga = 1e9;
  double seconds = 0;
  const std::string_view placement = row["placement"];
  if (contains(row["runtime"], "accelerate")) {
    const auto shape = offload_shape(setup.model);
    if (!shape || setup.device == nullptr) return std::nullopt;
    const double bytes = contains(row["quant"], "32") ? 4 : 2;
    const double all = bytes * static_cast<double>(setup.model.n_params());
    StreamedWeights weights;
    weights.cpu = kGiga * gb_before(placement, " GB CPU");
    if (contains(placement, "rest disk")) {
      weights.disk = std::max(0.0, all - weights.cpu - kGiga * gb_before(placement, " GB GPU"));
    }
    const OffloadConstants rates =
        scaled_from_t4(t4_measured(), {setup.device->fp16_tflops, setup.gpu_gb_s, 0, 0, 0, 0});
    const OffloadWorkload work = {setup.prompt, std::max(2 * (setup.depth - setup.prompt), 2.0)};
    seconds =
        streaming_times(shape.value(), rates, work, StreamingRuntime::accelerate, weights, 1).token;
  } else if (const auto moved = number_after(placement, "VRAM, ");
             moved && contains(placement, "pinned RAM")) {
    // All layers alike; pinned copies that wait for nothing but the link.
    const double link = contains(row["hardware"], "PCIe 3.0 x8") ? 6.5 : 0;
    if (link == 0 || setup.gpu_gb_s == 0) return std::nullopt;
    constexpr double kReached = 0.88;
    const auto all = static_cast<double>(setup.model.weight_bytes());
    const double part =
        static_cast<double>(*moved) / static_cast<double>(setup.model.layers.size());
    seconds = all * part / (link * kGiga) + all / (kReached * setup.gpu_gb_s * kGiga);
  } else {
    return std::nullopt;
  }
  return SpeedRange{1 / seconds / kSpread, 1 / seconds, kSpread / seconds};
}

/// Inside the stated range, for the report of coverage.
struct Coverage {
  std::size_t inside = 0;
  std::size_t all = 0;
};

void compare(const CsvRow& row, const std::string& id, const char* column, const SpeedRange& range,
             double factor, const std::string& terms, Evaluation& evaluation, Coverage& coverage) {
  if (row[column].empty()) return;
  const double measured = row.number(column);
  if (measured <= 0) return;
  if (range.likely <= 0) {
    evaluation.unsupported.push_back({id, column, {}, "the arithmetic rate is not known"});
    return;
  }
  const double estimate = range.likely * factor;
  const double half = half_last_digit(row[column]);
  const bool inside =
      measured + half >= range.low * factor && measured - half <= range.high * factor;
  ++coverage.all;
  if (inside) ++coverage.inside;
  char text[96];
  std::snprintf(text, sizeof text, "%.3g to %.3g, %s; ", range.low * factor, range.high * factor,
                inside ? "inside" : "outside");
  evaluation.comparisons.push_back({id,
                                    column,
                                    std::string(row["model"]),
                                    {},
                                    estimate,
                                    measured,
                                    relative_error(estimate, measured, half),
                                    text + terms});
}

Evaluation evaluate(const CsvTable& table, ModelStore& store) {
  Evaluation evaluation;
  evaluation.rows = table.size();
  Coverage decode;
  Coverage prefill;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const CsvRow row(table, i);
    const std::string id = "line " + std::to_string(i + 2);
    Setup setup;
    auto reason = set_up(row, store, setup);
    if (reason && *reason == kStreamed) {
      if (const auto range = streamed(row, setup)) {
        compare(row, id, "decode_tok_s", *range, 1, std::string(row["placement"]), evaluation,
                decode);
        ++evaluation.estimated;
        continue;
      }
    }
    if (reason) {
      evaluation.unsupported.push_back({id, "all", {}, std::move(*reason)});
      continue;
    }
    const auto places = step_work(setup.model, setup.settings, 1, 0);
    if (setup.host_gb_s == 0 && places && places.value().back().weight_bytes() > 0) {
      evaluation.unsupported.push_back({id, "all", {}, "the bandwidth of the RAM is not given"});
      continue;
    }
    const auto speed =
        estimate_speed(setup.model, setup.settings, machine_of(row, setup),
                       {setup.prompt, setup.depth, setup.n_batch, row.number("depth")});
    if (!speed) {
      evaluation.unsupported.push_back({id, "all", {}, speed.error().code});
      continue;
    }
    const Speed& it = speed.value();
    const SpeedPart& binding = it.decode[it.binding];
    // Rates over whole requests contain reading the prompt: 5 to 9 % by the table's own note.
    const bool request = contains(row["note"], "average over the request");
    const std::size_t before = evaluation.comparisons.size();
    compare(row, id, "decode_tok_s", it.decode_tok_s, request ? 1 / 1.07 : 1,
            "limit " + binding.id + " of " + binding.place + ", " + std::string(row["placement"]) +
                ", " + std::string(row["hardware"]),
            evaluation, decode);
    compare(row, id, "prefill_tok_s", it.prompt_tok_s, 1,
            std::string(row["placement"]) + ", " + std::string(row["hardware"]), evaluation,
            prefill);
    if (evaluation.comparisons.size() > before) ++evaluation.estimated;
  }
  const auto note = [](const char* name, const Coverage& it) {
    return std::string(name) + ": " + std::to_string(it.inside) + " of " + std::to_string(it.all) +
           " readings lie inside the stated range";
  };
  evaluation.notes = {note("decode_tok_s", decode), note("prefill_tok_s", prefill)};
  return evaluation;
}

}  // namespace
}  // namespace throughput

const TableEvaluator kThroughput = {"throughput", throughput::is_throughput, throughput::evaluate};

}  // namespace validate
