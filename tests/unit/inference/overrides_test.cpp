// -ot as it is typed.
#include "core/inference/llama_cpp/overrides.hpp"

#include <catch_amalgamated.hpp>

namespace meyasu {
namespace {

std::vector<LlamaCppDevice> devices(std::initializer_list<LlamaCppBackend> backends) {
  std::vector<LlamaCppDevice> list;
  for (const LlamaCppBackend backend : backends) {
    LlamaCppDevice& device = list.emplace_back();
    device.backend = backend;
    device.name = "gpu" + std::to_string(list.size() - 1);
  }
  return list;
}

TEST_CASE("-ot is cut at commas, and devices have the names that llama.cpp prints", "[overrides]") {
  const auto two = devices({LlamaCppBackend::cuda, LlamaCppBackend::cuda});
  const auto parsed = parse_overrides(R"(blk\.[0-9]\.ffn_.*_exps=CPU, exps=CUDA1,up=gpu0)", two);
  REQUIRE(parsed.ok());
  REQUIRE(parsed.value().size() == 3);
  CHECK(parsed.value()[0].pattern == R"(blk\.[0-9]\.ffn_.*_exps)");
  CHECK(parsed.value()[0].device == "CPU");
  CHECK(parsed.value()[1].device == "gpu1");
  CHECK(parsed.value()[2].device == "gpu0");
  CHECK(parse_overrides("", two).value().empty());
  CHECK(parse_overrides("  ", two).value().empty());
}

TEST_CASE("a device counts those of its own backend", "[overrides]") {
  const auto mixed = devices({LlamaCppBackend::cuda, LlamaCppBackend::rocm, LlamaCppBackend::cuda});
  CHECK(backend_device_name(mixed, 0) == "CUDA0");
  CHECK(backend_device_name(mixed, 1) == "ROCm0");
  CHECK(backend_device_name(mixed, 2) == "CUDA1");
  CHECK(backend_device_name(devices({LlamaCppBackend::metal}), 0) == "Metal");
}

TEST_CASE("what is no -ot gets an error each", "[overrides]") {
  const auto one = devices({LlamaCppBackend::cuda});
  const auto error = [&](std::string_view text) { return parse_overrides(text, one).error(); };
  CHECK(error("exps") == Error{"override_syntax", "overrides", "exps"});
  CHECK(error("=CPU").code == "override_syntax");
  CHECK(error("exps=CUDA7") == Error{"override_device", "overrides", "CUDA7"});
  CHECK(error("(=CPU").code == "override_pattern");
  CHECK(error("exps=CPU,,up=CPU").code == "override_syntax");
}

}  // namespace
}  // namespace meyasu
