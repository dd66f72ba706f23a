// ConvGeometry: sizes that follow from a definition, and impossible ones.

#include <gtest/gtest.h>

#include "soma/core/error.h"
#include "soma/kernels/conv.h"
#include "support/zip_code.h"

namespace soma::kernels {
namespace {

using test::zip_code_h1;
using test::zip_code_h2;

TEST(ConvGeometry, ZipCodeNetworkHasThePapersUnitsAndConnections) {
    const ConvGeometry h1 = zip_code_h1(1), h2 = zip_code_h2(1);

    EXPECT_EQ(h1.y_count(), 768);
    EXPECT_EQ(h1.y_count() * (h1.kh * h1.kw + 1), 19968);
    EXPECT_EQ(h2.y_count(), 192);
    EXPECT_EQ(h2.y_count() * (h2.kh * h2.kw * 8 + 1), 38592);  // each unit sees 8 of 12 planes
    EXPECT_EQ(h1.flop(), 2.0 * 768 * 25);
}

TEST(ConvGeometry, ImpossibleOnesAreRefusedByName) {
    const ConvGeometry good{.h = 4, .w = 4, .c = 4, .kh = 3, .kw = 3, .oc = 4};
    const auto refuses = [&](auto&& change) {
        ConvGeometry g = good;
        change(g);
        try {
            check_geometry("conv2d", g);
        } catch (const Error& e) {
            return std::string(e.what()).starts_with("conv2d: ") && e.code() == ErrorCode::usage;
        }
        return false;
    };
    EXPECT_NO_THROW(check_geometry("conv2d", good));
    EXPECT_TRUE(refuses([](ConvGeometry& g) { g.kh = 5; }));
    EXPECT_TRUE(refuses([](ConvGeometry& g) { g.dilation_w = 2; }));
    EXPECT_TRUE(refuses([](ConvGeometry& g) { g.stride_h = 0; }));
    EXPECT_TRUE(refuses([](ConvGeometry& g) { g.pad_left = -1; }));
    EXPECT_TRUE(refuses([](ConvGeometry& g) { g.groups = 3; }));
    EXPECT_TRUE(refuses([](ConvGeometry& g) { g.oc = 0; }));
}

}  // namespace
}  // namespace soma::kernels
