// config.json: no input may crash, overflow or hang, and every accepted model has sane sizes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/model/derive_tensors.hpp"
#include "core/readers/config_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto architecture = meyasu::architecture_from_config(text);
  if (!architecture.ok()) return 0;
  // Deep models derive thousands of tensors: one input in sixteen, so that most inputs run fast.
  if (architecture.value().n_layer > 2 && size % 16 != 0) return 0;
  const auto model = meyasu::derive_model(architecture.value(), meyasu::MtpTensors::all);
  if (!model.ok()) return 0;
  if (model.value().n_params() < 0 || model.value().weight_bytes() < 0) std::abort();
  const auto count = meyasu::count_parameters(architecture.value());
  if (!count.ok() || count.value().active > count.value().language) std::abort();
  return 0;
}
