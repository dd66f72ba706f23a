#pragma once
// Fixture of tests whose analysis needs LAPACK: skipped in a build without it.

#include <gtest/gtest.h>

#include "soma/linalg/linalg.h"

namespace soma {

class NeedsLapack : public testing::Test {
protected:
    void SetUp() override {
        if (!linalg::available()) GTEST_SKIP() << "built without LAPACK";
    }
};

}  // namespace soma
