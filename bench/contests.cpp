#include "bench/contests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "bench/operands.h"
#include "soma/core/error.h"

namespace soma::bench {
namespace {

using kernels::ConvGeometry;
using kernels::Gemm;
using kernels::Op;

constexpr Index kSamples = 32;
constexpr double kUnwritten = 1e30;  // stands for NaN among errors

// What an element of the result should be, the sum of the terms' absolute values, and their number.
struct Expected {
    double value = 0, magnitude = 0;
    Index terms = 0;

    void add(double a, double b) {
        value += a * b;
        magnitude += std::abs(a * b);
        ++terms;
    }
};

// The largest error on a sample of `result`, in units of its bound: correct when at most 1.
template <class T, class F>
double sampled_error(const T* result, Index count, F&& expected) {
    const double u = std::is_same_v<T, float> ? 0x1p-24 : 0x1p-53;
    double worst = 0;
    for (Index s = 0; s < std::min(count, kSamples); ++s) {
        const Index i = s * (count - 1) / std::max<Index>(1, std::min(count, kSamples) - 1);
        const Expected e = expected(i);
        // f64: the definition itself is evaluated in double and may be as wrong as the result.
        const double terms = static_cast<double>(e.terms) * (std::is_same_v<T, float> ? 1 : 2);
        const double bound = terms * u / (1 - terms * u) * e.magnitude;
        const double error = std::abs(static_cast<double>(result[i]) - e.value);
        if (!(error <= bound))
            worst = std::max(worst, std::isnan(error) ? kUnwritten : error / bound);
    }
    return worst;
}

// Contenders that passed their checks; notes about those that did not.
class Admission {
public:
    explicit Admission(int threads) : threads_(threads) {}

    // error() judges the result that the work has just left.
    template <class F>
    void admit(const std::string& shape, const std::string& name, Work work, F&& error) {
        if (!work) return;
        work(1);
        const double e = error();
        const bool is_soma = contenders.empty();
        if (e > 1 && is_soma)
            fail(ErrorCode::internal, "bench: ", shape, ": soma's error is ", e,
                 " times its bound");
        if (e > 1) {
            notes.push_back(concat(name,
                                   e < kUnwritten ? concat(": error is ", e, " times its bound")
                                                  : std::string(": leaves the result unwritten"),
                                   "; not timed"));
        } else if (threads_ == 1 && !is_soma && !runs_on_this_thread(work)) {
            notes.push_back(concat(name, ": works on more than one thread; not timed"));
        } else {
            contenders.push_back({name, std::move(work)});
        }
    }

    std::vector<Contender> contenders;
    std::vector<std::string> notes;

private:
    int threads_;
};

template <class T>
void clear(const Operand<T>& x) {
    std::fill_n(x.data(), x.count(), std::numeric_limits<T>::quiet_NaN());
}

template <class T>
Work prepared(const Rival& rival, const Product<T>& p) {
    if constexpr (std::is_same_v<T, float>) {
        return rival.sgemm ? rival.sgemm(p) : Work{};
    } else {
        return rival.dgemm ? rival.dgemm(p) : Work{};
    }
}

template <class T>
Work soma_product(const Product<T>& p) {
    if (p.batch == 1)
        return [g = p.gemm](Index repeats) {
            for (Index r = 0; r < repeats; ++r) kernels::gemm(g);
        };
    return [p](Index repeats) {
        for (Index r = 0; r < repeats; ++r)
            kernels::gemm_batched(p.gemm, p.batch, p.stride_a, p.stride_b, p.stride_c);
    };
}

template <class T>
Expected product_element(const Product<T>& p, Index i) {
    const Index item = i / (p.gemm.m * p.gemm.n), at = i % (p.gemm.m * p.gemm.n);
    const Gemm<T> g = p.item(item);
    const Index row = at / g.n, col = at % g.n;
    Expected e;
    for (Index k = 0; k < g.k; ++k) {
        e.add(g.op_a == Op::N ? g.a[row * g.lda + k] : g.a[k * g.lda + row],
              g.op_b == Op::N ? g.b[k * g.ldb + col] : g.b[col * g.ldb + k]);
    }
    return e;
}

// ---- convolution ----

// The output row that reads input row i through tap k, -1 for none.
Index output_at(Index i, Index k, Index pad, Index dilation, Index stride, Index outputs) {
    const Index t = i + pad - k * dilation;
    return t >= 0 && t % stride == 0 && t / stride < outputs ? t / stride : -1;
}

double input(const ConvCall& c, Index n, Index ih, Index iw, Index ch) {
    const ConvGeometry& g = c.geometry;
    if (ih < 0 || ih >= g.h || iw < 0 || iw >= g.w) return g.pad_value;
    return c.x[((n * g.h + ih) * g.w + iw) * g.c + ch];
}
double weight(const ConvCall& c, Index kh, Index kw, Index ci, Index o) {
    const ConvGeometry& g = c.geometry;
    return c.w[((kh * g.kw + kw) * g.group_c() + ci) * g.oc + o];
}
double output(const ConvCall& c, Index n, Index oh, Index ow, Index o) {
    const ConvGeometry& g = c.geometry;
    return c.y[((n * g.oh() + oh) * g.ow() + ow) * g.oc + o];
}

Expected forward_element(const ConvCall& call, Index i) {
    const ConvGeometry& g = call.geometry;
    const Index o = i % g.oc, ow = i / g.oc % g.ow(), oh = i / (g.oc * g.ow()) % g.oh();
    const Index n = i / (g.oc * g.ow() * g.oh()), first = o / g.group_oc() * g.group_c();
    Expected e;
    for (Index kh = 0; kh < g.kh; ++kh)
        for (Index kw = 0; kw < g.kw; ++kw)
            for (Index c = 0; c < g.group_c(); ++c)
                e.add(input(call, n, oh * g.stride_h + kh * g.dilation_h - g.pad_top,
                            ow * g.stride_w + kw * g.dilation_w - g.pad_left, first + c),
                      weight(call, kh, kw, c, o));
    return e;
}

Expected data_element(const ConvCall& call, Index i) {
    const ConvGeometry& g = call.geometry;
    const Index c = i % g.c, iw = i / g.c % g.w, ih = i / (g.c * g.w) % g.h;
    const Index n = i / (g.c * g.w * g.h), first = c / g.group_c() * g.group_oc();
    Expected e;
    for (Index kh = 0; kh < g.kh; ++kh)
        for (Index kw = 0; kw < g.kw; ++kw) {
            const Index oh = output_at(ih, kh, g.pad_top, g.dilation_h, g.stride_h, g.oh());
            const Index ow = output_at(iw, kw, g.pad_left, g.dilation_w, g.stride_w, g.ow());
            if (oh < 0 || ow < 0) continue;
            for (Index o = first; o < first + g.group_oc(); ++o)
                e.add(output(call, n, oh, ow, o), weight(call, kh, kw, c % g.group_c(), o));
        }
    return e;
}

Expected weights_element(const ConvCall& call, Index i) {
    const ConvGeometry& g = call.geometry;
    const Index o = i % g.oc, ci = i / g.oc % g.group_c();
    const Index kw = i / (g.oc * g.group_c()) % g.kw, kh = i / (g.oc * g.group_c() * g.kw);
    const Index c = o / g.group_oc() * g.group_c() + ci;
    Expected e;
    for (Index n = 0; n < g.n; ++n)
        for (Index oh = 0; oh < g.oh(); ++oh)
            for (Index ow = 0; ow < g.ow(); ++ow)
                e.add(input(call, n, oh * g.stride_h + kh * g.dilation_h - g.pad_top,
                            ow * g.stride_w + kw * g.dilation_w - g.pad_left, c),
                      output(call, n, oh, ow, o));
    return e;
}

Expected conv_element(const ConvCall& call, Index i) {
    switch (call.pass) {
        case ConvPass::forward:
            return forward_element(call, i);
        case ConvPass::data:
            return data_element(call, i);
        case ConvPass::weights:
            return weights_element(call, i);
    }
    return {};
}

Work soma_conv(const ConvCall& call) {
    return [call](Index repeats) {
        for (Index r = 0; r < repeats; ++r) {
            switch (call.pass) {
                case ConvPass::forward:
                    kernels::conv2d<float>(call.geometry, call.x, call.w, {}, call.y);
                    break;
                case ConvPass::data:
                    kernels::conv2d_backward_data<float>(call.geometry, call.y, call.w, false,
                                                         call.x);
                    break;
                case ConvPass::weights:
                    kernels::conv2d_backward_weights<float>(call.geometry, call.x, call.y, false,
                                                            call.w);
                    break;
            }
        }
    };
}

// Columns of all images, then one product a group by the rival.
Work im2col_conv(const ConvCall& call, const Rival& rival) {
    const ConvGeometry& g = call.geometry;
    const Index rows = g.n * g.oh() * g.ow(), k = g.kh * g.kw * g.group_c();
    const auto columns = std::make_shared<Operand<float>>(rows * k);
    std::vector<Work> products;
    for (Index group = 0; group < g.groups; ++group) {
        const Gemm<float> product{.m = rows,
                                  .n = g.group_oc(),
                                  .k = k,
                                  .a = columns->data(),
                                  .lda = k,
                                  .b = call.w + group * g.group_oc(),
                                  .ldb = g.oc,
                                  .c = call.y + group * g.group_oc(),
                                  .ldc = g.oc};
        products.push_back(rival.sgemm({.gemm = product}));
    }
    return [call, columns, products](Index repeats) {
        for (Index r = 0; r < repeats; ++r) {
            for (std::size_t group = 0; group < products.size(); ++group) {
                kernels::im2col(call.geometry, static_cast<Index>(group), call.x, columns->data());
                products[group](1);
            }
        }
    };
}

}  // namespace

template <class T>
Outcome gemm_contest(const GemmCase& shape, const std::vector<Rival>& rivals,
                     const MeasureOptions& options) {
    const Index m = shape.m, n = shape.n, k = shape.k;
    const Operand<T> a(shape.batch * m * k, 1, -1, 1), b(shape.batch * k * n, 2, -1, 1);
    const Operand<T> c(shape.batch * m * n);
    const Product<T> product{.gemm = {.op_a = shape.op_a,
                                      .op_b = shape.op_b,
                                      .m = m,
                                      .n = n,
                                      .k = k,
                                      .a = a.data(),
                                      .lda = shape.op_a == Op::N ? k : m,
                                      .b = b.data(),
                                      .ldb = shape.op_b == Op::N ? n : k,
                                      .c = c.data(),
                                      .ldc = n},
                             .batch = shape.batch,
                             .stride_a = m * k,
                             .stride_b = k * n,
                             .stride_c = m * n};
    Admission admission(options.threads);
    const auto admit = [&](const std::string& name, Work work) {
        clear(c);
        admission.admit(shape.name(), name, std::move(work), [&] {
            return sampled_error(c.data(), c.count(),
                                 [&](Index i) { return product_element(product, i); });
        });
    };
    admit("soma", soma_product(product));
    for (const Rival& rival : rivals) admit(rival.name, prepared(rival, product));
    Outcome out =
        hold_contest<T>(shape.group, shape.name(), shape.flop(),
                        shape.elements() * double{sizeof(T)}, admission.contenders, options);
    out.notes = admission.notes;
    return out;
}

template Outcome gemm_contest<float>(const GemmCase&, const std::vector<Rival>&,
                                     const MeasureOptions&);
template Outcome gemm_contest<double>(const GemmCase&, const std::vector<Rival>&,
                                      const MeasureOptions&);

Outcome conv_contest(const ConvCase& layer, ConvPass pass, const std::vector<Rival>& rivals,
                     bool with_im2col, const MeasureOptions& options) {
    const ConvGeometry& g = layer.geometry;
    const Operand<float> x(g.x_count(), 1, -1, 1), w(g.weight_count(), 2, -1, 1);
    const Operand<float> y(g.y_count(), 3, -1, 1);
    const ConvCall call{g, pass, x.data(), w.data(), y.data()};
    const Operand<float>& result = pass == ConvPass::forward ? y : pass == ConvPass::data ? x : w;
    Admission admission(options.threads);
    const auto admit = [&](const std::string& name, Work work) {
        clear(result);
        admission.admit(concat(layer.net, " ", layer.name(), " ", name_of(pass)), name,
                        std::move(work), [&] {
                            return sampled_error(result.data(), result.count(),
                                                 [&](Index i) { return conv_element(call, i); });
                        });
    };
    admit("soma", soma_conv(call));
    for (const Rival& rival : rivals) {
        if (rival.conv) admit(rival.name, rival.conv(call));
    }
    if (with_im2col && pass == ConvPass::forward && !rivals.empty() && rivals[0].sgemm)
        admit("im2col+" + rivals[0].name, im2col_conv(call, rivals[0]));
    const double elements = static_cast<double>(x.count() + w.count() + y.count());
    Outcome out = hold_contest<float>(concat(layer.net, " ", name_of(pass)), layer.name(), g.flop(),
                                      4 * elements, admission.contenders, options);
    out.notes = admission.notes;
    return out;
}

}  // namespace soma::bench
