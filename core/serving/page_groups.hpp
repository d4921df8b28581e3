// vLLM's hybrid KV cache manager: entries that take pages together, and the pages that a request
// needs of each group. One pool serves all groups, so all pages of one place in it have one size.
// Source: vllm/v1/core/kv_cache_utils.py (get_kv_cache_groups, unify_kv_cache_spec_page_size,
// _get_kv_cache_groups_uniform_page_size, _get_kv_cache_groups_uniform_groups).
#pragma once

#include <span>
#include <vector>

#include "core/serving/cache_entry.hpp"

namespace meyasu {

/// Entries (indices) that share a block table.
struct PageGroup {
  KvGroupKind kind = KvGroupKind::full;
  std::int64_t block_tokens = 0;
  std::int64_t window = 0;
  std::vector<std::size_t> entries;
};

/// `entries` with pages and blocks as the pool has them, and their groups.
struct PagePlan {
  std::vector<CacheEntry> entries;
  std::vector<PageGroup> groups;

  /// Pages of `group` for one request, as vLLM's start-up check counts them: the last window - 1
  /// tokens and those in flight, one page more because a window seldom starts on a page boundary;
  /// two pages of a state, the second to be kept for other requests (prefix caching).
  [[nodiscard]] std::int64_t pages_per_request(const PageGroup& group,
                                               const ServingSettings& settings) const;
  /// Bytes of one block of the pool with the entries of layers [begin, end): for each page size,
  /// as many pages as the group with the most of them has.
  [[nodiscard]] Bytes block_bytes(std::int64_t begin, std::int64_t end) const;
};

/// - with attention beside states, tokens per page are raised until a page holds a whole state
/// - entries of one kind that need the same number of pages stay one group, whatever their widths
/// - otherwise smaller pages get more tokens, or padding, until all have the size of the largest,
///   and entries of one kind and width are dealt into groups of one common number: the smallest
///   kind's, or the largest's if that is less than half more
/// - DeepSeek V4 keeps its page sizes and deals what it keeps of windows over places of the same
/// size
[[nodiscard]] PagePlan page_plan(std::vector<CacheEntry> entries, const ServingSettings& settings);

}  // namespace meyasu
