#include "core/model/breakdown.hpp"

#include <catch_amalgamated.hpp>
#include <string>
#include <vector>

#include "core/catalog/catalog.hpp"
#include "tests/unit/support/truth_model.hpp"

using namespace meyasu;

namespace {

struct Published {
  const char* header;
  std::int64_t params;
};

const GroupWeight* find(const std::vector<GroupWeight>& groups, WeightGroup wanted) {
  for (const GroupWeight& group : groups) {
    if (group.group == wanted) return &group;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a file's parameters are those its publisher counts", "[breakdown]") {
  // Model pages of the publishers; the Llama files also store 64 and 32 rotary factors.
  for (const auto& [header, params] :
       {Published{"Llama-3.1-8B", 8'030'261'248}, Published{"Llama-3.2-1B", 1'235'814'400},
        Published{"Qwen2.5-7B", 7'615'616'512}, Published{"Mixtral-8x7B", 46'702'792'704},
        Published{"Qwen3-30B-A3B", 30'532'122'624}}) {
    INFO(header);
    CHECK(count_parameters(testing::truth_model(header)).total == params);
  }
}

TEST_CASE("routed experts are active in proportion to those used", "[breakdown]") {
  // Mixtral: 2 of 8 experts of 3 x 4096 x 14336 in 32 blocks; 12.9 billion active by its paper.
  const ModelParameters mixtral = count_parameters(testing::truth_model("Mixtral-8x7B"));
  CHECK(mixtral.total - mixtral.active == std::int64_t{6} * 3 * 4096 * 14336 * 32);
  const ModelParameters dense = count_parameters(testing::truth_model("Llama-3.1-8B"));
  CHECK(dense.active == dense.total);
}

TEST_CASE("groups and blocks sum to the weights", "[breakdown]") {
  for (const std::string header : {"Llama-3.1-8B", "gpt-oss-20b", "LFM2-1.2B", "Mamba-2.8B",
                                   "Granite-4.0-H-Tiny", "DeepSeek-V2-Lite"}) {
    INFO(header);
    const Model model = testing::truth_model(header);
    Bytes sum = 0;
    double share = 0;
    for (const GroupWeight& group : weight_by_group(model)) {
      sum += group.bytes;
      share += group.share;
    }
    CHECK(sum == model.weight_bytes());
    CHECK(share == Catch::Approx(1).epsilon(1e-12));

    Bytes in_blocks = 0;
    for (const BlockWeight& block : weight_by_block(model)) in_blocks += block.bytes;
    Bytes outside = 0;
    for (const Tensor& tensor : model.tensors) {
      if (tensor.layer < 0) outside += tensor.bytes();
    }
    CHECK(in_blocks + outside == model.weight_bytes());
  }
}

TEST_CASE("each group holds what its name says", "[breakdown]") {
  // Llama 3.1 8B in F16: 128256 x 4096 in table and head; q, k, v, o; gate, up, down.
  const auto groups = weight_by_group(testing::truth_model("Llama-3.1-8B"));
  CHECK(find(groups, WeightGroup::embedding)->n_params == 128256LL * 4096);
  CHECK(find(groups, WeightGroup::output_head)->n_params == 128256LL * 4096);
  CHECK(find(groups, WeightGroup::attention)->n_params == 32LL * 4096 * (2 * 4096 + 2 * 1024));
  CHECK(find(groups, WeightGroup::feed_forward)->n_params == 32LL * 3 * 4096 * 14336);
  CHECK(find(groups, WeightGroup::experts) == nullptr);
  CHECK(find(groups, WeightGroup::recurrent) == nullptr);
  CHECK(find(weight_by_group(testing::truth_model("Mamba-2.8B")), WeightGroup::recurrent));
}

TEST_CASE("stored bytes may differ from the tensors' own", "[breakdown]") {
  Model model;
  model.tensors = {
      {.name = "token_embd.weight", .ne = {8, 4, 1, 1}, .role = TensorRole::embedding},
      {.name = "blk.0.attn_q.weight", .ne = {8, 8, 1, 1}, .role = TensorRole::attention}};
  const std::vector<Bytes> stored = {100, 300};
  const auto groups = weight_by_group(model, stored);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].bytes == 100);
  CHECK(groups[1].n_params == 64);
  CHECK(groups[1].share == 0.75);
}

TEST_CASE("the largest block is 1, blocks of one shape are equal", "[breakdown]") {
  const auto blocks = weight_by_block(testing::truth_model("Llama-2-7B"));
  REQUIRE(blocks.size() == 32);
  for (const BlockWeight& block : blocks) CHECK(block.of_largest == 1);
  // The first of DeepSeek-V2-Lite's 27 blocks is dense and small.
  const auto deepseek = weight_by_block(testing::truth_model("DeepSeek-V2-Lite"));
  REQUIRE(deepseek.size() == 27);
  CHECK(deepseek[0].of_largest < 0.5);
  CHECK(deepseek[1].of_largest == 1);
}

TEST_CASE("a model of which only the count is known has no parts", "[breakdown]") {
  const Model model;
  CHECK(weight_by_group(model).empty());
  CHECK(weight_by_block(model).empty());
  CHECK(count_parameters(model).total == 0);
}
