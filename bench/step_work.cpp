#include <algorithm>

#include "bench/step.h"
#include "soma/core/poll.h"
#include "soma/kernels/gemm.h"

namespace soma::bench {
namespace {

constexpr Index kSide = 256;  // 256^3: 34 million operations, a fraction of a millisecond

class Products {
public:
    void operator()(double flop) {
        for (double k_left = flop / (2.0 * kSide * kSide); k_left >= 1; k_left -= kSide) {
            const Index k = std::min(kSide, static_cast<Index>(k_left));
            kernels::gemm<float>({.m = kSide,
                                  .n = kSide,
                                  .k = k,
                                  .a = a_.data(),
                                  .lda = kSide,
                                  .b = b_.data(),
                                  .ldb = kSide,
                                  .c = c_.data(),
                                  .ldc = kSide});
            poll();
        }
    }

private:
    std::vector<float> a_ = std::vector<float>(kSide * kSide, 0.5F);
    std::vector<float> b_ = a_, c_ = a_;
};

}  // namespace

StepWork product_work() { return Products(); }

}  // namespace soma::bench
