#include <string>

#include "core/launch/launch.hpp"

namespace meyasu {
namespace {

/// exllamav2: the class of the cache says its bits, for K and V alike.
std::string exllamav2_program(const ExllamaSettings& s, const std::string& name,
                              std::int64_t tokens) {
  const std::string cache =
      "ExLlamaV2Cache" + (s.k_bits == 16 ? std::string() : "_Q" + std::to_string(s.k_bits));
  return "from exllamav2 import ExLlamaV2, ExLlamaV2Config, ExLlamaV2Tokenizer, " + cache +
         "\nfrom exllamav2.generator import ExLlamaV2DynamicGenerator\n\n"
         "config = ExLlamaV2Config(" +
         name + ")\nconfig.max_seq_len = " + std::to_string(s.max_seq_len) +
         "\nmodel = ExLlamaV2(config)\ncache = " + cache +
         "(model, max_seq_len=" + std::to_string(tokens) +
         ", lazy=True)\nmodel.load_autosplit(cache)\n"
         "tokenizer = ExLlamaV2Tokenizer(config)\n"
         "generator = ExLlamaV2DynamicGenerator(model=model, cache=cache, tokenizer=tokenizer)\n"
         "print(generator.generate(prompt=\"Hello\", max_new_tokens=200))\n";
}

std::string exllamav3_program(const ExllamaSettings& s, const std::string& name,
                              std::int64_t tokens) {
  const bool quantized = s.k_bits < 16 || s.v_bits < 16;
  std::string layer;
  if (quantized) {
    layer = ", layer_type=CacheLayer_quant, k_bits=" + std::to_string(s.k_bits) +
            ", v_bits=" + std::to_string(s.v_bits);
  }
  return "from exllamav3 import Cache, Config, Generator, Model, Tokenizer\n" +
         std::string(quantized ? "from exllamav3.cache import CacheLayer_quant\n" : "") +
         "\nconfig = Config.from_directory(" + name +
         ")\nmodel = Model.from_config(config)\ncache = Cache(model, max_num_tokens=" +
         std::to_string(tokens) + layer +
         ")\nmodel.load(progressbar=True)\n"
         "tokenizer = Tokenizer.from_config(config)\n"
         "generator = Generator(model=model, cache=cache, tokenizer=tokenizer)\n"
         "print(generator.generate(prompt=\"Hello\", max_new_tokens=200))\n";
}

}  // namespace

Launch launch_transformers(const TransformersSettings& settings, std::string_view model,
                           std::string_view format, const TransformersMemory& memory) {
  Launch launch;
  const bool nf4 = format == "bnb-nf4" || format == "bnb-nf4-dq";
  const bool int8 = format == "int8-bnb";
  std::string program =
      "import torch\nfrom transformers import AutoModelForCausalLM, AutoTokenizer";
  program += nf4 || int8 ? ", BitsAndBytesConfig\n\n" : "\n\n";
  const std::string name = python_literal(model);
  program += "model = AutoModelForCausalLM.from_pretrained(\n    " + name + ",\n";
  program += format == "fp32"   ? "    dtype=torch.float32,\n"
             : format == "fp16" ? "    dtype=torch.float16,\n"
                                : "    dtype=torch.bfloat16,\n";
  if (nf4) {
    program +=
        "    quantization_config=BitsAndBytesConfig(\n        load_in_4bit=True,\n"
        "        bnb_4bit_quant_type=\"nf4\",\n        bnb_4bit_compute_dtype=torch.bfloat16,\n";
    if (format == "bnb-nf4-dq") program += "        bnb_4bit_use_double_quant=True,\n";
    program += "    ),\n";
  } else if (int8) {
    program += "    quantization_config=BitsAndBytesConfig(load_in_8bit=True),\n";
  } else if (!is_16_bit(format) && format != "fp32") {
    launch.notes.emplace_back("quantized_checkpoint");
  }
  program += settings.attention == TransformersAttention::eager
                 ? "    attn_implementation=\"eager\",\n"
                 : "    attn_implementation=\"sdpa\",\n";
  program += "    device_map=\"auto\",\n    max_memory={";
  for (std::size_t i = 0; i < memory.gpu_gib.size(); ++i) {
    program += std::to_string(i) + ": \"" + std::to_string(memory.gpu_gib[i]) + "GiB\", ";
  }
  if (memory.host_gib > 0) program += "\"cpu\": \"" + std::to_string(memory.host_gib) + "GiB\"";
  program += "},\n)\n";
  program += "tokenizer = AutoTokenizer.from_pretrained(" + name + ")\n";
  program += "inputs = tokenizer([\"Hello\"] * " + std::to_string(settings.batch) +
             ", return_tensors=\"pt\").to(model.device)\n";
  const std::int64_t total = settings.context > 0 ? settings.context : settings.prompt;
  program += "output = model.generate(**inputs, max_length=" + std::to_string(total);
  if (settings.cache == TransformersCache::static_full) {
    program += ", cache_implementation=\"static\"";
  }
  program += ")\nprint(tokenizer.batch_decode(output, skip_special_tokens=True)[0])\n";
  launch.blocks.push_back({"python", "run.py", std::move(program)});
  return launch;
}

Launch launch_exllama(int version, const ExllamaSettings& settings, std::string_view model,
                      std::string_view format) {
  Launch launch;
  const std::string name = python_literal(model);
  // One pool of pages for all conversations.
  const std::int64_t tokens = settings.max_seq_len * settings.users;
  launch.blocks.push_back({"python", "run.py",
                           version == 2 ? exllamav2_program(settings, name, tokens)
                                        : exllamav3_program(settings, name, tokens)});
  launch.notes.emplace_back("local_folder");
  if (!is_16_bit(format)) launch.notes.emplace_back("quantized_checkpoint");
  if (version == 2 && settings.k_bits != settings.v_bits) launch.missing.emplace_back("type_v");
  return launch;
}

Result<Launch> launch_library(InferenceStudy& study, const LibraryQuestion& question,
                              std::string_view model) {
  const auto estimate = estimate_library(study, question);
  if (!estimate) return estimate.error();
  if (question.runtime != LibraryRuntime::transformers) {
    ExllamaSettings settings;
    settings.max_seq_len = estimate.value().context;
    settings.users = question.users;
    settings.k_bits = question.k_bits;
    settings.v_bits = question.v_bits;
    return launch_exllama(question.runtime == LibraryRuntime::exllamav2 ? 2 : 3, settings, model,
                          question.format);
  }
  TransformersSettings settings;
  settings.batch = question.users;
  settings.context = question.context;
  settings.attention = question.attention;
  settings.cache = question.cache;
  TransformersMemory memory;
  for (const ExllamaGpu& gpu : question.gpus) memory.gpu_gib.push_back(gpu.usable / kGiB);
  memory.host_gib = question.host_usable / kGiB;
  return launch_transformers(settings, model, question.format, memory);
}

}  // namespace meyasu
