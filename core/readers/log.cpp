#include "core/readers/log.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/readers/log_lines.hpp"

namespace meyasu {
namespace {

constexpr std::size_t kMaxLine = 4096;
constexpr std::size_t kMaxEntries = 256;
constexpr std::size_t kMaxValue = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

}  // namespace

std::string_view log_source_name(LogSource source) {
  switch (source) {
    case LogSource::unknown:
      return "";
    case LogSource::llama_cpp:
      return "llama.cpp";
    case LogSource::ollama:
      return "ollama";
    case LogSource::vllm:
      return "vllm";
    case LogSource::sglang:
      return "sglang";
    case LogSource::nvidia_smi:
      return "nvidia-smi";
  }
  return "";
}

std::string_view LogReading::fact(std::string_view name) const {
  for (const LogFact& fact : facts) {
    if (fact.name == name) return fact.value;
  }
  return {};
}

std::int64_t LogReading::number(std::string_view name) const {
  return leading_integer(fact(name)).value_or(-1);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::optional<std::string_view> after(std::string_view line, std::string_view word) {
  const std::size_t at = line.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  return line.substr(at + word.size());
}

std::optional<std::string_view> value_of(std::string_view line, std::string_view key) {
  for (std::size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
    if (at > 0 && is_word(line[at - 1])) continue;
    std::string_view rest = line.substr(at + key.size());
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (rest.empty() || (rest.front() != '=' && rest.front() != ':')) continue;
    rest = trim(rest.substr(1));
    if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
      const char quote = rest.front();
      rest.remove_prefix(1);
      return rest.substr(0, rest.find(quote));
    }
    return trim(rest.substr(0, rest.find_first_of(",;)\"'")));
  }
  return std::nullopt;
}

std::optional<std::int64_t> leading_integer(std::string_view text) {
  text = trim(text);
  constexpr std::int64_t kMost = std::int64_t{1} << 50;
  std::int64_t value = 0;
  std::size_t at = 0;
  for (; at < text.size() && (is_digit(text[at]) || (at > 0 && text[at] == ',')); ++at) {
    if (text[at] == ',') continue;
    value = value * 10 + (text[at] - '0');
    if (value > kMost) return std::nullopt;
  }
  if (at == 0) return std::nullopt;
  return value;
}

std::optional<PrintedSize> leading_size(std::string_view text) {
  text = trim(text);
  constexpr std::int64_t kMostDigits = 1'000'000'000'000;
  std::int64_t mantissa = 0;
  std::int64_t scale = 1;
  bool fraction = false;
  std::size_t at = 0;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !fraction)); ++at) {
    if (text[at] == '.') {
      fraction = true;
      continue;
    }
    if (mantissa > kMostDigits || scale > kMostDigits) return std::nullopt;
    mantissa = mantissa * 10 + (text[at] - '0');
    if (fraction) scale *= 10;
  }
  if (at == 0) return std::nullopt;
  const std::string_view unit = trim(text.substr(at));
  Bytes size = 0;
  if (unit.substr(0, 3) == "MiB" || unit.substr(0, 2) == "MB") {
    size = kMiB;
  } else if (unit.substr(0, 3) == "GiB" || unit.substr(0, 2) == "GB") {
    size = kGiB;
  } else if (unit.substr(0, 3) == "KiB") {
    size = 1024;
  } else if (unit.substr(0, 1) == "B" && (unit.size() == 1 || !is_word(unit[1]))) {
    size = 1;
  } else {
    return std::nullopt;
  }
  const double bytes =
      static_cast<double>(mantissa) / static_cast<double>(scale) * static_cast<double>(size);
  constexpr double kMostBytes = 1e16;
  if (!(bytes < kMostBytes)) return std::nullopt;
  // Half a unit of the last digit, and runtimes cut as often as they round: a whole one.
  return PrintedSize{std::llround(bytes), size == 1 ? 0 : size / scale + 1};
}

void put_fact(LogReading& log, std::string_view name, std::string_view value) {
  value = trim(value).substr(0, kMaxValue);
  if (value.empty()) return;
  for (LogFact& fact : log.facts) {
    if (fact.name != name) continue;
    fact.value = value;
    return;
  }
  if (log.facts.size() < kMaxEntries) log.facts.push_back({std::string(name), std::string(value)});
}

void put_buffer(LogReading& log, std::string_view term, std::string_view place, PrintedSize size) {
  place = place.substr(0, kMaxValue);
  for (LogBuffer& buffer : log.buffers) {
    if (buffer.term != term || buffer.place != place) continue;
    buffer.bytes = size.bytes;
    buffer.rounding = size.rounding;
    return;
  }
  if (log.buffers.size() < kMaxEntries) {
    log.buffers.push_back({std::string(term), std::string(place), size.bytes, size.rounding});
  }
}

LogDevice* device_at(LogReading& log, std::string_view place) {
  place = place.substr(0, kMaxValue);
  for (LogDevice& device : log.devices) {
    if (device.place == place) return &device;
  }
  if (log.devices.size() >= kMaxEntries) return nullptr;
  LogDevice& made = log.devices.emplace_back();
  made.place = place;
  return &made;
}

int gpu_of_place(std::string_view place) {
  if (place.find("_Host") != std::string_view::npos) return -1;
  for (const std::string_view kind :
       {"CUDA", "ROCm", "Vulkan", "SYCL", "Metal", "MTL", "CANN", "MUSA", "OpenCL", "gpu", "GPU"}) {
    if (place.substr(0, kind.size()) != kind) continue;
    constexpr std::int64_t kMost = 255;
    return static_cast<int>(
        std::min(leading_integer(place.substr(kind.size())).value_or(0), kMost));
  }
  return -1;
}

LogReading read_log(std::string_view text) {
  LogReading log;
  text = text.substr(0, kMaxLogBytes);
  LlamaCppLog llama_cpp;
  int smi_gpu = -1;
  std::array<bool, 6> seen = {};
  const auto mark = [&](LogSource source, bool own) {
    if (own) seen[static_cast<std::size_t>(source)] = true;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, std::min(end, kMaxLine));
    text.remove_prefix(std::min(end + 1, text.size()));
    mark(LogSource::llama_cpp, read_llama_cpp_line(llama_cpp, line, log));
    mark(LogSource::ollama, read_ollama_line(line, log));
    mark(LogSource::vllm, read_vllm_line(line, log));
    mark(LogSource::sglang, read_sglang_line(line, log));
    mark(LogSource::nvidia_smi, read_nvidia_smi_line(line, log, smi_gpu));
  }
  // Ollama's log holds llama.cpp's lines, and a table of nvidia-smi may follow any log.
  for (const LogSource source : {LogSource::ollama, LogSource::vllm, LogSource::sglang,
                                 LogSource::llama_cpp, LogSource::nvidia_smi}) {
    if (!seen[static_cast<std::size_t>(source)]) continue;
    log.source = source;
    break;
  }
  return log;
}

}  // namespace meyasu
