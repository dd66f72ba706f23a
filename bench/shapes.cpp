#include "bench/shapes.h"

#include <algorithm>

#include "soma/core/error.h"

namespace soma::bench {
namespace {

using kernels::ConvGeometry;
using kernels::Op;

void add_cubes(std::vector<GemmCase>& list, const std::string& group,
               std::initializer_list<Index> sizes, bool slow = false) {
    for (const Index n : sizes) {
        list.push_back({.group = group, .m = n, .n = n, .k = n, .slow = slow});
        list.push_back({.group = group, .m = n, .n = n, .k = n, .op_b = Op::T, .slow = slow});
        list.push_back({.group = group, .m = n, .n = n, .k = n, .op_a = Op::T, .slow = slow});
    }
}

void add_heads(std::vector<GemmCase>& list) {
    for (const Index t : {64, 128, 256, 512}) {
        list.push_back({.group = "heads", .m = t, .n = t, .k = 64, .op_b = Op::T, .batch = 8});
        list.push_back({.group = "heads", .m = t, .n = 64, .k = t, .batch = 8});
    }
}

void add_layers(std::vector<GemmCase>& list) {
    const auto add = [&](Index m, Index n, Index k, Op op_a = Op::N, Op op_b = Op::N) {
        list.push_back({.group = "network", .m = m, .n = n, .k = k, .op_a = op_a, .op_b = op_b});
    };
    add(3136, 64, 64);                 // ResNet-50, 1x1 convolution of 56 x 56 pixels
    add(196, 1024, 256);               // the same at 14 x 14
    add(49, 512, 2048);                // and at 7 x 7
    add(64, 512, 576);                 // VGG, a 3x3 convolution as im2col
    add(32, 1000, 4096);               // VGG, last layer, batch 32
    add(256, 120, 400);                // LeNet, hidden layer
    add(784, 128, 256, Op::T, Op::N);  // weight gradient of a hidden layer, batch 256
    add(256, 784, 128, Op::N, Op::T);  // its gradient of the input
    add(576, 64, 3136, Op::T, Op::N);  // weight gradient of a 3x3 convolution
    add(32, 64, 64);                   // RNN steps, batch 32
    add(32, 256, 256);
    add(32, 512, 512);
    add(1, 30, 192);  // zip code 1989, hidden layer, one digit
}

// A layer with the same stride, padding and kernel along both axes.
ConvCase square(const std::string& net, const std::string& layer, Index n, Index size, Index c,
                Index k, Index oc, Index stride, Index pad, Index groups = 1) {
    const ConvGeometry g{.n = n,
                         .h = size,
                         .w = size,
                         .c = c,
                         .kh = k,
                         .kw = k,
                         .oc = oc,
                         .stride_h = stride,
                         .stride_w = stride,
                         .pad_top = pad,
                         .pad_bottom = pad,
                         .pad_left = pad,
                         .pad_right = pad,
                         .groups = groups};
    return {net, layer, g};
}

// He et al. 2016, table 1: the distinct layers (v1.5: the 3x3 of a stage carries its stride).
void add_resnet50(std::vector<ConvCase>& list) {
    const std::string net = "resnet50";
    list.push_back(square(net, "conv1", 1, 224, 3, 7, 64, 2, 3));
    Index size = 56, in = 64, width = 64;
    for (const char* stage : {"conv2", "conv3", "conv4", "conv5"}) {
        const Index stride = in == 64 ? 1 : 2, out = 4 * width, next = size / stride;
        const std::string s = stage;
        list.push_back(square(net, s + "_reduce", 1, size, in, 1, width, 1, 0));
        if (stride == 2) list.push_back(square(net, s + "_3x3s2", 1, size, width, 3, width, 2, 1));
        list.push_back(square(net, s + "_3x3", 1, next, width, 3, width, 1, 1));
        list.push_back(square(net, s + "_expand", 1, next, width, 1, out, 1, 0));
        if (stride == 2)  // in conv2 it is the expansion's twin
            list.push_back(square(net, s + "_project", 1, size, in, 1, out, stride, 0));
        list.push_back(square(net, s + "_again", 1, next, out, 1, width, 1, 0));
        size = next;
        in = out;
        width *= 2;
    }
}

// Simonyan & Zisserman 2015, configuration D: the distinct layers.
void add_vgg16(std::vector<ConvCase>& list) {
    const struct {
        const char* layer;
        Index size, c, oc;
    } layers[] = {{"conv1_1", 224, 3, 64},    {"conv1_2", 224, 64, 64},  {"conv2_1", 112, 64, 128},
                  {"conv2_2", 112, 128, 128}, {"conv3_1", 56, 128, 256}, {"conv3_2", 56, 256, 256},
                  {"conv4_1", 28, 256, 512},  {"conv4_2", 28, 512, 512}, {"conv5_1", 14, 512, 512}};
    for (const auto& l : layers)
        list.push_back(square("vgg16", l.layer, 1, l.size, l.c, 3, l.oc, 1, 1));
}

// Krizhevsky et al. 2012; `groups` 2 is the published net on two GPUs.
void add_alexnet(std::vector<ConvCase>& list, const std::string& net, Index groups) {
    list.push_back(square(net, "conv1", 4, 227, 3, 11, 96, 4, 0));
    list.push_back(square(net, "conv2", 4, 27, 96, 5, 256, 1, 2, groups));
    list.push_back(square(net, "conv3", 4, 13, 256, 3, 384, 1, 1));
    list.push_back(square(net, "conv4", 4, 13, 384, 3, 384, 1, 1, groups));
    list.push_back(square(net, "conv5", 4, 13, 384, 3, 256, 1, 1, groups));
}

void add_small_nets(std::vector<ConvCase>& list) {
    list.push_back(square("lenet", "c1", 64, 32, 1, 5, 6, 1, 0));  // LeCun et al. 1998
    list.push_back(square("lenet", "c3", 64, 14, 6, 5, 16, 1, 0));
    list.push_back(square("lenet", "c5", 64, 5, 16, 5, 120, 1, 0));
    for (const Index n : {1, 32}) {  // LeCun et al. 1989; one digit at a time, as published
        list.push_back(square("zip1989", "h1", n, 16, 1, 5, 12, 2, 2));
        list.push_back(square("zip1989", "h2", n, 8, 12, 5, 12, 2, 2));
    }
    list.push_back(square("dcgan", "d1", 16, 64, 3, 4, 64, 2, 1));  // Radford et al. 2016
    list.push_back(square("dcgan", "d2", 16, 32, 64, 4, 128, 2, 1));
    list.push_back(square("dcgan", "d3", 16, 16, 128, 4, 256, 2, 1));
    list.push_back(square("dcgan", "d4", 16, 8, 256, 4, 512, 2, 1));
}

template <class Case>
std::vector<std::string> distinct(const std::vector<Case>& cases, std::string Case::*key) {
    std::vector<std::string> names;
    for (const Case& c : cases) {
        if (std::find(names.begin(), names.end(), c.*key) == names.end()) names.push_back(c.*key);
    }
    return names;
}

}  // namespace

std::string GemmCase::name() const {
    return concat(batch > 1 ? concat(batch, " x ") : "", m, "x", n, "x", k, " ",
                  op_a == Op::N ? "N" : "T", op_b == Op::N ? "N" : "T");
}

double GemmCase::flop() const {
    return 2.0 * static_cast<double>(batch * m * n) * static_cast<double>(k);
}

double GemmCase::elements() const {
    return static_cast<double>(batch) * static_cast<double>(m * k + k * n + m * n);
}

std::vector<GemmCase> gemm_cases() {
    std::vector<GemmCase> list;
    add_cubes(list, "tiny", {4, 8, 12, 16, 24, 32});
    add_cubes(list, "small", {48, 64, 80, 96, 128});
    add_cubes(list, "odd", {17, 33, 65, 100, 129});
    add_cubes(list, "odd", {257, 1000}, true);
    add_cubes(list, "medium", {192, 256, 384, 512, 768});
    add_cubes(list, "large", {1024});
    add_cubes(list, "large", {2048, 4096}, true);
    for (const Index m : {1, 2, 4, 8}) {
        for (const Index n : {256, 1024, 4096}) {
            list.push_back({.group = "skinny", .m = m, .n = n, .k = n});
            list.push_back({.group = "skinny", .m = m, .n = n, .k = n, .op_b = Op::T});
        }
    }
    for (const Index m : {256, 1024, 4096})
        list.push_back({.group = "narrow", .m = m, .n = 1, .k = m});
    add_heads(list);
    add_layers(list);
    return list;
}

std::string ConvCase::name() const {
    const ConvGeometry& g = geometry;
    return concat(layer, " ", g.n, "x", g.h, "x", g.w, "x", g.c, " ", g.kh, "x", g.kw,
                  g.stride_h > 1 ? concat("/", g.stride_h) : "", " ", g.oc,
                  g.groups > 1 ? concat(" in ", g.groups, " groups") : "");
}

std::vector<ConvCase> conv_cases() {
    std::vector<ConvCase> list;
    add_resnet50(list);
    add_vgg16(list);
    add_alexnet(list, "alexnet", 1);
    add_alexnet(list, "alexnet2", 2);
    add_small_nets(list);
    return list;
}

std::vector<std::string> gemm_classes() { return distinct(gemm_cases(), &GemmCase::group); }
std::vector<std::string> conv_nets() { return distinct(conv_cases(), &ConvCase::net); }

}  // namespace soma::bench
