#pragma once
// oneDNN as a rival (rivals.h). From 3.0 on: products by dnnl_sgemm or a matmul primitive, and
// convolutions. Of 2.x only dnnl_sgemm is used: its descriptors are structs whose layout would have
// to be copied from its headers.

#include "bench/rivals/library.h"
#include "bench/rivals/rivals.h"

namespace soma::bench {

Rival onednn(const Library& library, int threads);

}  // namespace soma::bench
