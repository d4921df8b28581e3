#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/inference/llama_cpp/overrides.hpp"
#include "core/inference/llama_cpp/parts.hpp"
#include "core/launch/launch.hpp"

namespace meyasu {
namespace {

/// Up to three decimals, without trailing zeros.
std::string decimal(double value) {
  constexpr double kThousand = 1000;
  const auto thousandths = static_cast<std::int64_t>(std::llround(value * kThousand));
  std::string digits = std::to_string(thousandths % 1000 + 1000).substr(1);
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
  return std::to_string(thousandths / 1000) + (digits.empty() ? "" : "." + digits);
}

/// A program takes a name that begins with "-" for an option.
std::string as_path(std::string_view file) {
  const bool option = !file.empty() && file.front() == '-';
  return (option ? "./" : "") + std::string(file);
}

std::string kv_name(GgmlType type) {
  return std::string(ggml_type_name(type));
}

/// "PATTERN=CUDA0,PATTERN=CPU", with the names that the program knows its devices by.
std::string override_text(const LlamaCppSettings& settings) {
  std::string result;
  for (const TensorOverride& entry : settings.overrides) {
    std::string device = entry.device;
    for (std::size_t i = 0; i < settings.devices.size(); ++i) {
      if (settings.devices[i].name == device) device = backend_device_name(settings.devices, i);
    }
    result += (result.empty() ? "" : ",") + entry.pattern + "=" + device;
  }
  return result;
}

/// Files beside the model; their names are the reader's.
constexpr const char* kProjectorFile = "mmproj.gguf";
constexpr const char* kDraftFile = "draft.gguf";

std::vector<std::string> adapter_files(const LlamaCppParts& parts) {
  std::vector<std::string> files;
  for (std::size_t i = 0; i < parts.adapters.size(); ++i) {
    files.push_back(i == 0 ? "lora.gguf" : "lora-" + std::to_string(i + 1) + ".gguf");
  }
  return files;
}

void note_parts(const LlamaCppParts& parts, Launch& launch) {
  if (parts.mmproj || !parts.adapters.empty() || parts.draft) {
    launch.notes.emplace_back("part_files");
  }
}

/// Releases of 2026 took away --no-mmap and --draft-max, named the kinds of speculation, and read
/// several adapters from one list.
bool has_flags_of_2026(const LlamaCppSettings& settings) {
  return settings.release >= LlamaCppRelease::v0_5_0;
}

void add_speculation(const LlamaCppSettings& settings, Command& command, Launch& launch) {
  const bool now = has_flags_of_2026(settings);
  const bool draft = settings.parts && settings.parts->draft;
  if (draft) {
    command.flag("-md", kDraftFile);
    if (settings.parts->draft_n_gpu_layers >= 0)
      command.flag("-ngld", std::to_string(settings.parts->draft_n_gpu_layers));
  }
  // A draft model would be taken for the prediction block's own file.
  const bool mtp = settings.load_mtp && now && !draft;
  if (mtp) command.flag("--spec-type", "draft-mtp");
  if (settings.load_mtp && !mtp) launch.notes.emplace_back("mtp_flag");
  if ((draft || mtp) && settings.n_draft > 0) {
    command.flag(now ? "--spec-draft-n-max" : "--draft-max", std::to_string(settings.n_draft));
  }
}

void add_parts(const LlamaCppSettings& settings, Command& command, Launch& launch) {
  if (settings.parts) {
    const LlamaCppParts& parts = *settings.parts;
    if (parts.mmproj) {
      command.flag("--mmproj", kProjectorFile);
      if (!parts.mmproj_on_gpu) command.flag("--no-mmproj-offload");
    }
    std::string list;
    for (const std::string& file : adapter_files(parts)) {
      if (!has_flags_of_2026(settings)) command.flag("--lora", file);
      list += (list.empty() ? "" : ",") + file;
    }
    if (has_flags_of_2026(settings) && !list.empty()) command.flag("--lora", list);
    note_parts(parts, launch);
  }
  add_speculation(settings, command, launch);
}

/// A switch in builds of up to 2025-08, then a choice of three.
void add_flash_attention(const LlamaCppSettings& settings, Command& command) {
  if (settings.release == LlamaCppRelease::build_2025_05) {
    if (settings.flash_attention == FlashAttention::on) command.flag("-fa");
    return;
  }
  command.flag("-fa", settings.flash_attention == FlashAttention::on    ? "on"
                      : settings.flash_attention == FlashAttention::off ? "off"
                                                                        : "auto");
}

/// Flags of llama-server and llama-cli. Named even where they equal a default: defaults move.
Launch llama_programs(LlamaCppProgram program, const LlamaCppSettings& settings,
                      const LlamaCppContext& context, std::string_view file, Shell shell) {
  const bool server = program == LlamaCppProgram::server;
  Command command;
  const bool text = context.purpose == Purpose::text;
  command.words = {server ? "llama-server" : text ? "llama-cli" : "llama-embedding"};
  command.flag("-m", as_path(file));
  if (server && !text) {
    command.flag(context.purpose == Purpose::ranking ? "--reranking" : "--embedding");
  }
  command.flag("-c", std::to_string(context.n_ctx));
  if (server) {
    command.flag("-np", std::to_string(context.n_seq));
    if (settings.kv_unified && context.n_seq > 1) command.flag("-kvu");
  }
  command.flag("-b", std::to_string(text ? settings.n_batch : context.n_batch));
  command.flag("-ub",
               std::to_string(settings.n_ubatch == 0 ? settings.n_batch : settings.n_ubatch));
  if (settings.devices.empty()) {
    command.flag("-ngl", "0");
  } else {
    command.flag("-ngl", std::to_string(context.n_gpu_layers));
    if (settings.cpu_moe) {
      command.flag("--cpu-moe");
    } else if (settings.n_cpu_moe > 0) {
      command.flag("--n-cpu-moe", std::to_string(settings.n_cpu_moe));
    }
    if (!settings.overrides.empty()) command.flag("-ot", override_text(settings));
    if (settings.devices.size() > 1 && !settings.tensor_split.empty()) {
      std::string split;
      for (const double part : settings.tensor_split) {
        if (!split.empty()) split += ',';
        split += decimal(part);
      }
      command.flag("-ts", split);
    }
    if (!settings.offload_kv) command.flag("-nkvo");
    if (!settings.op_offload) command.flag("--no-op-offload");
  }
  add_flash_attention(settings, command);
  command.flag("-ctk", kv_name(settings.type_k));
  command.flag("-ctv", kv_name(settings.type_v));
  if (settings.swa_full) command.flag("--swa-full");
  if (!settings.mmap) {
    if (has_flags_of_2026(settings)) {
      command.flag("--load-mode", "none");
    } else {
      command.flag("--no-mmap");
    }
  }
  Launch launch;
  add_parts(settings, command, launch);
  launch.blocks.push_back({"command", "", command.text(shell)});
  return launch;
}

/// LM Studio's command line takes length and share of layers; all else stands in its window.
Launch lm_studio(const LlamaCppSettings& settings, const LlamaCppContext& context,
                 std::string_view file, Shell shell) {
  Launch launch;
  Command command;
  command.words = {"lms", "load", as_path(file)};
  command.flag("--context-length", std::to_string(context.n_ctx));
  // A share of the layers, which is all or nothing without their number.
  const bool some = settings.n_gpu_layers >= 0;
  command.flag("--gpu", settings.devices.empty() || context.n_gpu_layers == 0 ? "off" : "max");
  launch.blocks.push_back({"command", "", command.text(shell)});
  launch.notes.emplace_back("lm_studio_window");
  if (some && context.n_gpu_layers > 0) launch.missing.emplace_back("n_gpu_layers");
  if (settings.n_cpu_moe > 0) launch.missing.emplace_back("n_cpu_moe");
  if (!settings.tensor_split.empty()) launch.missing.emplace_back("tensor_split");
  if (!settings.overrides.empty()) launch.missing.emplace_back("overrides");
  return launch;
}

/// --quantkv of KoboldCpp; nothing for types that it does not offer. Numbers are known to all of
/// its versions, names to those of 2026.
std::optional<std::string> kobold_kv(GgmlType type) {
  switch (type) {
    case GgmlType::F16:
      return "0";
    case GgmlType::Q8_0:
      return "1";
    case GgmlType::Q4_0:
      return "2";
    case GgmlType::BF16:
    case GgmlType::Q5_1:
      return kv_name(type);
    default:
      return std::nullopt;
  }
}

/// What KoboldCpp takes for --blasbatchsize.
bool is_kobold_batch(std::int64_t n) {
  constexpr std::int64_t kLeast = 16;
  constexpr std::int64_t kMost = 4096;
  return n >= kLeast && n <= kMost && (n & (n - 1)) == 0;
}

void add_kobold_parts(const LlamaCppSettings& settings, Command& command, Launch& launch) {
  if (settings.load_mtp) launch.missing.emplace_back("mtp");
  if (!settings.parts) return;
  const LlamaCppParts& parts = *settings.parts;
  if (parts.mmproj) {
    command.flag("--mmproj", kProjectorFile);
    if (!parts.mmproj_on_gpu) command.flag("--mmprojcpu");
  }
  if (!parts.adapters.empty()) {
    command.flag("--lora");
    for (std::string& file : adapter_files(parts)) command.words.push_back(std::move(file));
  }
  if (parts.draft) {
    command.flag("--draftmodel", kDraftFile);
    if (parts.draft_n_gpu_layers >= 0)
      command.flag("--draftgpulayers", std::to_string(parts.draft_n_gpu_layers));
    if (settings.n_draft > 0) command.flag("--draftamount", std::to_string(settings.n_draft));
  }
  note_parts(parts, launch);
}

Launch koboldcpp(const LlamaCppSettings& settings, const LlamaCppContext& context,
                 std::string_view file, Shell shell) {
  Launch launch;
  Command command;
  command.words = {"koboldcpp"};
  command.flag("--model", as_path(file));
  constexpr std::int64_t kLongest = 262'144;
  if (context.n_ctx <= kLongest) {
    command.flag("--contextsize", std::to_string(context.n_ctx));
  } else {
    launch.missing.emplace_back("n_ctx");
  }
  // One number for -b and -ub; the latter is what memory depends on.
  if (is_kobold_batch(context.n_ubatch)) {
    command.flag("--blasbatchsize", std::to_string(context.n_ubatch));
  } else {
    launch.missing.emplace_back("n_ubatch");
  }
  if (!settings.devices.empty()) {
    command.flag(settings.devices.front().backend == LlamaCppBackend::vulkan ? "--usevulkan"
                                                                             : "--usecuda");
    command.flag("--gpulayers", std::to_string(context.n_gpu_layers));
    if (settings.devices.size() > 1 && !settings.tensor_split.empty()) {
      command.flag("--tensor_split");
      for (const double part : settings.tensor_split) command.words.push_back(decimal(part));
    }
    if (settings.cpu_moe || settings.n_cpu_moe > 0) {
      constexpr const char* kAllBlocks = "999";
      command.flag("--moecpu", settings.cpu_moe ? kAllBlocks : std::to_string(settings.n_cpu_moe));
    }
    if (!settings.overrides.empty()) command.flag("--overridetensors", override_text(settings));
    if (!settings.offload_kv) command.flag("--lowvram");
  }
  if (settings.flash_attention == FlashAttention::on) command.flag("--flashattention");
  if (settings.flash_attention == FlashAttention::off) command.flag("--noflashattention");
  const auto kv = kobold_kv(settings.type_k);
  if (kv && *kv != "0") command.flag("--quantkv", *kv);
  command.flag(settings.mmap ? "--usemmap" : "--nommap");
  add_kobold_parts(settings, command, launch);
  launch.blocks.push_back({"command", "", command.text(shell)});
  if (!kv) launch.missing.emplace_back("kv_type");
  if (kv && settings.type_v != settings.type_k) launch.missing.emplace_back("type_v");
  if (settings.swa_full) launch.missing.emplace_back("swa_full");
  return launch;
}

/// A value of a Modelfile: quotes cannot be escaped inside quotes there, so tripled ones are used
/// for names that hold one. Empty: no way to write it.
std::string modelfile_value(std::string_view value) {
  const bool plain = value.find_first_of("\"\n\r") == std::string_view::npos;
  if (plain) {
    const bool bare = value.find_first_of(" \t'#") == std::string_view::npos;
    return bare ? std::string(value) : "\"" + std::string(value) + "\"";
  }
  const bool possible = value.find("\"\"\"") == std::string_view::npos && value.back() != '"';
  return possible ? "\"\"\"" + std::string(value) + "\"\"\"" : std::string();
}

/// Ollama's names take letters, digits and "._-"; the file's serves, cut to those.
std::string ollama_name(std::string_view file) {
  const std::size_t slash = file.find_last_of("/\\");
  if (slash != std::string_view::npos) file.remove_prefix(slash + 1);
  constexpr std::string_view kExtension = ".gguf";
  if (file.size() > kExtension.size() && file.substr(file.size() - kExtension.size()) == kExtension)
    file.remove_suffix(kExtension.size());
  std::string name;
  constexpr std::size_t kLongest = 60;
  for (const char c : file.substr(0, kLongest)) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool known = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '.' ||
                       low == '_' || low == '-';
    if (known && (!name.empty() || (low != '.' && low != '-' && low != '_'))) name += low;
  }
  return name.empty() ? "model" : name;
}

/// A second FROM is the projector; adapters have an instruction of their own.
std::string modelfile_parts(const LlamaCppParts& parts) {
  std::string lines;
  if (parts.mmproj) lines += std::string("FROM ./") + kProjectorFile + "\n";
  for (const std::string& file : adapter_files(parts)) lines += "ADAPTER ./" + file + "\n";
  return lines;
}

Launch ollama(const LlamaCppSettings& settings, const LlamaCppContext& context,
              std::string_view file, Shell shell) {
  Launch launch;
  const bool relative = file.empty() || (file.front() != '/' && file.front() != '\\');
  std::string from = modelfile_value((relative ? "./" : "") + std::string(file));
  if (from.empty()) {
    from = "./model.gguf";
    launch.notes.emplace_back("rename_file");
  }
  const std::int64_t per_user = context.n_ctx / std::max<std::int64_t>(context.n_seq, 1);
  // num_gpu counts the output layer too, as -ngl does; num_batch becomes both -b and -ub, of which
  // the latter is what memory depends on.
  std::string modelfile = "FROM " + from + "\n";
  if (settings.parts) modelfile += modelfile_parts(*settings.parts);
  modelfile += "PARAMETER num_ctx " + std::to_string(per_user) + "\nPARAMETER num_gpu " +
               std::to_string(context.n_gpu_layers) + "\nPARAMETER num_batch " +
               std::to_string(context.n_ubatch) + "\n";
  if (!settings.mmap) modelfile += "PARAMETER use_mmap false\n";
  if (settings.load_mtp && settings.n_draft > 0) {
    modelfile += "PARAMETER draft_num_predict " + std::to_string(settings.n_draft) + "\n";
  }
  launch.blocks.push_back({"modelfile", "Modelfile", std::move(modelfile)});
  Command serve;
  serve.environment = {{"OLLAMA_NUM_PARALLEL", std::to_string(context.n_seq)}};
  if (settings.flash_attention != FlashAttention::automatic) {
    serve.environment.emplace_back("OLLAMA_FLASH_ATTENTION",
                                   settings.flash_attention == FlashAttention::on ? "1" : "0");
  }
  if (settings.type_k != GgmlType::F16) {
    serve.environment.emplace_back("OLLAMA_KV_CACHE_TYPE", kv_name(settings.type_k));
    if (settings.flash_attention == FlashAttention::automatic) {
      serve.environment.emplace_back("OLLAMA_FLASH_ATTENTION", "1");
    }
  }
  serve.words = {"ollama", "serve"};
  const std::string name = ollama_name(file);
  Command create;
  create.words = {"ollama", "create", name, "-f", "Modelfile"};
  Command run;
  run.words = {"ollama", "run", name};
  const auto one_line = [&](const Command& command) {
    std::string line;
    for (const std::string& word : command.words) {
      line += (line.empty() ? "" : " ") + quoted(word, shell);
    }
    return line;
  };
  launch.blocks.push_back({"ollama_serve", "", serve.text(shell)});
  launch.blocks.push_back({"ollama_run", "", one_line(create) + "\n" + one_line(run)});

  if (settings.type_v != settings.type_k) launch.missing.emplace_back("type_v");
  if (settings.cpu_moe || settings.n_cpu_moe > 0) launch.missing.emplace_back("n_cpu_moe");
  if (!settings.tensor_split.empty()) launch.missing.emplace_back("tensor_split");
  if (!settings.offload_kv) launch.missing.emplace_back("offload_kv");
  if (!settings.overrides.empty()) launch.missing.emplace_back("overrides");
  if (settings.swa_full) launch.missing.emplace_back("swa_full");
  if (settings.parts) {
    if (settings.parts->draft) launch.missing.emplace_back("draft");
    if (settings.parts->mmproj && !settings.parts->mmproj_on_gpu) {
      launch.missing.emplace_back("mmproj_cpu");
    }
    note_parts(*settings.parts, launch);
  }
  return launch;
}

}  // namespace

Launch launch_llama_cpp(LlamaCppProgram program, const LlamaCppSettings& settings,
                        const LlamaCppContext& context, std::string_view file, Shell shell) {
  if (program == LlamaCppProgram::ollama) return ollama(settings, context, file, shell);
  if (program == LlamaCppProgram::koboldcpp) return koboldcpp(settings, context, file, shell);
  if (program == LlamaCppProgram::lm_studio) return lm_studio(settings, context, file, shell);
  return llama_programs(program, settings, context, file, shell);
}

}  // namespace meyasu
