#include "core/serving/exllama.hpp"

#include <catch_amalgamated.hpp>
#include <string>

#include "core/quantization/format.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;
using namespace meyasu::testing;

namespace {

ExllamaEstimate estimate(const Model& model, const ExllamaSettings& settings) {
  const auto bytes = tensor_bytes_in(model, exl(FormatMethod::exl2, 4.0));
  const auto result = estimate_exllama(model, bytes, settings);
  REQUIRE(result.ok());
  return result.value();
}

Bytes bytes_of(const ExllamaEstimate& e, const std::string& id,
               const std::string& device = "gpu0") {
  Bytes total = 0;
  for (const Term& term : e.terms) {
    if (term.id == id && term.device == device) total += term.bytes;
  }
  return total;
}

}  // namespace

TEST_CASE("the FP16 cache takes 4 L n_kv d bytes a token, all at once", "[exllama]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto e = estimate(model, {.max_seq_len = 8192});
  CHECK(bytes_of(e, "kv_cache") == Bytes{4} * 32 * 8 * 128 * 8192);
  CHECK(estimate(model, {.max_seq_len = 8000}).max_seq_len == 8192);
  CHECK(estimate(model, {}).max_seq_len == 131072);
}

TEST_CASE("Q4 cache takes 4.5 bits a value, Q8 about half of FP16", "[exllama]") {
  const Model model = truth_model("Llama-3.1-8B");
  const Bytes full = bytes_of(estimate(model, {.max_seq_len = 8192}), "kv_cache");
  const Bytes q4 =
      bytes_of(estimate(model, {.max_seq_len = 8192, .k_bits = 4, .v_bits = 4}), "kv_cache");
  const Bytes q8 =
      bytes_of(estimate(model, {.max_seq_len = 8192, .k_bits = 8, .v_bits = 8}), "kv_cache");
  const Bytes mixed =
      bytes_of(estimate(model, {.max_seq_len = 8192, .k_bits = 8, .v_bits = 4}), "kv_cache");
  CHECK(q4 * 32 == full * 9);   // 4.5 / 16
  CHECK(q8 * 32 == full * 17);  // 8.5 / 16
  CHECK(mixed * 2 == q4 + q8);
}

TEST_CASE("the token table may stay in RAM, but a tied one is the head too", "[exllama]") {
  const Model model = truth_model("Llama-3.1-8B");
  const Bytes table = Bytes{128256} * 4096 * 2;
  const auto host = estimate(model, {.max_seq_len = 256});
  const auto gpu = estimate(model, {.max_seq_len = 256, .embeddings_on_host = false});
  CHECK(bytes_of(host, "weights", "host") == table);
  CHECK(bytes_of(gpu, "weights") == bytes_of(host, "weights") + table);
  CHECK(bytes_of(gpu, "weights", "host") == 0);
  const Model tied = truth_model("Llama-3.2-1B");
  CHECK(bytes_of(estimate(tied, {.max_seq_len = 256}), "weights") ==
        bytes_of(estimate(tied, {.max_seq_len = 256, .embeddings_on_host = false}), "weights"));
}

TEST_CASE("absurd ExLlama settings get an error", "[exllama]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto bytes = tensor_bytes_in(model, exl(FormatMethod::exl2, 4.0));
  const auto error = [&](const ExllamaSettings& s) {
    return estimate_exllama(model, bytes, s).error();
  };
  CHECK(error({.max_seq_len = -1}).code == "ctx_range");
  CHECK(error({.max_seq_len = 1'000'000'000'000}).code == "ctx_range");
  CHECK(error({.k_bits = 1}).code == "kv_bits");
  CHECK(error({.v_bits = 12}).field == "v_bits");
  CHECK(estimate_exllama(Model{}, {}, {}).error().code == "arch_unknown");
  const auto far = estimate(model, {.max_seq_len = 262144});
  REQUIRE(far.warnings.size() == 1);
  CHECK(far.warnings.front().code == "ctx_over");
}

TEST_CASE("a quantized cache needs one layer's K and V in 16 bit beside it", "[exllama]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto q4 = estimate(model, {.max_seq_len = 8192, .k_bits = 4, .v_bits = 4});
  CHECK(bytes_of(q4, "kv_scratch") == Bytes{4} * 8 * 128 * 8192);
  CHECK(bytes_of(estimate(model, {.max_seq_len = 8192}), "kv_scratch") == 0);
}

TEST_CASE("conversations share one pool of pages", "[exllama]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto one = estimate(model, {.max_seq_len = 8192});
  const auto four = estimate(model, {.max_seq_len = 8192, .users = 4});
  CHECK(bytes_of(four, "kv_cache") == 4 * bytes_of(one, "kv_cache"));
  CHECK(four.max_seq_len == 8192);
}

TEST_CASE("blocks go to the next card when the first is full; nothing is lost", "[exllama]") {
  const Model model = truth_model("Llama-3.1-8B");
  const auto one = estimate(model, {.max_seq_len = 8192});
  ExllamaSettings two{.max_seq_len = 8192};
  two.gpus = {{{}, 4 * kGiB}, {{}, 24 * kGiB}};
  const auto split = estimate(model, two);
  Bytes first = 0;
  for (const Term& term : split.terms) {
    if (term.device == "gpu0") first += term.bytes;
  }
  CHECK(first <= 4 * kGiB);
  CHECK(first > 4 * kGiB - 300 * kMiB);  // one block less than full
  CHECK(bytes_of(split, "weights") + bytes_of(split, "weights", "gpu1") ==
        bytes_of(one, "weights"));
  CHECK(bytes_of(split, "kv_cache") + bytes_of(split, "kv_cache", "gpu1") ==
        bytes_of(one, "kv_cache"));
}
