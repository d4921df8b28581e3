// What the readers of logs share: finding words and sizes in one line, and storing what was found.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/readers/log.hpp"

namespace meyasu {

struct PrintedSize {
  Bytes bytes = 0;
  Bytes rounding = 0;
};

[[nodiscard]] std::string_view trim(std::string_view text);
/// The text behind `word`; nothing where the line does not contain it.
[[nodiscard]] std::optional<std::string_view> after(std::string_view line, std::string_view word);
/// The value of "key = value", "key=value" or "key: value" up to the end, a comma or a quote; only
/// where `key` is a word of its own.
[[nodiscard]] std::optional<std::string_view> value_of(std::string_view line, std::string_view key);
/// A whole number at the start of the text, after blanks.
[[nodiscard]] std::optional<std::int64_t> leading_integer(std::string_view text);
/// "281.81 MiB", "14.99GiB", "15.08 GB" (runtimes mean GiB by it), "512 KiB", "4.3 GiB".
[[nodiscard]] std::optional<PrintedSize> leading_size(std::string_view text);

/// Keeps the last value of each name; bounded, whatever the text holds.
void put_fact(LogReading& log, std::string_view name, std::string_view value);
void put_buffer(LogReading& log, std::string_view term, std::string_view place, PrintedSize size);
/// The device of that name, made if new; nullptr once there are too many.
[[nodiscard]] LogDevice* device_at(LogReading& log, std::string_view place);

/// One runtime's state while its log is read line by line.
struct LlamaCppLog {
  bool window_cache = false;
  bool passing_over = false;  // inside the second model
  std::int64_t n_layer = -1;
  std::int64_t n_embd = -1;
};
/// Each says whether the line was one of its own.
bool read_llama_cpp_line(LlamaCppLog& state, std::string_view line, LogReading& log);
bool read_ollama_line(std::string_view line, LogReading& log);
bool read_vllm_line(std::string_view line, LogReading& log);
bool read_sglang_line(std::string_view line, LogReading& log);
bool read_nvidia_smi_line(std::string_view line, LogReading& log, int& gpu);

}  // namespace meyasu
