// What people start llama.cpp's programs with, given how long their conversations are and how many
// talk at once. Sources: common/common.h and tools/server of release v0.5.0; llm/llama_server.go of
// Ollama 2026-08; documentation of LM Studio (load configuration); gpttype_adapter.cpp of
// KoboldCpp.
#pragma once

#include <cstdint>

#include "core/inference/llama_cpp/estimate.hpp"
#include "core/units/result.hpp"

namespace meyasu {

/// The question in terms that every runtime shares.
struct Workload {
  std::int64_t context = 8192;  // tokens of one conversation
  std::int64_t users = 1;       // conversations at the same time
};

/// default_settings() with room for the workload. Devices are left to the caller.
/// - llama-server without -np: 4 slots over one pool of `context` cells; with `-np users` every
///   slot gets cells of its own, so the context is asked for `users` times.
/// - Ollama: OLLAMA_NUM_PARALLEL = users, the context multiplied likewise.
/// - LM Studio: its number of parallel predictions; the same as llama-server.
/// - llama-cli, KoboldCpp and the library run one sequence, whatever the number of users.
/// Errors: ctx_range n_ctx (zero, or more than any model has); users_range users.
[[nodiscard]] Result<LlamaCppSettings> settings_for(LlamaCppProgram program,
                                                    const Workload& workload);

/// Makes room for the workload in settings that are otherwise kept: slots, their pool, rows of
/// logits and -c, as settings_for() would set them.
void set_workload(LlamaCppSettings& settings, LlamaCppProgram program, const Workload& workload);

/// Whether the program answers several conversations at the same time.
[[nodiscard]] bool serves_several(LlamaCppProgram program);

}  // namespace meyasu
