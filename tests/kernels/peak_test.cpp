// The sizes at which bandwidths are measured.

#include "soma/kernels/peak.h"

#include <gtest/gtest.h>

#include "soma/core/error.h"
#include "soma/core/parallel.h"
#include "soma/kernels/dispatch.h"

namespace soma::kernels {
namespace {

constexpr Index kKb = 1 << 10, kMb = 1 << 20, kGb = 1 << 30;

CpuInfo caches(Index l1, Index l2, Index l3) {
    CpuInfo cpu;
    cpu.l1d_bytes = l1;
    cpu.l2_bytes = l2;
    cpu.l3_bytes = l3;
    return cpu;
}

TEST(ProbeSizes, EachLevelIsLargerThanTheNearerOneAndFitsItsOwn) {
    const CpuInfo cpu = caches(48 * kKb, 2 * kMb, 60 * kMb);

    const ProbeSizes s = probe_sizes(cpu, 64 * kGb);

    EXPECT_EQ(s.l1, 24 * kKb);
    EXPECT_EQ(s.l2, 1 * kMb);
    EXPECT_EQ(s.l3, 16 * kMb);
    EXPECT_EQ(s.ram, 128 * kMb);
}

TEST(ProbeSizes, AbsentL3IsNotMeasured) {
    EXPECT_EQ(probe_sizes(caches(32 * kKb, 512 * kKb, 0), 4 * kGb).l3, 0);
}

TEST(ProbeSizes, HugeL3DoesNotTakeAllMemory) {
    const CpuInfo cpu = caches(48 * kKb, 2 * kMb, 504 * kMb);

    EXPECT_EQ(probe_sizes(cpu, 64 * kGb).ram, 1008 * kMb);
    EXPECT_EQ(probe_sizes(cpu, 2 * kGb).ram, 256 * kMb);
    EXPECT_EQ(probe_sizes(caches(48 * kKb, 2 * kMb, 2 * kGb), 64 * kGb).ram, 1 * kGb);
}

TEST(MeasurePeak, MoreThreadsThanThereAreIsAnError) {
    EXPECT_THROW(measure_peak(active(), 0), Error);
    EXPECT_THROW(measure_peak(active(), num_threads() + 1), Error);
}

}  // namespace
}  // namespace soma::kernels
