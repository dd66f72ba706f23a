// Twin of backend_openblas.cpp for builds without OpenBLAS.

#include "kernels/backend_openblas.h"

namespace soma::kernels {

const GemmBackend* openblas_backend() { return nullptr; }

}  // namespace soma::kernels
