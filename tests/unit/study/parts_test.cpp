// Draft models, towers and adapters as the page asks for them.
#include "core/study/parts.hpp"

#include <catch_amalgamated.hpp>

#include "core/readers/gguf_model.hpp"
#include "core/study/projector.hpp"
#include "core/study/study.hpp"
#include "tests/unit/readers/gguf_bytes.hpp"

namespace meyasu {
namespace {

const Catalog& catalog() {
  static const Catalog built_in = Catalog::built_in().value();
  return built_in;
}

Model llama() {
  return model_of(*catalog().find("meta-llama/Llama-3.1-8B")).value();
}

TEST_CASE("who may draft has the vocabulary and a third of the size at most", "[parts]") {
  const Model model = llama();
  const auto candidates = draft_candidates(model, catalog());
  REQUIRE_FALSE(candidates.empty());
  bool one_b = false;
  for (const CatalogEntry* entry : candidates) {
    const Model draft = model_of(*entry).value();
    CHECK(std::llabs(draft.n_vocab - model.n_vocab) <= 128);
    CHECK(draft.n_params() * 3 <= model.n_params() + model.n_params() / 10);
    one_b |= entry->id == "meta-llama/Llama-3.2-1B";
  }
  CHECK(one_b);
}

TEST_CASE("a study keeps the parts of one question, and estimates count them", "[parts]") {
  InferenceStudy study(llama());
  PartsQuestion asked;
  CHECK(study.parts(asked, catalog()).value() == nullptr);
  asked.draft = "meta-llama/Llama-3.2-1B";
  asked.draft_mix = "Q8_0";
  const auto parts = study.parts(asked, catalog());
  REQUIRE(parts.ok());
  CHECK(study.parts(asked, catalog()).value() == parts.value());
  LlamaCppSettings settings = settings_for(LlamaCppProgram::server, {8192, 1}).value();
  settings.devices.resize(1);
  const auto without = study.llama_cpp("Q4_K_M", settings).value();
  settings.parts = parts.value();
  const auto with = study.llama_cpp("Q4_K_M", settings).value();
  // The weights of the 1B draft in Q8_0 and 16 layers of cache.
  CHECK(total_on(with, "gpu0") > total_on(without, "gpu0") + kGiB + 256 * kMiB);
  CHECK(study.llama_cpp_point("Q4_K_M", settings, {.gpu_usable = 24 * kGiB}).device ==
        total_on(with, "gpu0"));
}

TEST_CASE("a projector's file is asked for with its tensors' bytes, and no other file", "[parts]") {
  const auto model_of_file = [](std::string_view architecture) {
    testing::GgufBytes file;
    file.start(2, 1).kv_string("general.architecture", architecture);
    file.tensor("v.patch_embd.weight", {14, 14, 3, 1153}, 1, 0);  // F16
    file.tensor("mm.0.bias", {4099}, 0, 1355936);                 // F32
    file.pad();
    return model_from_gguf(testing::read_gguf(file.bytes, 1 << 20, 1 << 24).value()).value();
  };
  const Bytes bytes = 14 * 14 * 3 * 1153 * 2 + 4099 * 4;
  const auto mib = projector_mib(model_of_file("clip"));
  REQUIRE(mib.ok());
  const auto parts = make_parts(llama(), {.mmproj_mib = mib.value()}, catalog()).value();
  CHECK(parts.mmproj->weight_bytes() == bytes);
  CHECK(projector_mib(model_of_file("llama")).error() == Error{"not_projector", "mmproj_mib", ""});
  CHECK(projector_mib(llama()).error().code == "not_projector");
}

TEST_CASE("parts that make no sense get an error each", "[parts]") {
  const Model model = llama();
  const auto error = [&](auto change) {
    PartsQuestion asked;
    change(asked);
    return make_parts(model, asked, catalog()).error();
  };
  CHECK(error([](PartsQuestion& q) { q.mmproj_mib = -1; }).field == "mmproj_mib");
  CHECK(error([](PartsQuestion& q) { q.lora_rank = 99999; }) ==
        Error{"value_range", "lora_rank", "0..4096"});
  CHECK(error([](PartsQuestion& q) {
          q.lora_rank = 8;
          q.n_lora = 0;
        }).field == "n_lora");
  CHECK(error([](PartsQuestion& q) {
          q.draft = "no/such";
          q.draft_mix = "Q8_0";
        }).code == "draft_unknown");
  CHECK(error([](PartsQuestion& q) {
          q.draft = "meta-llama/Llama-3.2-1B";
          q.draft_mix = "Q9";
        }).code == "mix_unknown");
}

TEST_CASE("the best format of a server has the largest weights that serve everybody", "[parts]") {
  InferenceStudy study(llama());
  ServingSettings settings;
  settings.device_total = 16 * kGiB;
  settings.max_model_len = 8192;
  settings.users = 4;
  const auto best = best_serving_format(study, settings);
  REQUIRE(best.ok());
  CHECK(serves(best.value().best, 4));
  CHECK(best.value().format != "bf16");
  settings.users = 4000;
  CHECK(best_serving_format(study, settings).error().code == "none_fits");
}

}  // namespace
}  // namespace meyasu
