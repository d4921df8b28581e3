#include "core/serving/kv_pool.hpp"

#include <algorithm>
#include <cmath>

#include "core/serving/page_groups.hpp"
#include "core/serving/sharding.hpp"
#include "core/units/bytes.hpp"

namespace meyasu {
namespace {

bool on_stage(const CacheEntry& entry, StageLayers range) {
  return entry.layer >= range.begin && entry.layer < range.end;
}

void add(KvPool& pool, StageLayers range, const CacheEntry& entry, Bytes bytes) {
  LayerPages& layer = pool.request[static_cast<std::size_t>(entry.layer - range.begin)];
  (entry.is_state() ? layer.state : layer.cells) += bytes;
}

/// Fills in what follows from the pages.
void count_requests(KvPool& pool, const ServingSettings& s, Bytes bytes, bool all_full) {
  if (pool.page_bytes <= 0) return;
  pool.n_pages = std::max<Bytes>(0, bytes) / pool.page_bytes;
  pool.max_concurrency = static_cast<double>(pool.n_pages) /
                         static_cast<double>(std::max<std::int64_t>(pool.pages_per_request, 1));
  pool.n_tokens = all_full ? pool.n_pages * pool.block_tokens
                           : static_cast<std::int64_t>(std::floor(
                                 pool.max_concurrency * static_cast<double>(s.max_model_len)));
}

KvPool vllm_pool(std::vector<CacheEntry> entries, const ServingSettings& s, Bytes bytes,
                 StageLayers range) {
  const PagePlan plan = page_plan(std::move(entries), s);
  KvPool pool;
  pool.request.resize(static_cast<std::size_t>(range.end - range.begin));
  pool.page_bytes = plan.block_bytes(range.begin, range.end);
  std::int64_t largest = 0;
  for (const PageGroup& group : plan.groups) {
    const std::int64_t pages = plan.pages_per_request(group, s);
    pool.pages_per_request += pages;
    if (group.kind != KvGroupKind::state && pool.block_tokens == 0) {
      pool.block_tokens = group.block_tokens;
    }
    KvGroup here{.kind = group.kind};
    for (const std::size_t i : group.entries) {
      const CacheEntry& entry = plan.entries[i];
      if (!on_stage(entry, range)) continue;
      ++here.n_layer;
      add(pool, range, entry, pages * entry.page_bytes);
    }
    largest = std::max(largest, here.n_layer);
    pool.groups.push_back(here);
  }
  for (KvGroup& group : pool.groups) {
    group.n_padding = largest - group.n_layer;
    group.n_layer = largest;
  }
  const bool all_full = plan.groups.size() == 1 && plan.groups.front().kind == KvGroupKind::full;
  count_requests(pool, s, bytes, all_full);
  return pool;
}

/// What the entries of a stage take, for runtimes that give each kind room of its own.
struct Need {
  std::int64_t block_tokens = 0;   // the longest page of what is kept for the whole length
  Bytes full = 0;                  // of a page of block_tokens
  Bytes window = 0;                // of as many tokens of windows
  std::int64_t window_tokens = 0;  // of one request
  Bytes states = 0;                // of one request
};

/// `n` tokens of an entry, in whole pages.
Bytes bytes_of(const CacheEntry& entry, std::int64_t n) {
  return divide_up(n, entry.block_tokens) * entry.page_bytes;
}

/// Rows that a compressor holds back until it has enough of them (DeepSeek V4).
bool is_held_back(const CacheEntry& entry) {
  return entry.kind == KvGroupKind::window && entry.latent && entry.block_tokens < 64;
}

Need need_of(const std::vector<CacheEntry>& entries, const ServingSettings& s, StageLayers range) {
  Need need;
  for (const CacheEntry& entry : entries) {
    need.block_tokens = std::max(need.block_tokens, entry.block_tokens);
  }
  for (const CacheEntry& entry : entries) {
    if (!on_stage(entry, range) || is_held_back(entry)) continue;
    if (entry.is_state()) {
      need.states += entry.page_bytes;
    } else if (entry.kind == KvGroupKind::full) {
      need.full += bytes_of(entry, need.block_tokens);
    } else {
      need.window += bytes_of(entry, need.block_tokens);
      need.window_tokens = std::min(s.max_model_len, entry.window);
    }
  }
  return need;
}

/// ServerArgs.swa_full_tokens_ratio and the models that change it.
double window_share(const Model& model) {
  if (model.architecture == "gemma4") return 0.15;
  if (model.architecture == "deepseek4") return 0.1;
  return 0.8;
}

/// DeepSeek V4 (DSV4PoolConfigurator): what its compressors hold back. Rows of ratio 4 have a ring
/// for each page of the windows; those of ratio 128 one for each request that may run, set aside
/// before.
struct HeldBack {
  Bytes per_window_page = 0;
  Bytes per_request = 0;
};

HeldBack held_back(const std::vector<CacheEntry>& entries, StageLayers range) {
  constexpr std::int64_t kOverlapping = 8;  // rows, of ratio 4
  HeldBack held;
  for (const CacheEntry& entry : entries) {
    if (!on_stage(entry, range) || !is_held_back(entry)) continue;
    (entry.window == kOverlapping ? held.per_window_page : held.per_request) +=
        bytes_of(entry, entry.window);
  }
  return held;
}

/// Pages of one token (of 256 for DeepSeek V4) of all pools, in the proportion in which SGLang cuts
/// them.
KvPool sglang_pool(const Model& model, const std::vector<CacheEntry>& entries,
                   const ServingSettings& s, Bytes bytes, StageLayers range) {
  // mamba_full_memory_ratio; MAMBA_CACHE_SIZE_MAX_RUNNING_REQUESTS_RATIO.
  constexpr double kStateShare = 0.9;
  constexpr std::int64_t kStatesPerRequest = 3;
  Need need = need_of(entries, s, range);
  const HeldBack held = held_back(entries, range);
  need.window += held.per_window_page;
  const double share = need.full > 0 ? window_share(model) : 1;
  const auto cells =
      need.full + static_cast<Bytes>(std::llround(share * static_cast<double>(need.window)));
  KvPool pool;
  pool.request.resize(static_cast<std::size_t>(range.end - range.begin));
  pool.block_tokens = need.block_tokens;
  const Bytes states = kStatesPerRequest * need.states;
  if (cells == 0) {
    pool.page_bytes = states;
    pool.pages_per_request = states > 0 ? 1 : 0;
  } else {
    const Bytes state_room =
        need.states > 0 ? static_cast<Bytes>(std::llround(kStateShare * static_cast<double>(cells)))
                        : 0;
    pool.page_bytes = cells + state_room;
    const std::int64_t length = need.full > 0 ? s.max_model_len : need.window_tokens;
    pool.pages_per_request = divide_up(length, need.block_tokens);
    if (need.full > 0 && need.window > 0) {
      const auto tokens =
          static_cast<std::int64_t>(std::ceil(static_cast<double>(need.window_tokens) / share));
      pool.pages_per_request =
          std::max(pool.pages_per_request, divide_up(tokens, need.block_tokens));
    }
    if (state_room > 0) {
      pool.pages_per_request = std::max(pool.pages_per_request, divide_up(states, state_room));
    }
  }
  for (const CacheEntry& entry : entries) {
    if (!on_stage(entry, range) || is_held_back(entry)) continue;
    if (entry.is_state()) {
      add(pool, range, entry, kStatesPerRequest * entry.page_bytes);
    } else {
      const bool full = entry.kind == KvGroupKind::full;
      add(pool, range, entry, bytes_of(entry, full ? s.max_model_len : need.window_tokens));
    }
  }
  count_requests(pool, s, bytes - s.max_num_seqs * held.per_request,
                 need.states == 0 && need.full > 0);
  return pool;
}

KvPool tensorrt_pool(const std::vector<CacheEntry>& entries, const ServingSettings& s, Bytes bytes,
                     StageLayers range) {
  const Need need = need_of(entries, s, range);
  KvPool pool;
  pool.request.resize(static_cast<std::size_t>(range.end - range.begin));
  pool.block_tokens = need.block_tokens;
  Bytes request = 0;
  for (const CacheEntry& entry : entries) {
    if (!on_stage(entry, range)) continue;
    Bytes taken = 0;
    if (entry.is_state()) {
      taken = entry.page_bytes;
    } else if (is_held_back(entry)) {
      taken = bytes_of(entry, entry.window);
    } else {
      // A chunk of the prompt is written before the window moves on.
      const std::int64_t kept =
          entry.kind == KvGroupKind::full
              ? s.max_model_len
              : std::min(s.max_model_len, entry.window + s.max_num_batched_tokens);
      taken = bytes_of(entry, kept);
    }
    add(pool, range, entry, taken);
    request += taken;
  }
  const Bytes widest = need.full > 0 ? need.full : need.window;
  pool.page_bytes = widest > 0 ? widest : need.states;
  if (pool.page_bytes > 0) pool.pages_per_request = divide_up(request, pool.page_bytes);
  count_requests(pool, s, bytes, need.states == 0 && need.window == 0);
  return pool;
}

}  // namespace

KvPool kv_pool(const Model& model, const ServingSettings& settings, Bytes pool,
               std::int64_t stage) {
  const StageLayers range = stage_layers(model, settings.parallel.pp, stage);
  std::vector<CacheEntry> entries = cache_entries(model, settings);
  switch (settings.runtime) {
    case ServingRuntime::vllm:
      return vllm_pool(std::move(entries), settings, pool, range);
    case ServingRuntime::sglang:
      return sglang_pool(model, entries, settings, pool, range);
    case ServingRuntime::tensorrt_llm:
      return tensorrt_pool(entries, settings, pool, range);
  }
  return {};
}

}  // namespace meyasu
