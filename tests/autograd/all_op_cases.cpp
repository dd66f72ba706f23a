// Joins the families' rows. A family adds one line when its file lands.

#include <iterator>

#include "support/op_cases.h"

namespace soma::test {
namespace {

void append(std::vector<OpCase>& all, std::vector<OpCase> rows) {
    all.insert(all.end(), std::make_move_iterator(rows.begin()),
               std::make_move_iterator(rows.end()));
}

}  // namespace

std::vector<OpCase> all_op_cases() {
    std::vector<OpCase> all;
    append(all, math_cases());
    append(all, shape_cases());
    append(all, linear_cases());
    append(all, conv_cases());
    append(all, pool_cases());
    append(all, norm_cases());
    append(all, lrn_cases());
    append(all, loss_cases());
    append(all, embedding_cases());
    append(all, dropout_cases());
    append(all, ctrnn_cases());
    append(all, gated_cases());
    return all;
}

}  // namespace soma::test
