// From bytes to floats, resizing, SHA-256.

#include "soma/data/image_set.h"

#include <gtest/gtest.h>

#include "soma/core/error.h"
#include "soma/data/file.h"
#include "soma/data/sha256.h"

namespace soma::data {
namespace {

TEST(Sha256, KnownAnswersOfFips180) {
    EXPECT_EQ(sha256(as_bytes("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256(as_bytes("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256(as_bytes(std::string(1000000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheHashOfTheWhole) {
    const std::string text(200, 'x');
    for (std::size_t cut = 0; cut <= text.size(); cut += 7) {
        Sha256 hash;
        hash.update(as_bytes(text.substr(0, cut)));
        hash.update(as_bytes(text.substr(cut)));
        EXPECT_EQ(hash.hex(), sha256(as_bytes(text)));
    }
}

TEST(ToFloats, MapsTheEndsOfTheScaleExactly) {
    const ImageSet set{.height = 1, .width = 3, .levels = 17, .pixels = {0, 4, 16}, .labels = {0}};
    const Tensor signed_range = to_floats(set);
    EXPECT_EQ(signed_range.at(0), -1.0);
    EXPECT_EQ(signed_range.at(1), -0.5);  // v / 8 - 1
    EXPECT_EQ(signed_range.at(2), 1.0);
    EXPECT_EQ(to_floats(set, {.low = 0, .high = 1}).at(1), 0.25);
    const auto bytes = float_table(256, {});
    for (int v = 0; v < 256; ++v) {
        const double exact = v / 127.5 - 1;  // one rounding to f32: half an ulp of 1 is 2^-25
        EXPECT_NEAR(bytes[static_cast<std::size_t>(v)], exact, 0x1p-25);
    }
}

TEST(ResizeBilinear, DoublingUsesQuarterWeightsAndKeepsTheBorders) {
    const Tensor row = Tensor::from({1, 1, 2, 1}, {0, 4});
    const Tensor wide = resize_bilinear(row, 2, 4);
    for (const Index y : {0, 4}) {  // half-pixel centres: -0.25, 0.25, 0.75, 1.25
        EXPECT_EQ(wide.at(y + 0), 0.0);
        EXPECT_EQ(wide.at(y + 1), 1.0);
        EXPECT_EQ(wide.at(y + 2), 3.0);
        EXPECT_EQ(wide.at(y + 3), 4.0);
    }
}

TEST(ResizeBilinear, ReproducesLinearRampsAwayFromTheBorders) {
    Tensor ramp(Shape{2, 28, 28, 1}, DType::f32);
    for (Index i = 0; i < ramp.count(); ++i) {
        const Index y = i / 28 % 28, x = i % 28;
        ramp.data<float>()[static_cast<std::size_t>(i)] = static_cast<float>(2 * y + x);
    }
    const Tensor small = resize_bilinear(ramp, 16, 16);
    for (Index i = 0; i < small.count(); ++i) {
        const double y = (static_cast<double>(i / 16 % 16) + 0.5) * 1.75 - 0.5;
        const double x = (static_cast<double>(i % 16) + 0.5) * 1.75 - 0.5;
        EXPECT_EQ(small.at(i), 2 * y + x);  // multiples of 1/8 below 128: exact in f32
    }
}

TEST(ResizeBilinear, KeepsChannelsApartAndIsTheIdentityAtTheSameSize) {
    const Tensor image = Tensor::from({1, 2, 2, 2}, {1, 10, 2, 20, 3, 30, 4, 40});
    const Tensor same = resize_bilinear(image, 2, 2);
    for (Index i = 0; i < 8; ++i) EXPECT_EQ(same.at(i), image.at(i));
    const Tensor mean = resize_bilinear(image, 1, 1);
    EXPECT_EQ(mean.at(0), 2.5);
    EXPECT_EQ(mean.at(1), 25.0);
    EXPECT_THROW(resize_bilinear(Tensor::zeros({2, 2}), 1, 1), Error);
}

TEST(ImageSet, SelectKeepsPixelsWithTheirLabels) {
    const ImageSet set{.name = "tiny",
                       .height = 1,
                       .width = 2,
                       .classes = 3,
                       .pixels = {1, 2, 3, 4, 5, 6},
                       .labels = {0, 1, 2}};
    const Index order[] = {2, 0};
    const ImageSet some = set.select(order);
    EXPECT_EQ(some.pixels, (std::vector<std::uint8_t>{5, 6, 1, 2}));
    EXPECT_EQ(some.labels, (std::vector<std::int32_t>{2, 0}));
    EXPECT_EQ(set.slice(1, 2).pixels, (std::vector<std::uint8_t>{3, 4}));
    EXPECT_NE(some.sha256(), set.sha256());
    EXPECT_THROW(set.slice(2, 4), Error);
    const Index outside[] = {3};
    EXPECT_THROW(set.select(outside), Error);
}

}  // namespace
}  // namespace soma::data
