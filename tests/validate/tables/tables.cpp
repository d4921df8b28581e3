#include "tests/validate/tables/tables.hpp"

namespace validate {

const TableEvaluator* recognise(const CsvTable& table) {
  for (const TableEvaluator* evaluator :
       {&kLlamaCppTruth, &kLlamaCppWild, &kServing, &kTraining, &kActivations, &kStepPeaks,
        &kFlexgen, &kOverhead, &kThroughput}) {
    if (evaluator->recognises(table)) return evaluator;
  }
  return nullptr;
}

}  // namespace validate
