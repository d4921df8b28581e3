#include "core/fit/serving.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/advice/order.hpp"

namespace meyasu {
namespace {

constexpr std::int64_t kMostGpus = 16;

class ServingAdviser {
 public:
  ServingAdviser(InferenceStudy& study, const ServingAdviceQuestion& question)
      : study_(study), question_(question) {}

  Result<std::vector<Advice>> run() {
    const auto now = study_.serving(question_.format, question_.settings);
    if (!now) return now.error();
    if (serves(now.value(), question_.settings.users)) return std::vector<Advice>{};
    before_ = pool_margin(now.value(), question_.settings.users);
    now_ = now.value().settings;
    tok_s_before_ = tok_s(question_.format, question_.settings);
    memory_fraction();
    eager();
    kv_type();
    smaller_format();
    shorter_context();
    fewer_users();
    more_gpus();
    other_gpu();
    sort_advice(found_);
    return std::move(found_);
  }

 private:
  /// 0: not known.
  double tok_s(const std::string& format, const ServingSettings& settings) {
    if (!question_.gpu) return 0;
    SpeedWorkload workload = question_.workload;
    workload.sequences = static_cast<double>(settings.users);
    const auto speed = study_.serving_speed(format, settings, *question_.gpu, workload);
    return speed ? speed.value().decode_tok_s.likely : 0;
  }

  bool keep(AdviceKind kind, AdviceCost cost, double amount, std::vector<OptionChange> changes,
            const std::string& format, const ServingSettings& settings,
            const Quality& quality = kSameQuality) {
    const auto estimate = study_.serving(format, settings);
    if (!estimate || !serves(estimate.value(), settings.users)) return false;
    Advice advice;
    advice.kinds = {kind};
    advice.changes = std::move(changes);
    advice.cost = cost;
    advice.amount = amount;
    advice.qualities = {quality};
    advice.margin = pool_margin(estimate.value(), settings.users);
    advice.saving = advice.margin - before_;
    advice.verdict = Verdict::fits;
    advice.tok_s_before = tok_s_before_;
    advice.tok_s_after = tok_s(format, settings);
    found_.push_back(std::move(advice));
    return true;
  }

  /// 0.95 is what logs of full cards show; beyond it the context and graphs no longer fit.
  void memory_fraction() {
    constexpr double kHigh = 0.95;
    if (now_.memory_fraction >= kHigh) return;
    ServingSettings settings = question_.settings;
    settings.memory_fraction = kHigh;
    // What lies outside the fraction still has to find room: SGLang's activations and graphs do.
    const auto estimate = study_.serving(question_.format, settings);
    if (!estimate || fit_server(estimate.value()).verdict() == Verdict::over) return;
    keep(AdviceKind::memory_fraction, AdviceCost::slight, 0, {{"memory_fraction", "0.95"}},
         question_.format, settings);
  }

  /// Without CUDA graphs small batches decode slower.
  void eager() {
    if (question_.settings.enforce_eager) return;
    ServingSettings settings = question_.settings;
    settings.enforce_eager = true;
    keep(AdviceKind::eager, AdviceCost::some, 0, {{"enforce_eager", "true"}}, question_.format,
         settings);
  }

  void kv_type() {
    if (question_.settings.kv_type != KvCacheType::bf16) return;
    ServingSettings settings = question_.settings;
    settings.kv_type = KvCacheType::fp8;
    keep(AdviceKind::kv_type, AdviceCost::slight, 0, {{"kv_type", "fp8"}}, question_.format,
         settings,
         {QualityLevel::small,
          QualityMeasure::none,
          0,
          {},
          "class of its bits; no table of its own was found"});
  }

  /// 8 bits, then 4, the first that suffices.
  void smaller_format() {
    const auto now = total(question_.format);
    for (const WeightFormat& format : {plain_format(FormatMethod::fp8_channel), awq(128)}) {
      const std::string id = format_id(format);
      const Bytes bytes = total(id);
      if (bytes >= now) continue;
      const Quality quality = quality_of(format, study_.model().architecture);
      const double part = 1 - static_cast<double>(bytes) / static_cast<double>(now);
      if (keep(AdviceKind::mix, cost_of(quality.level), part, {{"format", id}}, id,
               question_.settings, quality)) {
        return;
      }
    }
  }

  Bytes total(const std::string& format) {
    const auto bytes = study_.tensor_bytes(format);
    Bytes sum = 0;
    if (bytes) {
      for (const Bytes tensor : bytes.value()) sum += tensor;
    }
    return sum;
  }

  void shorter_context() {
    const auto bytes = study_.tensor_bytes(question_.format);
    if (!bytes) return;
    const auto longest = longest_context(study_.model(), bytes.value(), question_.settings);
    constexpr std::int64_t kUseful = 1024;
    if (!longest || longest.value().value >= now_.max_model_len) return;
    if (longest.value().value < kUseful) return;
    ServingSettings settings = question_.settings;
    settings.max_model_len = longest.value().value;
    const double part =
        1 - static_cast<double>(settings.max_model_len) / static_cast<double>(now_.max_model_len);
    keep(AdviceKind::context, cost_of_part(part), part,
         {{"n_ctx", std::to_string(settings.max_model_len)}}, question_.format, settings);
  }

  void fewer_users() {
    const auto bytes = study_.tensor_bytes(question_.format);
    if (!bytes || question_.settings.users < 2) return;
    ServingSettings settings = question_.settings;
    settings.max_model_len = now_.max_model_len;
    const auto most = most_users(study_.model(), bytes.value(), settings);
    if (!most || most.value().value >= question_.settings.users) return;
    const double part =
        1 - static_cast<double>(most.value().value) / static_cast<double>(question_.settings.users);
    settings.users = most.value().value;
    keep(AdviceKind::users, cost_of_part(part), part,
         {{"users", std::to_string(most.value().value)}}, question_.format, settings);
  }

  /// The fewest GPUs that the heads divide by.
  void more_gpus() {
    const std::int64_t now = question_.settings.parallel.tp;
    for (std::int64_t tp = now + 1; tp <= kMostGpus; ++tp) {
      ServingSettings settings = question_.settings;
      settings.parallel.tp = tp;
      if (keep(AdviceKind::more_gpus, AdviceCost::hardware, static_cast<double>(tp - now),
               {{"add_gpus", std::to_string(tp - now)}}, question_.format, settings)) {
        return;
      }
    }
  }

  /// One larger GPU instead of those that are there.
  void other_gpu() {
    if (question_.catalog == nullptr || !question_.gpu) return;
    const auto choices = devices_that_serve(study_, question_.format, question_.settings,
                                            question_.workload, *question_.catalog);
    if (!choices) return;
    const DeviceChoice* choice = other_device(choices.value(), *question_.gpu, Comfort::roomy);
    if (choice == nullptr) return;
    Advice advice;
    advice.kinds = {AdviceKind::other_gpu};
    advice.changes = device_changes(*choice);
    advice.cost = AdviceCost::hardware;
    advice.amount = 1;
    advice.qualities = {kSameQuality};
    advice.margin = choice->margin;
    advice.saving = choice->margin - before_;
    advice.verdict = choice->verdict;
    advice.tok_s_before = tok_s_before_;
    advice.tok_s_after = choice->decode_tok_s.likely;
    found_.push_back(std::move(advice));
  }

  InferenceStudy& study_;
  const ServingAdviceQuestion& question_;
  double tok_s_before_ = 0;
  ServingSettings now_;
  Bytes before_ = 0;
  std::vector<Advice> found_;
};

}  // namespace

Result<std::vector<Advice>> advise_serving(InferenceStudy& study,
                                           const ServingAdviceQuestion& question) {
  return ServingAdviser(study, question).run();
}

}  // namespace meyasu
