// The evaluators, one per kind of table.
#pragma once

#include "tests/validate/evaluation.hpp"

namespace validate {

extern const TableEvaluator kLlamaCppTruth;
extern const TableEvaluator kLlamaCppWild;
extern const TableEvaluator kServing;
extern const TableEvaluator kTraining;
extern const TableEvaluator kActivations;
extern const TableEvaluator kStepPeaks;
extern const TableEvaluator kFlexgen;
extern const TableEvaluator kOverhead;
extern const TableEvaluator kThroughput;

/// The evaluator for a table with these columns, or nullptr.
[[nodiscard]] const TableEvaluator* recognise(const CsvTable& table);

}  // namespace validate
