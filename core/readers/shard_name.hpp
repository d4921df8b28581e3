// Names of the parts of split checkpoints: NAME-00002-of-00005.gguf, .safetensors.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meyasu {

/// `number` counts from 1.
struct ShardName {
  std::string prefix;
  int number = 0;
  int count = 0;
};

/// Nothing unless the name has the form PREFIX-%05d-of-%05d SUFFIX with a number in its count.
[[nodiscard]] std::optional<ShardName> parse_shard_name(std::string_view file_name,
                                                        std::string_view suffix);
[[nodiscard]] std::string shard_name(std::string_view prefix, int number, int count,
                                     std::string_view suffix);

/// "a, b, c"; of long lists the first 8 names and "+N" for the others.
[[nodiscard]] std::string list_of_names(const std::vector<std::string>& names);

}  // namespace meyasu
