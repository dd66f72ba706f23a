#include "systems/vision/image_data.h"

#include <algorithm>

#include "soma/data/sets.h"

namespace soma::systems {
namespace {

constexpr Index kSide = 28;
constexpr Index kLargeTest = 200;

std::shared_ptr<const data::Dataset> at_28x28(data::ImageSet set) {
    SOMA_CHECK(set.channels == 1 && set.height == set.width, "images of ", set.name, " are ",
               set.height, "x", set.width, "x", set.channels, "; need squares of grey levels");
    if (set.height == kSide) return std::make_shared<data::ImageDataset>(std::move(set));
    return std::make_shared<data::TensorDataset>(
        data::resize_bilinear(data::to_floats(set), kSide, kSide), set.labels, set.classes);
}

class FirstOf final : public data::Dataset {
public:
    FirstOf(std::shared_ptr<const data::Dataset> set, Index count)
        : set_(std::move(set)), count_(std::min(count, set_->size())) {}

    Index size() const override { return count_; }
    Shape sample_shape() const override { return set_->sample_shape(); }
    int classes() const override { return set_->classes(); }
    void read(Index i, std::span<float> x) const override { set_->read(i, x); }
    std::int32_t label(Index i) const override { return set_->label(i); }

private:
    std::shared_ptr<const data::Dataset> set_;
    Index count_;
};

class Enlarged final : public data::Dataset {
public:
    Enlarged(std::shared_ptr<const data::Dataset> set, Index side, Index channels, float scale)
        : set_(std::move(set)), side_(side), channels_(channels), scale_(scale) {
        const Shape s = set_->sample_shape();
        SOMA_CHECK(s.rank() == 3 && s[2] == 1 && side >= 1 && channels >= 1,
                   "enlarged: images are ", s, ", target is [", side, ", ", side, ", ", channels,
                   "]; need [H, W, 1] and sizes >= 1");
    }

    Index size() const override { return set_->size(); }
    Shape sample_shape() const override { return {side_, side_, channels_}; }
    int classes() const override { return set_->classes(); }
    std::int32_t label(Index i) const override { return set_->label(i); }

    void read(Index i, std::span<float> x) const override {
        const Shape s = set_->sample_shape();
        Tensor small({1, s[0], s[1], 1}, DType::f32);
        set_->read(i, small.data<float>());
        const Tensor large = data::resize_bilinear(small, side_, side_);
        auto to = x.begin();
        for (const float v : large.data<float>()) to = std::fill_n(to, channels_, scale_ * v);
    }

private:
    std::shared_ptr<const data::Dataset> set_;
    Index side_, channels_;
    float scale_;
};

}  // namespace

ImageData load_image_data(const std::string& forced_set, const std::vector<std::string>& roots,
                          bool roots_given) {
    const data::SetLocation where =
        data::choose_set({.preferred = {"fashion-mnist", "mnist", "digits8x8"},
                          .roots = roots,
                          .roots_given = roots_given,
                          .forced = forced_set});
    data::ImageSplit split = data::load_image_split(where);
    return {where.name, split.train.sha256(), at_28x28(std::move(split.train)),
            at_28x28(std::move(split.test))};
}

std::shared_ptr<const data::Dataset> first_of(std::shared_ptr<const data::Dataset> set,
                                              Index count) {
    SOMA_CHECK(count >= 1, "first_of: count is ", count, "; need at least 1");
    return std::make_shared<FirstOf>(std::move(set), count);
}

std::shared_ptr<const data::Dataset> enlarged(std::shared_ptr<const data::Dataset> set, Index side,
                                              Index channels, float scale) {
    return std::make_shared<Enlarged>(std::move(set), side, channels, scale);
}

ImageData enlarged_data(const ImageData& data, Index side, Index channels, float scale) {
    return {data.set, data.sha256, enlarged(data.train, side, channels, scale),
            enlarged(first_of(data.test, kLargeTest), side, channels, scale)};
}

}  // namespace soma::systems
