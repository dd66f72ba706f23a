#pragma once
// The tables of bench/ladder/README.md: measured, as Markdown, and put between the markers
//
//     <!-- table gemm avx512 -->
//     ...
//     <!-- end -->
//
// A share of the peak that is not known to 5 % (bench/measure.h) is followed by "?".

#include <string>
#include <vector>

#include "bench/ladder/climb.h"

namespace soma::ladder {

struct Table {
    std::string name;  // "gemm avx512"
    std::string text;  // whole lines
    std::vector<bench::Outcome> outcomes;
};

// Small and large shape of the columns.
inline constexpr GemmShape kSmall{192, 192, 192}, kLarge{1024, 1024, 1024};

// Rungs 0 to 13 and the product; rungs 14 to 16 and the product.
Table gemm_table(const Ladder& ladder, const bench::MeasureOptions& options);
Table conv_table(const Ladder& ladder, const bench::MeasureOptions& options);
// All tiles of rung 5 in L1, and rung 6 with the wide and with the tall tile.
Table sweep_table(const Ladder& ladder, const bench::MeasureOptions& options);
Table pair_table(const Ladder& ladder, const bench::MeasureOptions& options);
// Rungs 7, 8 and 10 for several K, where rows are 4096 bytes apart and where they are not.
Table stride_table(const Ladder& ladder, const bench::MeasureOptions& options);
// Rungs 12, 13 and the product on options.threads threads.
Table threads_table(const Ladder& ladder, const bench::MeasureOptions& options);
// Rounding errors of rungs that differ in the order of their sums.
Table error_table(const Ladder& ladder);

// `text` with the tables put between their markers; tables without markers are left out.
// Error(usage) when no table has any, or an end is missing.
std::string with_tables(const std::string& text, const std::vector<Table>& tables);

}  // namespace soma::ladder
