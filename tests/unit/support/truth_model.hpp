// The measured models' own headers, read as the product reads a visitor's file.
#pragma once

#include <catch_amalgamated.hpp>
#include <string>
#include <utility>

#include "core/readers/gguf_model.hpp"
#include "tests/unit/readers/gguf_bytes.hpp"

namespace meyasu::testing {

/// `name` as in tests/truth/gguf, without the extension.
inline Model truth_model(const std::string& name) {
  const auto header = read_gguf(read_test_file("truth/gguf/" + name + ".gguf"));
  REQUIRE(header.ok());
  auto model = model_from_gguf(header.value());
  REQUIRE(model.ok());
  return std::move(model.value());
}

}  // namespace meyasu::testing
