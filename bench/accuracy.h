#pragma once
// Rounding errors of products, in units that do not depend on the data (kernels.md 17.4):
//
//     e = |C - C*| / (u |A||B|),   u = 2^-24, C [256, 256], A and B random, C* in double
//
// Any order of summation obeys e <= K; what an order is worth shows in how far below it stays.

#include <string>
#include <vector>

#include "bench/rivals/rivals.h"

namespace soma::bench {

enum class Numbers { uniform, normal };  // [0, 1): sums grow; mean 0: they cancel
const char* name_of(Numbers numbers);

struct AccuracyRow {
    Numbers numbers;
    Index k;
    std::string contender;
    double most, mean;  // of e over all elements
};

// soma first, then each rival.
std::vector<AccuracyRow> measure_accuracy(Numbers numbers, Index k,
                                          const std::vector<Rival>& rivals);

// What soma promises for `most`: K, and 20 for uniform or 8 for normal numbers up to K = 4096.
double accuracy_bar(Numbers numbers, Index k);

}  // namespace soma::bench
