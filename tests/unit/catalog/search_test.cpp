#include "core/catalog/search.hpp"

#include <algorithm>
#include <catch_amalgamated.hpp>
#include <string>
#include <vector>

using namespace meyasu;

namespace {

const Catalog& catalog() {
  static const Result<Catalog> built_in = Catalog::built_in();
  REQUIRE(built_in.ok());
  return built_in.value();
}

std::vector<std::string> ids(std::string_view query, std::size_t limit = 1000) {
  const CatalogSearch search(catalog());
  std::vector<std::string> found;
  for (const std::size_t index : search.find(query, limit)) {
    found.push_back(catalog().entries()[index].id);
  }
  return found;
}

bool has(const std::vector<std::string>& found, const std::string& id) {
  return std::find(found.begin(), found.end(), id) != found.end();
}

}  // namespace

TEST_CASE("one spelling stands for every width, case and kana", "[search]") {
  CHECK(fold_for_search("ＬＬａｍａ　３") == "llama 3");
  CHECK(fold_for_search("らま") == "ラマ");
  CHECK(fold_for_search("ﾗﾏ") == "ラマ");
  CHECK(fold_for_search("ｼﾞｪﾏ") == "ジェマ");
  CHECK(fold_for_search("ﾌﾟﾗﾓ") == "プラモ");
  CHECK(fold_for_search("スワロー") == fold_for_search("すわろ"));
  CHECK(fold_for_search("ｽﾜﾛｰ") == fold_for_search("スワロー"));
  CHECK(fold_for_search("a\xff\xe3z") == "az");
}

TEST_CASE("words may come in any order and need not be whole", "[search]") {
  const auto found = ids("8b llama 3.1");
  REQUIRE_FALSE(found.empty());
  CHECK(found.front() == "meta-llama/Llama-3.1-8B");
  CHECK(ids("3.1 8B Llama") == found);
  CHECK(ids("llama3.1-8b").front() == "meta-llama/Llama-3.1-8B");
  CHECK(ids("qwen3 30b").front() == "Qwen/Qwen3-30B-A3B");
  CHECK(has(ids("instr mixtral"), "mistralai/Mixtral-8x7B-Instruct-v0.1"));
}

TEST_CASE("an exact name comes first", "[search]") {
  CHECK(ids("Qwen2.5-7B").front() == "Qwen/Qwen2.5-7B");
  CHECK(ids("gpt2").front() == "openai-community/gpt2");
  CHECK(ids("gpt-oss-20b").front() == "openai/gpt-oss-20b");
  CHECK(ids("ラマ 8b").front() == "meta-llama/Llama-3.1-8B");
}

TEST_CASE("names are found by their Japanese reading", "[search]") {
  CHECK(has(ids("ラマ"), "meta-llama/Llama-3.1-8B"));
  CHECK(has(ids("ﾗﾏ3"), "meta-llama/Meta-Llama-3-8B"));
  CHECK(has(ids("イライザ"), "elyza/Llama-3-ELYZA-JP-8B"));
  CHECK(has(ids("エルザ"), "elyza/ELYZA-japanese-Llama-2-7b"));
  CHECK(has(ids("りんな"), "rinna/youri-7b"));
  CHECK(has(ids("すわろー"), "tokyotech-llm/Swallow-7b-hf"));
  CHECK(has(ids("さらしな"), "sbintuitions/sarashina2-7b"));
  CHECK(has(ids("プラモ"), "pfnet/plamo-2-1b"));
  CHECK(has(ids("ジェマ 27b"), "google/gemma-3-27b-it"));
  CHECK(has(ids("クウェン"), "Qwen/Qwen3-8B"));
  CHECK(has(ids("ミストラル"), "mistralai/Mistral-7B-v0.1"));
  CHECK(has(ids("ファイ"), "microsoft/phi-2"));
  CHECK(has(ids("ディープシーク"), "deepseek-ai/DeepSeek-V3"));
  CHECK(has(ids("サイバーエージェント"), "cyberagent/calm3-22b-chat"));
  CHECK(has(ids("ストックマーク"), "stockmark/stockmark-13b"));
  CHECK(has(ids("日本語 8b"), "elyza/Llama-3-ELYZA-JP-8B"));
  CHECK(has(ids("ラマスワロー"), "tokyotech-llm/Llama-3-Swallow-8B-v0.1"));
}

TEST_CASE("a size finds models of that size, not names that contain its digits", "[search]") {
  const auto seven = ids("7b");
  CHECK(has(seven, "meta-llama/Llama-2-7b-hf"));
  CHECK(has(seven, "Qwen/Qwen2.5-7B"));
  CHECK_FALSE(has(seven, "google/gemma-2-27b"));
  CHECK_FALSE(has(seven, "meta-llama/Llama-2-70b-hf"));
  CHECK(ids("70億") == seven);
  CHECK(ids("７Ｂ") == seven);
  CHECK(has(ids("1.5b qwen"), "Qwen/Qwen2.5-1.5B"));
  CHECK(has(ids("1.35億"), "HuggingFaceTB/SmolLM2-135M"));
  CHECK(has(ids("70"), "meta-llama/Llama-2-70b-hf"));
}

TEST_CASE("nothing is found for what is not there, everything for nothing", "[search]") {
  CHECK(ids("zzzz").empty());
  CHECK(ids("llama zzzz").empty());
  CHECK(ids("").size() == catalog().entries().size());
  CHECK(ids("", 5).size() == 5);
  CHECK(ids("", 1).front() == catalog().entries().front().id);
  CHECK(ids(" -/. ").size() == catalog().entries().size());
}

TEST_CASE("Japanese makers are in the catalog", "[search]") {
  for (const char* maker : {"elyza", "swallow", "rinna", "cyberagent", "llm-jp", "plamo",
                            "sarashina", "stockmark", "sakana", "rakuten"}) {
    INFO(maker);
    CHECK_FALSE(ids(maker).empty());
  }
}
