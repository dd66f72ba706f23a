// The only file that includes lapacke.h.

#include "linalg/lapack.h"

#include <lapacke.h>

#include <limits>
#include <mutex>

#include "kernels/backend_openblas.h"
#include "soma/core/error.h"

namespace soma::linalg::lapack {
namespace {

constexpr int kLayout = LAPACK_ROW_MAJOR;

lapack_int narrow(Index n) {
    SOMA_CHECK(n <= std::numeric_limits<lapack_int>::max(), "linalg: a size is ", n,
               "; LAPACK's integers hold at most ", std::numeric_limits<lapack_int>::max());
    return static_cast<lapack_int>(n);
}

// As the GEMM backend does: two pools of threads would fight, and the bits depend on their number.
void use_one_thread() {
    static std::once_flag once;
    std::call_once(once, [] { kernels::openblas_backend()->prepare(); });
}

// info < 0 would be a defect of soma (or no memory for scratch); info > 0 is the iteration's.
void check(const char* routine, lapack_int info, Index rows, Index cols) {
    if (info == 0) return;
    fail(ErrorCode::internal, "linalg: ", routine, " of a matrix [", rows, ", ", cols, "] ",
         info > 0 ? "did not converge" : "failed", " (info ", info, ")");
}

std::vector<lapack_int> to_lapack(const std::vector<Index>& pivots) {
    std::vector<lapack_int> from_one(pivots.size());
    for (std::size_t i = 0; i < pivots.size(); ++i) from_one[i] = narrow(pivots[i] + 1);
    return from_one;
}

}  // namespace

bool available() { return true; }

void geev(Matrix a, std::vector<double>& re, std::vector<double>& im, Matrix& left, Matrix& right) {
    use_one_thread();
    const lapack_int n = narrow(a.rows);
    const lapack_int info = LAPACKE_dgeev(kLayout, 'V', 'V', n, a.values.data(), n, re.data(),
                                          im.data(), left.values.data(), n, right.values.data(), n);
    check("dgeev", info, a.rows, a.cols);
}

void syevd(Matrix& a, std::vector<double>& values) {
    use_one_thread();
    const lapack_int n = narrow(a.rows);
    check("dsyevd", LAPACKE_dsyevd(kLayout, 'V', 'U', n, a.values.data(), n, values.data()), a.rows,
          a.cols);
}

void gesdd(Matrix a, Matrix& u, std::vector<double>& s, Matrix& vt) {
    use_one_thread();
    const lapack_int info = LAPACKE_dgesdd(
        kLayout, 'S', narrow(a.rows), narrow(a.cols), a.values.data(), narrow(a.cols), s.data(),
        u.values.data(), narrow(u.cols), vt.values.data(), narrow(vt.cols));
    check("dgesdd", info, a.rows, a.cols);
}

void geqrf(Matrix& a, std::vector<double>& tau) {
    use_one_thread();
    const lapack_int info = LAPACKE_dgeqrf(kLayout, narrow(a.rows), narrow(a.cols), a.values.data(),
                                           narrow(a.cols), tau.data());
    check("dgeqrf", info, a.rows, a.cols);
}

void orgqr(Matrix& q, const std::vector<double>& tau) {
    use_one_thread();
    const lapack_int k = narrow(q.cols);
    check("dorgqr", LAPACKE_dorgqr(kLayout, narrow(q.rows), k, k, q.values.data(), k, tau.data()),
          q.rows, q.cols);
}

Index getrf(Matrix& a, std::vector<Index>& pivots) {
    use_one_thread();
    const lapack_int n = narrow(a.rows);
    std::vector<lapack_int> from_one(pivots.size());
    const lapack_int info = LAPACKE_dgetrf(kLayout, n, n, a.values.data(), n, from_one.data());
    if (info < 0) check("dgetrf", info, a.rows, a.cols);
    for (std::size_t i = 0; i < pivots.size(); ++i) pivots[i] = from_one[i] - 1;
    return info - 1;
}

double gecon(const Matrix& factors, double norm) {
    use_one_thread();
    const lapack_int n = narrow(factors.rows);
    double rcond = 0;
    check("dgecon", LAPACKE_dgecon(kLayout, '1', n, factors.values.data(), n, norm, &rcond),
          factors.rows, factors.cols);
    return rcond;
}

void getrs(const Matrix& factors, const std::vector<Index>& pivots, Matrix& b) {
    use_one_thread();
    const lapack_int n = narrow(factors.rows), c = narrow(b.cols);
    const std::vector<lapack_int> from_one = to_lapack(pivots);
    check("dgetrs",
          LAPACKE_dgetrs(kLayout, 'N', n, c, factors.values.data(), n, from_one.data(),
                         b.values.data(), c),
          factors.rows, factors.cols);
}

Index gelsd(Matrix a, Matrix& b, std::vector<double>& s, double rcond) {
    use_one_thread();
    lapack_int rank = 0;
    const lapack_int info =
        LAPACKE_dgelsd(kLayout, narrow(a.rows), narrow(a.cols), narrow(b.cols), a.values.data(),
                       narrow(a.cols), b.values.data(), narrow(b.cols), s.data(), rcond, &rank);
    check("dgelsd", info, a.rows, a.cols);
    return rank;
}

}  // namespace soma::linalg::lapack
