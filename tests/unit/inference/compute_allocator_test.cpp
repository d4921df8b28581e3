#include <array>
#include <catch_amalgamated.hpp>

#include "core/inference/llama_cpp/allocator.hpp"
#include "core/inference/llama_cpp/graph.hpp"

using namespace meyasu;

namespace {

BlockAllocator unlimited(Bytes alignment = 32) {
  BlockAllocator allocator;
  allocator.reset(alignment, BlockAllocator::kUnlimited);
  return allocator;
}

}  // namespace

TEST_CASE("sizes are rounded up to the alignment of the buffer") {
  BlockAllocator allocator = unlimited(128);
  CHECK(allocator.allocate(1).offset == 0);
  CHECK(allocator.allocate(129).offset == 128);
  CHECK(allocator.high_water() == 384);
}

TEST_CASE("the smallest hole that fits is taken, the later one of equal holes") {
  BlockAllocator allocator = unlimited();
  const auto a = allocator.allocate(96);
  static_cast<void>(allocator.allocate(32));
  const auto b = allocator.allocate(64);
  static_cast<void>(allocator.allocate(32));
  const auto c = allocator.allocate(64);
  static_cast<void>(allocator.allocate(32));
  allocator.release(a, 96);
  allocator.release(b, 64);
  allocator.release(c, 64);
  CHECK(allocator.allocate(64).offset == c.offset);
  CHECK(allocator.allocate(64).offset == b.offset);
  CHECK(allocator.allocate(64).offset == a.offset);
}

TEST_CASE("the end of the buffer is used only when no hole fits") {
  BlockAllocator allocator = unlimited();
  const auto a = allocator.allocate(64);
  const auto b = allocator.allocate(32);
  allocator.release(a, 64);
  CHECK(allocator.allocate(96).offset == 96);
  CHECK(allocator.high_water() == 192);
  allocator.release(b, 32);
  CHECK(allocator.allocate(96).offset == 0);  // the two holes became one
  CHECK(allocator.high_water() == 192);
}

TEST_CASE("a device that limits allocations gets several chunks, whose marks add up") {
  BlockAllocator allocator;
  allocator.reset(32, 128);
  const auto a = allocator.allocate(96);
  const auto b = allocator.allocate(96);
  CHECK(a.chunk == 0);
  CHECK(b.chunk == 1);
  const auto large = allocator.allocate(320);  // more than a chunk: one of its own
  CHECK(large.chunk == 2);
  CHECK(allocator.high_water() == 96 + 96 + 320);
}

TEST_CASE("an element-wise result takes the place of a source that nobody else reads") {
  Graph graph;
  const TensorId x = graph.input(GgmlType::F32, {256, 1, 1, 1}, GraphLabel::none);
  const TensorId product = graph.mul(x, x);     // x read twice: new memory
  const TensorId twice = graph.scale(product);  // in place
  graph.expand(twice);
  const std::array<BackendMemory, 1> memory = {BackendMemory{}};
  std::vector<PlacedTensor> leafs;
  std::vector<PlacedTensor> nodes;
  for (const TensorId id : graph.leafs()) leafs.push_back({id, 0});
  for (const TensorId id : graph.nodes()) nodes.push_back({id, 0});
  GraphAllocator allocator;
  allocator.run(graph, leafs, nodes, memory);
  CHECK(allocator.buffer_bytes(0) == 2 * 1024);
}

TEST_CASE("a source that is viewed or an output is never overwritten") {
  for (const bool viewed : {true, false}) {
    Graph graph;
    const TensorId x = graph.input(GgmlType::F32, {256, 1, 1, 1}, GraphLabel::none);
    const TensorId a = graph.scale(x);
    TensorId b = kNoTensor;
    if (viewed) {
      b = graph.scale(graph.reshape(a, {16, 16, 1, 1}));
    } else {
      graph[a].flags |= GraphTensor::kOutput;
      b = graph.scale(a);
    }
    graph.expand(b);
    const std::array<BackendMemory, 1> memory = {BackendMemory{}};
    std::vector<PlacedTensor> leafs;
    std::vector<PlacedTensor> nodes;
    for (const TensorId id : graph.leafs()) leafs.push_back({id, 0});
    for (const TensorId id : graph.nodes()) nodes.push_back({id, 0});
    GraphAllocator allocator;
    allocator.run(graph, leafs, nodes, memory);
    CHECK(allocator.buffer_bytes(0) == 2 * 1024);  // a in place of x, b beside it
  }
}

TEST_CASE("a strided view counts from its first to its last byte") {
  Graph graph;
  const TensorId rows = graph.input(GgmlType::F32, {100, 10, 1, 1}, GraphLabel::none);
  const TensorId part = graph.view_2d(rows, 25, 10, 400);
  CHECK(graph_tensor_bytes(graph[part]) == 9 * 400 + 25 * 4);
  CHECK_FALSE(is_contiguous(graph[part]));
  const TensorId empty = graph.view_2d(rows, 25, 0, 400);
  CHECK(graph_tensor_bytes(graph[empty]) == 0);
  const TensorId blocks = graph.external(GgmlType::Q4_0, {64, 3, 1, 1}, 0, 0, GraphLabel::weight);
  CHECK(graph_tensor_bytes(graph[blocks]) == 3 * 36);
}

TEST_CASE("sources come before their reader, in slot order, each once") {
  Graph graph;
  const TensorId x = graph.input(GgmlType::F32, {8, 1, 1, 1}, GraphLabel::none);
  const TensorId right = graph.unary(x);
  const TensorId left = graph.sqr(x);
  graph.expand(graph.glu(left, right));
  REQUIRE(graph.nodes().size() == 3);
  CHECK(graph.nodes()[0] == left);
  CHECK(graph.nodes()[1] == right);
  CHECK(graph.leafs() == std::vector<TensorId>{x});
}
