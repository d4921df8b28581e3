// Logs: no text may crash, overflow or hang, and what is read stays bounded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/study/log_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const meyasu::LogReading log = meyasu::read_log({reinterpret_cast<const char*>(data), size});
  for (const meyasu::LogBuffer& buffer : log.buffers) {
    if (buffer.bytes < 0 || buffer.rounding < 0) std::abort();
  }
  for (const meyasu::MeasuredOverhead& measured : meyasu::measured_overhead(log)) {
    if (measured.bytes < 0) std::abort();
  }
  const meyasu::LlamaCppSettings settings = meyasu::settings_of_log(log, {});
  if (settings.devices.size() > 256 || settings.n_ctx < 0) std::abort();
  (void)meyasu::truth_rows(log);
  return 0;
}
