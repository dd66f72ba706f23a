// A build without LAPACK.

#include "linalg/lapack.h"
#include "soma/core/error.h"

namespace soma::linalg::lapack {
namespace {

[[noreturn]] void absent() {
    fail(ErrorCode::usage,
         "linalg: this soma was built without LAPACK; install liblapacke-dev and ",
         "libopenblas-dev and configure with -DSOMA_LAPACK=ON");
}

}  // namespace

bool available() { return false; }
void geev(Matrix, std::vector<double>&, std::vector<double>&, Matrix&, Matrix&) { absent(); }
void syevd(Matrix&, std::vector<double>&) { absent(); }
void gesdd(Matrix, Matrix&, std::vector<double>&, Matrix&) { absent(); }
void geqrf(Matrix&, std::vector<double>&) { absent(); }
void orgqr(Matrix&, const std::vector<double>&) { absent(); }
Index getrf(Matrix&, std::vector<Index>&) { absent(); }
double gecon(const Matrix&, double) { absent(); }
void getrs(const Matrix&, const std::vector<Index>&, Matrix&) { absent(); }
Index gelsd(Matrix, Matrix&, std::vector<double>&, double) { absent(); }

}  // namespace soma::linalg::lapack
