#pragma once
// Regression of responses on variables of the trials, shared by TDR and mTDR.

#include <vector>

#include "soma/neuro/responses.h"

namespace soma::neuro {

// Trials of both sides, drawn with replacement.
struct RegressionData {
    Responses responses;
    linalg::Matrix variables;  // [K, V]
};
RegressionData pick_trials(const RegressionData& data, const std::vector<Index>& trials);

// Error(usage) unless there is one finite row of variables a trial, and they are linearly
// independent of each other and of the intercept.
void check_regression(const char* operation, const RegressionData& data);

// V + 1 matrices [T, N] by least squares (of least norm), the intercept last.
std::vector<linalg::Matrix> regress(const RegressionData& data);

}  // namespace soma::neuro
