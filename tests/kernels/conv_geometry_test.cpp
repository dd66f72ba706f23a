// ConvGeometry: sizes that follow from a definition, and impossible ones.

#include <gtest/gtest.h>

#include "soma/core/error.h"
#include "soma/kernels/conv.h"

namespace soma::kernels {
namespace {

// H1 and H2 of the 1989 digit network.
ConvGeometry zip_code_h1(Index n) {
    return {.n = n,
            .h = 16,
            .w = 16,
            .c = 1,
            .kh = 5,
            .kw = 5,
            .oc = 12,
            .stride_h = 2,
            .stride_w = 2,
            .pad_top = 2,
            .pad_bottom = 2,
            .pad_left = 2,
            .pad_right = 2,
            .pad_value = -1};
}
ConvGeometry zip_code_h2(Index n) {
    ConvGeometry g = zip_code_h1(n);
    g.h = g.w = 8;
    g.c = 12;
    return g;
}

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
