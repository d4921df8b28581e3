#include "core/inference/llama_cpp/weight_pattern.hpp"

#include <catch_amalgamated.hpp>
#include <string>

using namespace meyasu;

namespace {

bool matches(std::string_view pattern, std::string_view name) {
  const auto compiled = WeightPattern::compile(pattern);
  REQUIRE(compiled.ok());
  return compiled.value().matches(name);
}

}  // namespace

TEST_CASE("weight patterns match anywhere in a name, as regex_search does") {
  CHECK(matches("exps", "blk.3.ffn_up_exps.weight"));
  CHECK_FALSE(matches("exps", "blk.3.ffn_up.weight"));
  CHECK(matches("^blk", "blk.3.ffn_up.weight"));
  CHECK_FALSE(matches("^ffn", "blk.3.ffn_up.weight"));
  CHECK(matches("weight$", "blk.3.ffn_up.weight"));
  CHECK_FALSE(matches("ffn_up$", "blk.3.ffn_up.weight"));
  CHECK(matches("", "anything"));
}

TEST_CASE("patterns people pass to -ot select the weights they mean") {
  const std::string experts = R"(\.ffn_(up|down|gate|gate_up)_(ch|)exps)";
  CHECK(matches(experts, "blk.0.ffn_gate_exps.weight"));
  CHECK(matches(experts, "blk.10.ffn_gate_up_exps.weight"));
  CHECK(matches(experts, "blk.0.ffn_down_chexps.weight"));
  CHECK_FALSE(matches(experts, "blk.0.ffn_gate_inp.weight"));
  CHECK_FALSE(matches(experts, "blk.0.ffn_up_shexp.weight"));

  const std::string some_blocks = R"(blk\.(1[0-9]|2[0-3])\.ffn_.*_exps\.weight)";
  CHECK(matches(some_blocks, "blk.10.ffn_up_exps.weight"));
  CHECK(matches(some_blocks, "blk.23.ffn_up_exps.weight"));
  CHECK_FALSE(matches(some_blocks, "blk.24.ffn_up_exps.weight"));
  CHECK_FALSE(matches(some_blocks, "blk.1.ffn_up_exps.weight"));
  CHECK_FALSE(matches(some_blocks, "blk.11.ffn_up.weight"));

  CHECK(matches(R"(blk\.\d{1,2}\.attn)", "blk.61.attn_q.weight"));
  CHECK_FALSE(matches(R"(blk\.\d{1,2}\.attn)", "blk.161.attn_q.weight"));
  CHECK(matches(R"(ffn_(?:gate|up)\.)", "blk.0.ffn_up.weight"));
  CHECK(matches("blk.[^0]+.attn", "blk.12.attn_q"));
  CHECK_FALSE(matches("blk.[^0]+.attn", "blk.0.attn_q"));
  CHECK(matches("colou?r", "color"));
  CHECK(matches("a+b", "aaab"));
  CHECK_FALSE(matches("a+b", "b"));
  CHECK(matches("a{2,}b", "aab"));
  CHECK_FALSE(matches("^a{2,}b", "ab"));
  CHECK(matches("[a-]b", "-b"));
  CHECK(matches(R"([\d.]+)", "1.5"));
}

TEST_CASE("patterns outside the documented subset are refused with the position") {
  for (const char* pattern : {"(", ")", "a)", "[", "[a", "*a", "a{", "a{2", "a{3,1}", "a{999}",
                              R"(\1)", R"(\b)", "a\\", "(?=a)", "[[:alpha:]]", "[z-a]"}) {
    INFO(pattern);
    const auto compiled = WeightPattern::compile(pattern);
    REQUIRE_FALSE(compiled.ok());
    CHECK(compiled.error().code == "override_pattern");
    CHECK(compiled.error().field == "overrides");
    CHECK_FALSE(compiled.error().detail.empty());
  }
}

TEST_CASE("hostile patterns neither hang nor grow without bound") {
  CHECK_FALSE(matches("^(a*)*(a|aa)+(a*)*$", std::string(60, 'a') + "!"));
  CHECK_FALSE(WeightPattern::compile("((((a{255}){255}){255}){255}){255}").ok());
  CHECK_FALSE(WeightPattern::compile(std::string(1000, '(')).ok());
}
