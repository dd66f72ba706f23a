// Cells of a product, and the part of the epilogue that does not fit the micro-kernel: a pass over
// rows that were just written and are still in L1.

#include <algorithm>

#include "kernels/gemm_job.h"

namespace soma::kernels {

template <class T>
GemmJob<T> cell_of(const GemmJob<T>& g, Index i, Index m, Index j, Index n) {
    GemmJob<T> cell = g;
    cell.m = m;
    cell.n = n;
    cell.a = g.k > 0 ? g.a_at(i, 0) : nullptr;
    cell.b = g.k > 0 && g.b != nullptr ? g.b_at(0, j) : nullptr;
    cell.c = g.c_at(i, j);
    cell.first_row = g.first_row + i;
    Epilogue<T>& e = cell.epilogue;
    if (e.bias != nullptr) e.bias += j;
    if (e.row_bias != nullptr) e.row_bias += i;
    if (e.residual != nullptr) e.residual += j;  // its rows are found from first_row
    if (e.pre != nullptr) e.pre += i * e.pre_ld + j;
    return cell;
}

namespace {

template <class T>
void add(Index n, const T* x, T* y) {
    for (Index j = 0; j < n; ++j) y[j] = y[j] + x[j];
}

}  // namespace

template <class T>
void finish_rows(const GemmJob<T>& g, Index i, Index m, bool with_bias) {
    const Epilogue<T>& e = g.epilogue;
    const bool act_left = e.act != Activation::none && (with_bias || !g.fits_kernel());
    for (Index r = i; r < i + m; ++r) {
        T* c = g.c_at(r, 0);
        if (with_bias && e.bias != nullptr) add(g.n, e.bias, c);
        if (e.row_bias != nullptr) {
            for (Index j = 0; j < g.n; ++j) c[j] = c[j] + e.row_bias[r];
        }
        if (e.residual != nullptr) {
            const Index row = g.first_row + r;
            const Index at = e.residual_period > 0 ? row % e.residual_period : row;
            add(g.n, e.residual + at * e.residual_ld, c);
        }
        if (e.pre != nullptr) std::copy_n(c, g.n, e.pre + r * e.pre_ld);
        if (act_left) table<T>().elementwise.activation(e.act, e.slope, g.n, c, c);
    }
}

#define SOMA_INSTANTIATE(T)                                                     \
    template GemmJob<T> cell_of(const GemmJob<T>&, Index, Index, Index, Index); \
    template void finish_rows(const GemmJob<T>&, Index, Index, bool);
SOMA_INSTANTIATE(float)
SOMA_INSTANTIATE(double)
#undef SOMA_INSTANTIATE

}  // namespace soma::kernels
