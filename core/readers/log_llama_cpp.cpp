#include <algorithm>
#include <array>
#include <utility>

#include "core/readers/log_lines.hpp"

namespace meyasu {
namespace {

std::string_view last_word(std::string_view text) {
  text = trim(text);
  const std::size_t blank = text.find_last_of(" \t:");
  return blank == std::string_view::npos ? text : text.substr(blank + 1);
}

std::string_view without_last_word(std::string_view text) {
  text = trim(text);
  return text.substr(0, text.size() - last_word(text).size());
}

/// "load_tensors:  CUDA0 model buffer size = 4403.49 MiB"; before 2025 without the word "model".
bool read_buffer(const LlamaCppLog& state, std::string_view line, LogReading& log) {
  constexpr std::string_view kWords = " buffer size";
  const std::size_t at = line.find(kWords);
  if (at == std::string_view::npos) return false;
  const auto value = value_of(line.substr(at + 1), "buffer size");
  const auto size = value ? leading_size(*value) : std::nullopt;
  if (!size) return false;
  const std::string_view before = line.substr(0, at);
  const std::string_view kind = last_word(before);
  const std::string_view place = last_word(without_last_word(before));
  if (state.passing_over) return true;
  if (kind == "model") {
    put_buffer(log, "weights", place, *size);
  } else if (kind == "KV") {
    put_buffer(log, state.window_cache ? "kv_cache_window" : "kv_cache", place, *size);
  } else if (kind == "RS") {
    put_buffer(log, "recurrent_state", place, *size);
  } else if (kind == "output") {
    put_buffer(log, "output_buffer", place, *size);
  } else if (kind == "compute") {
    put_buffer(log, "compute_buffer", place, *size);
  } else if (line.find("load_tensors") != std::string_view::npos) {
    put_buffer(log, "weights", kind, *size);
  }
  return true;
}

/// "llama_model_load: using device CUDA0 (NVIDIA GeForce RTX 3090) (0000:01:00.0) - 23287 MiB free"
bool read_device(std::string_view line, LogReading& log) {
  const auto rest = after(line, "using device ");
  if (!rest) return false;
  const std::size_t open = rest->find(" (");
  const std::size_t dash = rest->rfind(" - ");
  if (open == std::string_view::npos || dash == std::string_view::npos) return false;
  LogDevice* device = device_at(log, rest->substr(0, open));
  if (device == nullptr) return true;
  const std::string_view name = rest->substr(open + 2);
  device->name = name.substr(0, std::min(name.find(')'), std::size_t{120}));
  if (const auto size = leading_size(rest->substr(dash + 3))) device->free = size->bytes;
  return true;
}

/// "|   - CUDA0 (RTX 4060 Ti) | 16379 = 1028 + (14200 = 13000 + 1000 + 200) + 1150 |", in MiB:
/// total = free + (own = model + context + compute) + unaccounted.
bool read_breakdown(std::string_view line, LogReading& log) {
  if (line.find("memory_breakdown") == std::string_view::npos) return false;
  const auto row = after(line, "|   - ");
  if (!row) return true;
  const std::size_t bar = row->find('|');
  if (bar == std::string_view::npos) return true;
  const std::string_view place = trim(row->substr(0, std::min(bar, row->find('('))));
  if (gpu_of_place(place) < 0) return true;
  std::array<std::int64_t, 7> numbers = {};
  std::size_t count = 0;
  std::string_view rest = row->substr(bar + 1);
  while (count < numbers.size()) {
    const std::size_t digit = rest.find_first_of("0123456789");
    if (digit == std::string_view::npos) break;
    const bool negative = digit > 0 && rest[digit - 1] == '-';
    rest.remove_prefix(digit);
    const auto value = leading_integer(rest);
    if (!value) break;
    numbers[count++] = negative ? -*value : *value;
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
  }
  LogDevice* device = device_at(log, place);
  if (count < numbers.size() || device == nullptr) return true;
  const auto& [total, free, own, model, context, compute, unaccounted] = numbers;
  constexpr std::int64_t kMostMib = std::int64_t{1} << 30;
  if (total < 0 || total > kMostMib) return true;
  device->total = total * kMiB;
  // While fitting, before anything is loaded, the last column is meaningless.
  if (own > 0 && unaccounted >= 0 && unaccounted < total) device->unaccounted = unaccounted * kMiB;
  return true;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kFacts = {{
    {"general.name", "model"},
    {"arch", "arch"},
    {"model params", "n_params"},
    {"n_ctx", "n_ctx"},
    {"n_batch", "n_batch"},
    {"n_ubatch", "n_ubatch"},
    {"n_seq_max", "users"},
    {"flash_attn", "flash_attention"},
    {"kv_unified", "kv_unified"},
    {"build", "build"},
    {"file type", "ftype"},
    {"model ftype", "ftype"},
}};

/// Lines of the library begin with the name of a function.
bool is_library_line(std::string_view line) {
  for (const std::string_view name :
       {"print_info:", "llm_load_print_meta:", "llama_context:", "llama_new_context_with_model:",
        "llama_init_from_model:", "main: build", "build:", "build ="}) {
    if (line.find(name) != std::string_view::npos) return true;
  }
  return false;
}

void read_facts(LlamaCppLog& state, std::string_view line, LogReading& log) {
  const auto layers = value_of(line, "n_layer");
  const auto width = value_of(line, "n_embd");
  for (const auto& [found, known] :
       {std::pair{layers, &state.n_layer}, std::pair{width, &state.n_embd}}) {
    const std::int64_t value = found ? leading_integer(*found).value_or(-1) : -1;
    if (value < 0) continue;
    if (*known >= 0 && *known != value) {
      state.passing_over = true;
      log.second_model = true;
    }
    if (*known < 0) *known = value;
  }
  if (state.passing_over) return;
  for (const auto& [printed, name] : kFacts) {
    const auto value = value_of(line, printed);
    // The name of a second model comes before its number of layers: the first of each is kept.
    const bool about_the_model = name == "model" || name == "arch" || name == "ftype";
    if (value && !(about_the_model && !log.fact(name).empty())) put_fact(log, name, *value);
  }
}

/// "K (f16): 512.00 MiB, V (q8_0): 272.00 MiB"
void read_cache_types(std::string_view line, LogReading& log) {
  for (const auto& [printed, name] :
       {std::pair<std::string_view, std::string_view>{" K (", "type_k"}, {" V (", "type_v"}}) {
    if (const auto type = after(line, printed))
      put_fact(log, name, type->substr(0, type->find(')')));
  }
}

}  // namespace

bool read_llama_cpp_line(LlamaCppLog& state, std::string_view line, LogReading& log) {
  if (read_buffer(state, line, log) || read_device(line, log) || read_breakdown(line, log)) {
    return true;
  }
  if (is_library_line(line)) {
    read_facts(state, line, log);
    if (!state.passing_over) read_cache_types(line, log);
    return true;
  }
  if (line.find("general.name") != std::string_view::npos) {
    if (log.fact("model").empty()) put_fact(log, "model", value_of(line, "str").value_or(""));
    return true;
  }
  if (const auto file = after(line, "loaded meta data with ")) {
    // "... key-value pairs and 291 tensors from /models/x.gguf (version GGUF V3 (latest))"
    const auto from = after(*file, " from ");
    if (from && log.fact("file").empty()) {
      std::string_view path = from->substr(0, from->find(" (version"));
      const std::size_t slash = path.find_last_of("/\\");
      if (slash != std::string_view::npos) path = path.substr(slash + 1);
      put_fact(log, "file", path);
    }
    return true;
  }
  if (line.find("kv_cache") != std::string_view::npos) {
    if (line.find("non-SWA KV cache") != std::string_view::npos) {
      state.window_cache = false;
    } else if (line.find("SWA KV cache") != std::string_view::npos) {
      state.window_cache = true;
    }
    if (!state.passing_over) read_cache_types(line, log);
    return true;
  }
  if (const auto rest = after(line, "offloaded ")) {
    // "offloaded 33/33 layers to GPU"
    const std::size_t slash = rest->find('/');
    if (slash == std::string_view::npos || rest->find("layers to GPU") == std::string_view::npos) {
      return false;
    }
    if (!state.passing_over) put_fact(log, "n_gpu_layers", rest->substr(0, slash));
    return true;
  }
  return false;
}

bool read_ollama_line(std::string_view line, LogReading& log) {
  if (line.find("level=") == std::string_view::npos ||
      line.find("msg=") == std::string_view::npos) {
    return false;
  }
  for (const auto& [printed, term] :
       {std::pair<std::string_view, std::string_view>{"model weights", "weights"},
        {"kv cache", "kv_cache"},
        {"compute graph", "compute_buffer"}}) {
    const auto message = value_of(line, "msg");
    if (!message || *message != printed) continue;
    const auto size = leading_size(value_of(line, "size").value_or(""));
    const std::string_view place = value_of(line, "device").value_or("");
    if (size && !place.empty()) {
      put_buffer(log, term, place.substr(0, place.find(' ')), *size);
    }
  }
  for (const auto& [printed, name] :
       {std::pair<std::string_view, std::string_view>{"--ctx-size ", "n_ctx"},
        {"--batch-size ", "n_batch"},
        {"--parallel ", "users"},
        {"--kv-cache-type ", "type_k"},
        {"--n-gpu-layers ", "n_gpu_layers"},
        {"KvSize:", "n_ctx"},
        {"Parallel:", "users"},
        {"BatchSize:", "n_batch"}}) {
    if (const auto value = after(line, printed)) {
      put_fact(log, name, value->substr(0, value->find_first_of(" \"")));
    }
  }
  return true;
}

}  // namespace meyasu
