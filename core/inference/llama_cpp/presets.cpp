#include "core/inference/llama_cpp/presets.hpp"

#include <string>

#include "core/units/limits.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kMaxUsers = 256;  // LLAMA_MAX_SEQ

std::string range(std::int64_t low, std::int64_t high) {
  return std::to_string(low) + ".." + std::to_string(high);
}

}  // namespace

Result<LlamaCppSettings> settings_for(LlamaCppProgram program, const Workload& workload) {
  if (workload.context < 1 || workload.context > kMaxContext) {
    return Error{"ctx_range", "n_ctx", range(1, kMaxContext)};
  }
  if (workload.users < 1 || workload.users > kMaxUsers) {
    return Error{"users_range", "users", range(1, kMaxUsers)};
  }
  LlamaCppSettings settings = default_settings(program);
  set_workload(settings, program, workload);
  return settings;
}

void set_workload(LlamaCppSettings& settings, LlamaCppProgram program, const Workload& workload) {
  const LlamaCppSettings usual = default_settings(program);
  settings.n_ctx = workload.context;
  settings.n_seq = usual.n_seq;
  settings.kv_unified = usual.kv_unified;
  settings.n_outputs_max = usual.n_outputs_max;
  if (serves_several(program) && workload.users > 1) {
    settings.n_seq = workload.users;
    settings.kv_unified = false;
    settings.n_outputs_max = workload.users;
    settings.n_ctx = workload.context * workload.users;
  }
}

bool serves_several(LlamaCppProgram program) {
  return program == LlamaCppProgram::server || program == LlamaCppProgram::ollama ||
         program == LlamaCppProgram::lm_studio;
}

}  // namespace meyasu
