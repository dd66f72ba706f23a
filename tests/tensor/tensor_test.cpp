// Tensor: what shares a buffer and what copies, element types, and refused arguments.

#include "soma/tensor/tensor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace soma {
namespace {

std::vector<double> values_of(const Tensor& t) {
    std::vector<double> values;
    for (Index i = 0; i < t.count(); ++i) values.push_back(t.at(i));
    return values;
}

TEST(Tensor, DefaultIsEmptyAndHasNoElements) {
    const Tensor t;
    EXPECT_TRUE(t.empty());
    EXPECT_EQ(t.count(), 0);
    EXPECT_EQ(t.bytes(), 0);
}

TEST(Tensor, BuffersAreAlignedTo64Bytes) {
    for (const Index n : {1, 3, 17, 1000}) {
        const Tensor t = Tensor::zeros({n});
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.raw()) % 64, 0u) << n;
    }
}

TEST(Tensor, FromKeepsRowMajorOrder) {
    const Tensor t = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6}, DType::f64);
    EXPECT_EQ(values_of(t), (std::vector<double>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(t.bytes(), 48);
}

TEST(Tensor, FromRefusesAnotherNumberOfValues) {
    EXPECT_THROW(Tensor::from({2, 3}, {1, 2, 3}), Error);
}

TEST(Tensor, DataOfTheOtherTypeIsRefused) {
    Tensor t = Tensor::zeros({2}, DType::f32);
    EXPECT_EQ(t.data<float>().size(), 2u);
    EXPECT_THROW(t.data<double>(), Error);
}

TEST(Tensor, CopiesReshapesAndSlicesShareTheBuffer) {
    Tensor t = Tensor::zeros({3, 2});
    const Tensor copy = t, flat = t.reshape({6}), row = t.slice(1, 2);

    t.data<float>()[2] = 7;

    EXPECT_EQ(copy.at(2), 7);
    EXPECT_EQ(flat.at(2), 7);
    EXPECT_EQ(row.shape(), (Shape{1, 2}));
    EXPECT_EQ(row.at(0), 7);
}

TEST(Tensor, ASliceOutlivesItsTensor) {
    Tensor row;
    {
        const Tensor t = Tensor::from({2, 2}, {1, 2, 3, 4});
        row = t.slice(1, 2);
    }
    EXPECT_EQ(values_of(row), (std::vector<double>{3, 4}));
}

TEST(Tensor, AViewKeepsItsOwnerAlive) {
    auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2});
    const std::weak_ptr<std::vector<float>> watch = owner;
    Tensor t = Tensor::view({2}, DType::f32, owner->data(), owner);

    owner.reset();
    EXPECT_FALSE(watch.expired());
    t = Tensor();
    EXPECT_TRUE(watch.expired());
}

TEST(Tensor, CloneIsIndependent) {
    Tensor t = Tensor::full({4}, 1);
    const Tensor c = t.clone();
    t.fill(2);
    EXPECT_EQ(values_of(c), (std::vector<double>{1, 1, 1, 1}));
}

TEST(Tensor, ToRoundsToNearest) {
    const double above_one = 1 + 0x1p-24 + 0x1p-40;  // nearer to 1 + 2^-23 than to 1
    const Tensor t = Tensor::from({1}, {above_one}, DType::f64);
    const Tensor f = t.to(DType::f32);
    EXPECT_EQ(f.dtype(), DType::f32);
    EXPECT_EQ(f.at(0), 1 + 0x1p-23);
    EXPECT_EQ(t.to(DType::f64).raw(), t.raw());
}

TEST(Tensor, PermuteReordersDimensions) {
    const Tensor t = Tensor::from({2, 1, 3}, {1, 2, 3, 4, 5, 6});
    const Tensor p = t.permute({2, 0, 1});
    EXPECT_EQ(p.shape(), (Shape{3, 2, 1}));
    EXPECT_EQ(values_of(p), (std::vector<double>{1, 4, 2, 5, 3, 6}));
    EXPECT_EQ(values_of(p.permute({1, 2, 0})), values_of(t));
}

TEST(Tensor, PermuteNeedsEachIndexOnce) {
    const Tensor t = Tensor::zeros({2, 3});
    EXPECT_THROW(t.permute({0, 0}), Error);
    EXPECT_THROW(t.permute({0, 2}), Error);
    EXPECT_THROW(t.permute({0}), Error);
}

TEST(Tensor, ReshapeAndSliceStayInside) {
    const Tensor t = Tensor::zeros({2, 3});
    EXPECT_THROW(t.reshape({7}), Error);
    EXPECT_THROW(t.slice(1, 3), Error);
    EXPECT_THROW(t.slice(-1, 1), Error);
    EXPECT_EQ(t.slice(2, 2).count(), 0);
    EXPECT_EQ(Tensor::zeros({0, 3}).slice(0, 0).shape(), (Shape{0, 3}));
}

TEST(Tensor, CopyFromNeedsTheSameShapeAndType) {
    Tensor t = Tensor::zeros({2, 2});
    t.copy_from(Tensor::full({2, 2}, 3));
    EXPECT_EQ(values_of(t), (std::vector<double>{3, 3, 3, 3}));
    EXPECT_THROW(t.copy_from(Tensor::zeros({4})), Error);
    EXPECT_THROW(t.copy_from(Tensor::zeros({2, 2}, DType::f64)), Error);
}

}  // namespace
}  // namespace soma
