#include "core/catalog/name_match.hpp"

#include <catch_amalgamated.hpp>
#include <string>

using namespace meyasu;

namespace {

std::string id_of(std::string_view file_name) {
  static const Result<Catalog> catalog = Catalog::built_in();
  REQUIRE(catalog.ok());
  const CatalogEntry* entry = entry_of_file(catalog.value(), file_name);
  return entry != nullptr ? entry->id : "";
}

}  // namespace

TEST_CASE("a file name holds the name of its model", "[catalog]") {
  CHECK(id_of("Qwen3-30B-A3B-UD-Q4_K_XL.gguf") == "Qwen/Qwen3-30B-A3B");
  CHECK(id_of("Mixtral-8x7B-Instruct-v0.1.Q5_K_S.gguf") == "mistralai/Mixtral-8x7B-Instruct-v0.1");
  CHECK(id_of("meta-llama_llama-3.1-8b-q8_0.gguf") == "meta-llama/Llama-3.1-8B");
  CHECK(id_of("openai_gpt-oss-20b-MXFP4.gguf") == "openai/gpt-oss-20b");
}

TEST_CASE("the longer of two names that fit counts", "[catalog]") {
  CHECK(id_of("Qwen3-Next-80B-A3B-Instruct-Q4_K_M.gguf") == "Qwen/Qwen3-Next-80B-A3B-Instruct");
}

TEST_CASE("parts of words and names without a size match nothing", "[catalog]") {
  CHECK(id_of("").empty());
  CHECK(id_of("my-favourite-model.gguf").empty());
  CHECK(id_of("NotQwen3-8Bx.gguf").empty());
  CHECK(id_of(std::string(100'000, 'x')).empty());
}
