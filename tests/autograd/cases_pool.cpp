// Op cases of ops/pool.h.

#include "soma/autograd/ops/pool.h"

#include "support/op_cases.h"

namespace soma::test {
namespace {

struct PoolCase {
    std::string variant;
    Shape x;
    Pool2dOptions options = {};
};

// fold(values of one window, taps of the window) of every output element.
template <class F>
Scalars pool_oracle(const PoolCase& p, const Scalars& x, F&& fold) {
    const Pool2dOptions& k = p.options;
    const Index sh = k.stride.h == 0 ? k.window.h : k.stride.h;
    const Index sw = k.stride.w == 0 ? k.window.w : k.stride.w;
    const Index oh = (p.x[1] + k.padding.top + k.padding.bottom - k.window.h) / sh + 1;
    const Index ow = (p.x[2] + k.padding.left + k.padding.right - k.window.w) / sw + 1;
    Scalars y;
    for (Index i = 0; i < p.x[0] * oh * ow * p.x[3]; ++i) {
        const Index c = i % p.x[3], pixel = i / p.x[3];
        Scalars window;
        for (Index tap = 0; tap < k.window.h * k.window.w; ++tap) {
            const Index ih = pixel / ow % oh * sh + tap / k.window.w - k.padding.top;
            const Index iw = pixel % ow * sw + tap % k.window.w - k.padding.left;
            if (ih < 0 || ih >= p.x[1] || iw < 0 || iw >= p.x[2]) continue;
            const Index at = ((pixel / ow / oh * p.x[1] + ih) * p.x[2] + iw) * p.x[3] + c;
            window.push_back(x[static_cast<std::size_t>(at)]);
        }
        y.push_back(fold(window, k.window.h * k.window.w));
    }
    return y;
}

Scalar maximum(const Scalars& window, Index) {
    Scalar best = window[0];
    for (const Scalar& s : window) best = s > best ? s : best;
    return best;
}

Scalar mean(const Scalars& window, Index taps) {
    Scalar sum;
    for (const Scalar& s : window) sum += s;
    return sum / Scalar(static_cast<double>(taps > 0 ? taps : std::ssize(window)));
}

OpCase max_case(const PoolCase& p) {
    OpCase row;
    row.name = "max_pool2d/" + p.variant;
    row.inputs = {p.x};
    row.op = [p](Tape&, std::span<const Var> v) { return max_pool2d(v[0], p.options); };
    row.oracle = [p](const std::vector<Scalars>& v) { return pool_oracle(p, v[0], maximum); };
    row.bad = [](Tape& tape) { max_pool2d(tape.input(Tensor::zeros({4, 4, 3}))); };
    return row;
}

OpCase avg_case(const PoolCase& p) {
    OpCase row;
    row.name = "avg_pool2d/" + p.variant;
    row.inputs = {p.x};
    row.op = [p](Tape&, std::span<const Var> v) { return avg_pool2d(v[0], p.options); };
    row.oracle = [p](const std::vector<Scalars>& v) {
        return pool_oracle(p, v[0], [&](const Scalars& window, Index taps) {
            return mean(window, p.options.count_padding ? taps : 0);
        });
    };
    row.bad = [](Tape& tape) {
        avg_pool2d(tape.input(Tensor::zeros({1, 4, 4, 3})), {.window = 5});
    };
    row.depth = p.options.window.h * p.options.window.w;
    return row;
}

}  // namespace

std::vector<OpCase> pool_cases() {
    const PoolCase plain{"plain", {2, 4, 6, 17}, {}};
    const PoolCase overlapping{"overlapping_padded",
                               {2, 5, 6, 3},
                               {.window = 3, .stride = {2, 1}, .padding = {1, 2, 0, 1}}};
    PoolCase counted = overlapping;
    counted.variant = "count_padding";
    counted.options.count_padding = true;

    std::vector<OpCase> rows = {max_case(plain), max_case(overlapping), avg_case(plain),
                                avg_case(overlapping), avg_case(counted)};
    OpCase& global = rows.emplace_back(avg_case({"all", {2, 3, 5, 4}, {.window = {3, 5}}}));
    global.name = "global_avg_pool";
    global.op = [](Tape&, std::span<const Var> v) { return global_avg_pool(v[0]); };
    global.bad = [](Tape& tape) { global_avg_pool(tape.input(Tensor::zeros({4, 4, 3}))); };
    return rows;
}

}  // namespace soma::test
