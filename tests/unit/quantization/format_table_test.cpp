#include "core/quantization/format_table.hpp"

#include <catch_amalgamated.hpp>
#include <set>

#include "tests/unit/quantization/llama_model.hpp"
#include "tests/unit/quantization/truth_tables.hpp"

using namespace meyasu;
using namespace meyasu::truth;

namespace {

const FormatRow& row_of(const FormatTable& table, const std::string& id) {
  for (const FormatRow& row : table.rows) {
    if (row.id == id) return row;
  }
  FAIL("no row " << id);
  return table.rows.front();
}

bool has_row(const FormatTable& table, const std::string& id) {
  for (const FormatRow& row : table.rows) {
    if (row.id == id) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the table lists every format once, from small to large, with a formula and a source") {
  const Model model = read_model("Llama-3.1-8B");
  const FormatTable table = format_table(model);
  CHECK(table.rows.size() >= 45);
  CHECK(table.refused.empty());
  CHECK_FALSE(table.gguf_names_missing);
  std::set<std::string> ids;
  Bytes last = 0;
  for (const FormatRow& row : table.rows) {
    INFO(row.id);
    CHECK(row.bytes >= last);
    last = row.bytes;
    ids.insert(row.id);
    CHECK_FALSE(row.formula.expression.empty());
    CHECK_FALSE(row.source.empty());
    CHECK_FALSE(row.quality.source.empty());
    CHECK(row.evidence == Evidence::exact);
  }
  CHECK(ids.size() == table.rows.size());
  CHECK(row_of(table, "bf16").relative_to_bf16 == 1.0);
  // Measured: llama-quantize --dry-run.
  CHECK(row_of(table, "gguf-Q4_K_M").bytes == 4912898304);
  CHECK(row_of(table, "gguf-Q4_K_M").recommendation == "recommend_gguf");
}

TEST_CASE("formats for experts appear only where there are experts") {
  const FormatTable dense = format_table(llama_model({2, 256, 4, 4, 512, 1024}));
  CHECK_FALSE(has_row(dense, "gguf-MXFP4_MOE"));
  CHECK_FALSE(has_row(dense, "mxfp4-experts"));
  const FormatTable experts = format_table(read_model("gpt-oss-20b"));
  CHECK(row_of(experts, "gguf-MXFP4_MOE").recommendation == "recommend_native");
  CHECK(row_of(experts, "mxfp4-experts").quality.level == QualityLevel::native);
}

TEST_CASE("mixes that llama-quantize refuses are listed with the tensor that stops it") {
  const FormatTable table = format_table(llama_model({2, 256, 4, 4, 500, 1024}));
  CHECK_FALSE(has_row(table, "gguf-Q8_0"));
  bool refused = false;
  for (const RefusedFormat& format : table.refused) {
    if (format.id == "gguf-Q8_0") refused = format.error.detail == "blk.0.ffn_down.weight";
  }
  CHECK(refused);
}

TEST_CASE("without GGUF names there are no mixes, and the table says so") {
  Model model = llama_model({2, 256, 4, 4, 512, 1024});
  model.tensors.front().name = "model.embed_tokens.weight";
  const FormatTable table = format_table(model);
  CHECK(table.gguf_names_missing);
  CHECK_FALSE(has_row(table, "gguf-Q4_K_M"));
  CHECK(has_row(table, "awq-4bit-g128"));
}

TEST_CASE("a sweep sums exactly the rows of the table") {
  const Model model = read_model("Qwen3-30B-A3B");
  const FormatTable table = format_table(model);
  Bytes total = 0;
  for (const FormatRow& row : table.rows) total += row.bytes;
  const FormatSweep sweep = sweep_formats(model);
  CHECK(sweep.n_formats == static_cast<int>(table.rows.size()));
  CHECK(sweep.total_bytes == total);
}
