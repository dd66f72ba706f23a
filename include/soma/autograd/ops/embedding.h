#pragma once
// embedding: rows of a table picked by integer ids; also the gather of rows of any matrix.

#include <span>

#include "soma/autograd/tape.h"

namespace soma {

// y[i, :] = table[ids[i], :]
// table [V, D]; ids: as many as ids_shape has elements, each in [0, V), copied; y is ids_shape
// followed by D.
// Gradient: dtable[v, :] += sum of dy[i, :] over ids[i] == v, as a sorted segment sum that touches
// only the rows that occur when it adds to a parameter (kernels/gather.h gives the order). The same
// bits for any thread count; tied weights add into the same rows.
// Errors: Error(usage) naming the first id outside the table.
Var embedding(Var table, std::span<const std::int32_t> ids, const Shape& ids_shape);
inline Var embedding(Var table, std::span<const std::int32_t> ids) {
    return embedding(table, ids, Shape{static_cast<Index>(ids.size())});
}

}  // namespace soma
