#include "core/serving/page_groups.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

/// Entries of one kind that need pages at the same tokens.
bool same_need(const CacheEntry& a, const CacheEntry& b) {
  return a.kind == b.kind && a.block_tokens == b.block_tokens && a.window == b.window;
}

/// May be in one group of pages of one size.
bool same_spec(const CacheEntry& a, const CacheEntry& b) {
  return same_need(a, b) && a.latent == b.latent;
}

/// HybridAttentionMambaModelConfig (vllm/platforms/interface.py, _align_hybrid_block_size).
void align_with_states(std::vector<CacheEntry>& entries, const ServingSettings& s) {
  Bytes widest = 0;  // page of s.block_size tokens
  Bytes state = 0;
  for (const CacheEntry& entry : entries) {
    (entry.is_state() ? state : widest) =
        std::max(entry.is_state() ? state : widest, entry.page_bytes);
  }
  if (widest == 0 || state == 0) return;
  const std::int64_t times = std::max<std::int64_t>(1, divide_up(state, widest));
  for (CacheEntry& entry : entries) {
    if (entry.is_state()) {
      entry.page_bytes = widest * times;
    } else {
      entry.page_bytes *= times;
      entry.block_tokens = s.block_size * times;
    }
  }
}

/// Whether all pages could be given one size.
bool unify_pages(std::vector<CacheEntry>& entries) {
  Bytes largest = 0;
  for (const CacheEntry& entry : entries) largest = std::max(largest, entry.page_bytes);
  for (const CacheEntry& entry : entries) {
    const bool grows = entry.is_state() || !entry.latent || largest % entry.page_bytes == 0;
    if (!grows) return false;
  }
  for (CacheEntry& entry : entries) {
    if (!entry.is_state() && largest % entry.page_bytes == 0) {
      entry.block_tokens *= largest / entry.page_bytes;
    }
    entry.page_bytes = largest;
  }
  return true;
}

PageGroup group_like(const CacheEntry& entry) {
  return {.kind = entry.kind, .block_tokens = entry.block_tokens, .window = entry.window};
}

std::vector<PageGroup> one_group(const std::vector<CacheEntry>& entries) {
  PageGroup group = group_like(entries.front());
  for (std::size_t i = 0; i < entries.size(); ++i) group.entries.push_back(i);
  return {std::move(group)};
}

/// `n` items dealt to `n_group` groups in turn, so that stages of a pipeline get alike shares.
template <class Add>
void deal(std::size_t n, std::size_t n_group, Add&& add) {
  for (std::size_t g = 0; g < n_group; ++g) {
    for (std::size_t i = g; i < n; i += n_group) add(g, i);
  }
}

/// Alike entries, as lists of indices.
template <class Alike>
std::vector<std::vector<std::size_t>> buckets_of(const std::vector<CacheEntry>& entries,
                                                 Alike&& alike) {
  std::vector<std::vector<std::size_t>> buckets;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto found = std::find_if(buckets.begin(), buckets.end(), [&](const auto& bucket) {
      return alike(entries[bucket.front()], entries[i]);
    });
    if (found == buckets.end()) found = buckets.insert(buckets.end(), std::vector<std::size_t>{});
    found->push_back(i);
  }
  return buckets;
}

std::vector<PageGroup> groups_of_one_size(const std::vector<CacheEntry>& entries) {
  const auto buckets = buckets_of(entries, same_spec);
  std::size_t least = entries.size();
  std::size_t most = 0;
  for (const auto& bucket : buckets) {
    least = std::min(least, bucket.size());
    most = std::max(most, bucket.size());
  }
  const std::size_t size = 2 * most < 3 * least ? most : least;
  std::vector<PageGroup> groups;
  for (const auto& bucket : buckets) {
    const std::size_t first = groups.size();
    groups.resize(first + divide_up(bucket.size(), size), group_like(entries[bucket.front()]));
    deal(bucket.size(), groups.size() - first, [&](std::size_t group, std::size_t i) {
      groups[first + group].entries.push_back(bucket[i]);
    });
  }
  return groups;
}

/// Indices by page size.
using BySize = std::map<Bytes, std::vector<std::size_t>>;

BySize by_size(const std::vector<CacheEntry>& entries, const std::vector<std::size_t>& indices) {
  BySize sizes;
  for (const std::size_t i : indices) sizes[entries[i].page_bytes].push_back(i);
  return sizes;
}

std::int64_t most_of_one_size(const BySize& sizes) {
  std::size_t most = 0;
  for (const auto& [size, indices] : sizes) most = std::max(most, indices.size());
  return static_cast<std::int64_t>(most);
}

/// The number of places, at least the first count, to whose multiples the counts are rounded up
/// with the fewest empty ones; of equals, the largest.
std::int64_t places_for(const std::vector<std::int64_t>& counts) {
  std::int64_t best = counts.front();
  std::int64_t least_empty = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t n = best; n <= *std::max_element(counts.begin(), counts.end()); ++n) {
    std::int64_t empty = 0;
    for (const std::int64_t count : counts) empty += round_up(count, n) - count;
    if (empty > least_empty) continue;
    least_empty = empty;
    best = n;
  }
  return best;
}

std::vector<PageGroup> groups_of_compressed(std::vector<CacheEntry>& entries) {
  auto buckets = buckets_of(entries, same_need);
  // What is kept for the whole length comes first and gives the sizes of the places.
  std::stable_partition(buckets.begin(), buckets.end(), [&](const auto& bucket) {
    return entries[bucket.front()].kind == KvGroupKind::full;
  });
  const BySize places = by_size(entries, buckets.front());
  std::vector<std::int64_t> counts;
  counts.reserve(buckets.size());
  for (const auto& bucket : buckets) counts.push_back(most_of_one_size(by_size(entries, bucket)));
  const std::int64_t size = places_for(counts);

  std::vector<PageGroup> groups;
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    PageGroup like = group_like(entries[buckets[b].front()]);
    if (b == 0) {
      like.entries = buckets[b];
      groups.push_back(std::move(like));
      continue;
    }
    for (const std::size_t i : buckets[b]) {
      const auto place = places.lower_bound(entries[i].page_bytes);
      if (place != places.end()) entries[i].page_bytes = place->first;
    }
    const std::size_t first = groups.size();
    const auto n_group = static_cast<std::size_t>(divide_up(counts[b], size));
    groups.resize(first + n_group, like);
    for (const auto& [page, indices] : by_size(entries, buckets[b])) {
      deal(indices.size(), n_group, [&, &of_size = indices](std::size_t group, std::size_t i) {
        groups[first + group].entries.push_back(of_size[i]);
      });
    }
  }
  return groups;
}

}  // namespace

std::int64_t PagePlan::pages_per_request(const PageGroup& group, const ServingSettings& s) const {
  const std::int64_t length = s.max_model_len;
  // Batches overlap: one more than stages is scheduled before the first one's pages come free
  // (VllmConfig.max_in_flight_tokens; asynchronous scheduling is the default).
  const std::int64_t in_flight = s.max_num_batched_tokens * (s.parallel.pp + 1);
  switch (group.kind) {
    case KvGroupKind::full:
      return divide_up(length, group.block_tokens);
    case KvGroupKind::window:
      return divide_up(std::min(group.window - 1 + in_flight, length), group.block_tokens) + 1;
    case KvGroupKind::chunked:
      return divide_up(std::min(group.window + in_flight, length), group.block_tokens);
    case KvGroupKind::state: {
      // mamba_cache_mode "align"; models of states alone do without prefix caching.
      const bool cached = std::any_of(entries.begin(), entries.end(),
                                      [](const CacheEntry& entry) { return !entry.is_state(); });
      return cached ? 2 : 1;
    }
  }
  return 0;
}

Bytes PagePlan::block_bytes(std::int64_t begin, std::int64_t end) const {
  std::map<Bytes, std::int64_t> places;
  for (const PageGroup& group : groups) {
    std::map<Bytes, std::int64_t> taken;
    for (const std::size_t i : group.entries) {
      if (entries[i].layer >= begin && entries[i].layer < end) ++taken[entries[i].page_bytes];
    }
    for (const auto& [page, n] : taken) places[page] = std::max(places[page], n);
  }
  Bytes bytes = 0;
  for (const auto& [page, n] : places) bytes += page * n;
  return bytes;
}

PagePlan page_plan(std::vector<CacheEntry> entries, const ServingSettings& settings) {
  PagePlan plan;
  plan.entries = std::move(entries);
  std::vector<CacheEntry>& all = plan.entries;
  if (all.empty()) return plan;
  align_with_states(all, settings);
  const auto alike = [&](const CacheEntry& entry) { return same_need(all.front(), entry); };
  if (std::all_of(all.begin(), all.end(), alike)) {
    plan.groups = one_group(all);
    return plan;
  }
  const bool compressed = std::any_of(all.begin(), all.end(), [](const CacheEntry& entry) {
    return entry.latent && entry.kind == KvGroupKind::window;
  });
  if (compressed) {
    plan.groups = groups_of_compressed(all);
  } else if (unify_pages(all)) {
    plan.groups = groups_of_one_size(all);
  } else {
    // vLLM falls back to whole lengths for all.
    for (CacheEntry& entry : all) {
      if (!entry.is_state()) entry.kind = KvGroupKind::full;
      entry.window = 0;
    }
    plan.groups = one_group(all);
  }
  return plan;
}

}  // namespace meyasu
