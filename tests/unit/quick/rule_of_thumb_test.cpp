#include "core/quick/rule_of_thumb.hpp"

#include <catch_amalgamated.hpp>
#include <cmath>

using namespace meyasu;

namespace {

RuleOfThumb rule_for(std::string_view typed, double bits, double factor = kDefaultOverheadFactor) {
  return rule_of_thumb(parse_parameter_count(typed).value(), bits, factor).value();
}

GpuNeed need_of(const RuleOfThumb& rule, std::string_view gpu) {
  for (const GpuNeed& need : rule.gpus) {
    if (need.gpu.name == gpu) return need;
  }
  FAIL("no such GPU: " << gpu);
  return {};
}

}  // namespace

TEST_CASE("the rule of thumb gives the published examples") {
  const RuleOfThumb at_16 = rule_for("70B", 16);
  CHECK(at_16.gb == Catch::Approx(168).epsilon(1e-12));
  CHECK(at_16.weights_gb == 140);
  CHECK(at_16.term.bytes == 168'000'000'000);
  CHECK(need_of(at_16, "A100 80GB").by_rule == 2);
  const RuleOfThumb at_4 = rule_for("70B", 4);
  CHECK(at_4.term.bytes == 42'000'000'000);
  CHECK(need_of(at_4, "L4").by_rule == 2);
  const RuleOfThumb bloom = rule_for("176B", 16);
  CHECK(bloom.weights_gb == 352);
  CHECK(need_of(bloom, "RTX A6000").for_weights == 8);
  CHECK(need_of(bloom, "RTX A6000").for_weights_least == 7);  // 7 x 49140 MiB = 360.7 x 10^9 B
  CHECK(need_of(bloom, "L40S").for_weights_least == 8);       // 7 x 46068 MiB = 338.1 x 10^9 B
  CHECK(rule_for("176B", 16, 1).term.bytes == 352'000'000'000);
}

TEST_CASE("the rule takes any number of bits and any overhead") {
  CHECK(rule_for("7B", 8).term.bytes == 8'400'000'000);
  CHECK(rule_for("7B", 32).term.bytes == 33'600'000'000);
  CHECK(rule_for("8B", 4.5, 1).term.bytes == 4'500'000'000);
  CHECK(rule_for("32B", 1.58, 1).term.bytes == 6'320'000'000);
  CHECK(rule_for("10B", 16, 1.5).term.bytes == 30'000'000'000);
  CHECK(rule_for("1000000B", 32, 10).term.bytes == 40'000'000'000'000'000);
}

TEST_CASE("an amount that fills a GPU to the byte needs one GPU and a byte more needs two") {
  // INT8, factor 1: as many bytes as parameters. A T4 reports 15360 MiB = 16106127360 bytes.
  const ParameterCount full{16.106127360, 16'106'127'360};
  const GpuNeed one = need_of(rule_of_thumb(full, 8, 1).value(), "T4");
  CHECK(one.by_rule_least == 1);
  CHECK(one.for_weights_least == 1);
  const ParameterCount over{16.106127361, 16'106'127'361};
  const GpuNeed two = need_of(rule_of_thumb(over, 8, 1).value(), "T4");
  CHECK(two.by_rule_least == 2);
  CHECK(two.for_weights_least == 2);
}

TEST_CASE("GPUs are counted in ones, twos, fours, eights and then whole machines of eight") {
  // T4, INT8, factor 1: one card for each 16.106 B.
  const auto usual = [](double cards) {
    const double billions = 16.106 * cards - 1;
    return need_of(rule_of_thumb({billions, std::nullopt}, 8, 1).value(), "T4").by_rule;
  };
  CHECK(usual(1) == 1);
  CHECK(usual(2) == 2);
  CHECK(usual(3) == 4);
  CHECK(usual(4) == 4);
  CHECK(usual(5) == 8);
  CHECK(usual(8) == 8);
  CHECK(usual(9) == 16);
  CHECK(usual(16) == 16);
  CHECK(usual(17) == 24);
}

TEST_CASE("the common GPUs are listed by size with the memory they report") {
  int previous = 0;
  for (const CommonGpu& gpu : common_gpus()) {
    CAPTURE(gpu.name);
    CHECK(gpu.nominal_gb >= previous);
    previous = gpu.nominal_gb;
    CHECK(gpu.memory <= gpu.nominal_gb * kGiB);
    CHECK(gpu.memory >= gpu.nominal_gb * kGiB * 9 / 10);
  }
  const RuleOfThumb rule = rule_for("7", 16);
  CHECK(rule.gpus.size() == common_gpus().size());
  for (const std::string_view name :
       {"T4", "L4", "RTX 3090", "RTX 4090", "A100 40GB", "A100 80GB", "H100 80GB", "RTX A6000"}) {
    CHECK(need_of(rule, name).by_rule >= 1);
  }
}

TEST_CASE("the rule shows its formula with the visitor's numbers and calls itself an assumption") {
  const Term term = rule_for("70B", 4, 1.25).term;
  CHECK(term.id == "rule_of_thumb");
  CHECK(term.evidence == Evidence::assumed);
  REQUIRE(term.formula.inputs.size() == 3);
  CHECK(term.formula.inputs[0].value == 70);
  CHECK(term.formula.inputs[1].value == 4);
  CHECK(term.formula.inputs[2].value == 1.25);
}

TEST_CASE("the rule refuses bits, factors and counts outside their ranges") {
  const ParameterCount seven{7, 7'000'000'000};
  for (const double bits : {0.0, -4.0, 0.99, 32.01, std::nan(""), HUGE_VAL}) {
    CAPTURE(bits);
    CHECK(rule_of_thumb(seven, bits).error() == Error{"bits_range", "bits", "1-32"});
  }
  for (const double factor : {0.0, -1.2, 0.99, 10.01, std::nan(""), HUGE_VAL}) {
    CAPTURE(factor);
    CHECK(rule_of_thumb(seven, 16, factor).error() == Error{"factor_range", "factor", "1-10"});
  }
  CHECK(rule_of_thumb({0, 0}, 16).error().code == "not_positive");
  CHECK(rule_of_thumb({2e6, std::nullopt}, 16).error().code == "too_big");
}
