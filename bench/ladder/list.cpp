// All rungs of one instruction set, in order. A new rung is a declaration and an entry here.

#include "bench/ladder/product.h"
#include "isa.h"

#define SOMA_TEXT_OF(x) #x
#define SOMA_TEXT(x) SOMA_TEXT_OF(x)

namespace soma::ladder::SOMA_LADDER_ISA {

Rung gemm_00();
Rung gemm_01();
Rung gemm_02();
Rung gemm_03();
Rung gemm_04();
Rung gemm_05();
Sweep sweep();
Rung gemm_06();
Rung gemm_06_tall();
Rung gemm_07();
Rung gemm_08();
Rung gemm_09();
Rung gemm_10();
Rung gemm_11();
Rung gemm_12();
Rung gemm_13();
Rung conv_14();
Rung conv_15();
Rung conv_16();

Ladder ladder() {
    return {.isa = SOMA_TEXT(SOMA_LADDER_ISA),
            .width = W,
            .rungs = {gemm_00(), gemm_01(), gemm_02(), gemm_03(),      gemm_04(),
                      gemm_05(), gemm_06(), gemm_07(), gemm_08(),      gemm_09(),
                      gemm_10(), gemm_11(), gemm_12(), gemm_13(),      gemm_product(),
                      conv_14(), conv_15(), conv_16(), conv_product(), conv_weights_product()},
            .count = 20,
            .tall = gemm_06_tall(),
            .sweep = sweep()};
}

}  // namespace soma::ladder::SOMA_LADDER_ISA
