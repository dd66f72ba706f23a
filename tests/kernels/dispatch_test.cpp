// Dispatch: the tables of this CPU, and switching between them.

#include "soma/kernels/dispatch.h"

#include <gtest/gtest.h>

#include "soma/core/error.h"

namespace soma::kernels {
namespace {

TEST(Dispatch, GenericIsAlwaysAvailable) {
    EXPECT_STREQ(available().front()->isa, "generic");
    EXPECT_EQ(available().front()->f32.width, 1);
}

TEST(Dispatch, UseSwitchesTheTable) {
    const std::string before = active().isa;
    for (const KernelTable* t : available()) {
        use(t->isa);
        EXPECT_EQ(&active(), t);
        EXPECT_EQ(&table<float>(), &t->f32);
        EXPECT_EQ(&table<double>(), &t->f64);
    }
    use(before);
}

TEST(Dispatch, UnknownIsaIsAnErrorThatNamesTheChoices) {
    try {
        use("sse9");
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::usage);
        EXPECT_NE(std::string(e.what()).find("generic"), std::string::npos);
    }
}

}  // namespace
}  // namespace soma::kernels
