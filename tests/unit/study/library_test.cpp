// Transformers and ExLlama in a study: what they load, where it fits, how far it goes.
#include "core/study/library.hpp"

#include <catch_amalgamated.hpp>

#include "core/launch/launch.hpp"
#include "tests/unit/support/catalogs.hpp"

namespace meyasu {
namespace {

InferenceStudy study_of(const char* id) {
  return InferenceStudy(catalog_model_of(id));
}

LibraryQuestion question(LibraryRuntime runtime, std::string format, Bytes usable) {
  LibraryQuestion asked;
  asked.runtime = runtime;
  asked.format = std::move(format);
  asked.context = 8192;
  asked.gpus.resize(1);
  asked.gpus.front().usable = usable;
  asked.host_usable = 32 * kGiB;
  return asked;
}

TEST_CASE("libraries load what is nearest to a mix of llama.cpp", "[library]") {
  const auto like = [](LibraryRuntime runtime, Ftype ftype) {
    return format_id(library_format_like(runtime, ftype));
  };
  CHECK(like(LibraryRuntime::transformers, Ftype::F16) == "bf16");
  CHECK(like(LibraryRuntime::transformers, Ftype::Q8_0) == "int8-bnb");
  CHECK(like(LibraryRuntime::transformers, Ftype::Q4_K_M) == "bnb-nf4");
  CHECK(like(LibraryRuntime::exllamav2, Ftype::Q4_K_M) == "exl2-4.5bpw");
  CHECK(like(LibraryRuntime::exllamav3, Ftype::F16) == "bf16");
  CHECK(exllama_bits_like(LibraryRuntime::exllamav2, GgmlType::Q5_0) == 6);
  CHECK(exllama_bits_like(LibraryRuntime::exllamav3, GgmlType::Q5_0) == 5);
  CHECK(exllama_bits_like(LibraryRuntime::exllamav3, GgmlType::F16) == 16);
}

TEST_CASE("an 8B model in 16 bit fills 24 GiB with Transformers, in 4 bits it has room",
          "[library]") {
  InferenceStudy study = study_of("meta-llama/Llama-3.1-8B");
  const auto wide =
      estimate_library(study, question(LibraryRuntime::transformers, "bf16", 16 * kGiB));
  REQUIRE(wide.ok());
  CHECK(wide.value().fit.verdict == Verdict::over);
  const auto narrow =
      estimate_library(study, question(LibraryRuntime::exllamav3, "exl3-4bpw", 12 * kGiB));
  REQUIRE(narrow.ok());
  CHECK(narrow.value().fit.verdict == Verdict::fits);
  CHECK(estimate_library(study, question(LibraryRuntime::exllamav2, "exl3-4bpw", kGiB))
            .error()
            .code == "format_unknown");
}

TEST_CASE("a point of a library is the estimate of that point", "[library]") {
  InferenceStudy study = study_of("meta-llama/Llama-3.1-8B");
  for (const Bytes usable : {12 * kGiB, 24 * kGiB}) {
    const LibraryQuestion asked = question(LibraryRuntime::transformers, "bf16", usable);
    const MachineFit fit = estimate_library(study, asked).value().fit;
    const SweepPoint point = library_point(study, asked);
    CHECK(point.possible);
    CHECK(point.verdict == fit.verdict);
    CHECK(point.device == fit.places.front().fit.likely);
  }
  CHECK_FALSE(
      library_point(study, question(LibraryRuntime::exllamav2, "bf17", 12 * kGiB)).possible);
}

TEST_CASE("without a GPU Transformers computes in RAM and ExLlama says what it needs",
          "[library]") {
  InferenceStudy study = study_of("meta-llama/Llama-3.1-8B");
  LibraryQuestion cpu = question(LibraryRuntime::transformers, "bf16", 0);
  cpu.gpus.clear();
  const auto estimate = estimate_library(study, cpu);
  REQUIRE(estimate.ok());
  for (const Term& term : estimate.value().terms) CHECK(term.device == "host");
  // Whoever shows the answer finds a place, though nothing fits into no memory.
  cpu.host_usable = 0;
  const auto nowhere = estimate_library(study, cpu);
  REQUIRE(nowhere.value().fit.tightest == 0);
  CHECK(nowhere.value().fit.verdict == Verdict::over);
  cpu.runtime = LibraryRuntime::exllamav2;
  cpu.format = "exl2-4bpw";
  CHECK(estimate_library(study, cpu).error() == Error{"needs_gpu", "machine", "NVIDIA, AMD"});
}

TEST_CASE("the longest context and the most users are the last steps that fit", "[library]") {
  InferenceStudy study = study_of("meta-llama/Llama-3.1-8B");
  for (const auto& [runtime, format] : {std::pair(LibraryRuntime::exllamav3, "exl3-4bpw"),
                                        std::pair(LibraryRuntime::transformers, "bnb-nf4")}) {
    const LibraryQuestion asked = question(runtime, format, 12 * kGiB);
    const auto fits = [&](LibraryQuestion at) {
      return estimate_library(study, at).value().fit.verdict != Verdict::over;
    };
    const auto context = longest_library_context(study, asked);
    REQUIRE(context.ok());
    const std::int64_t step = runtime == LibraryRuntime::transformers ? 1 : 256;
    LibraryQuestion at = asked;
    at.context = context.value().value;
    CHECK(fits(at));
    at.context += step;
    CHECK((context.value().at_limit || !fits(at)));
    const auto users = most_library_users(study, asked);
    REQUIRE(users.ok());
    at = asked;
    at.users = users.value().value;
    CHECK(fits(at));
    ++at.users;
    CHECK_FALSE(fits(at));
  }
}

TEST_CASE("the best format is the one with the most bits that fits", "[library]") {
  InferenceStudy study = study_of("meta-llama/Llama-3.1-8B");
  const auto best =
      best_library_format(study, question(LibraryRuntime::exllamav3, "bf16", 12 * kGiB));
  REQUIRE(best.ok());
  const auto formats = library_formats(LibraryRuntime::exllamav3);
  const auto at = static_cast<std::size_t>(best.value().value);
  CHECK(best.value().best.fit.verdict != Verdict::over);
  const auto larger = estimate_library(
      study, question(LibraryRuntime::exllamav3, format_id(formats[at - 1]), 12 * kGiB));
  CHECK(larger.value().fit.verdict == Verdict::over);
}

TEST_CASE("programs for ExLlama hold the sizes of the estimate", "[library][launch]") {
  InferenceStudy study = study_of("meta-llama/Llama-3.1-8B");
  LibraryQuestion asked = question(LibraryRuntime::exllamav3, "exl3-4bpw", 24 * kGiB);
  asked.context = 8000;  // pages of 256
  asked.users = 2;
  asked.k_bits = 8;
  asked.v_bits = 4;
  const auto launch = launch_library(study, asked, "my \"model\"");
  REQUIRE(launch.ok());
  const std::string& text = launch.value().blocks.front().text;
  CHECK(text.find("max_num_tokens=16384, layer_type=CacheLayer_quant, k_bits=8, v_bits=4") !=
        std::string::npos);
  CHECK(text.find("\"my \\\"model\\\"\"") != std::string::npos);
  asked.runtime = LibraryRuntime::exllamav2;
  asked.format = "exl2-4bpw";
  const auto second = launch_library(study, asked, "model");
  REQUIRE(second.ok());
  CHECK(second.value().blocks.front().text.find("ExLlamaV2Cache_Q8(model, max_seq_len=16384") !=
        std::string::npos);
  CHECK(second.value().missing == std::vector<std::string>{"type_v"});
}

}  // namespace
}  // namespace meyasu
