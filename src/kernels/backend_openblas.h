#pragma once
// The OpenBLAS backend, or nullptr in a build without it (backend_openblas.cpp or _none.cpp).

#include "soma/kernels/backend.h"

namespace soma::kernels {

const GemmBackend* openblas_backend();

}  // namespace soma::kernels
