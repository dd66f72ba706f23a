// Calls of oneDNN's C API, declared from its public reference (oneDNN developer guide, C API 3.x).
//
// A convolution gets x and y as plain NHWC and may choose any layout of the weights; bringing them
// there from [KH, KW, C/G, OC], or their gradient back, is part of its work, as it is of soma's.
// Every implementation it offers for the shape is tried (its list is ordered by its own opinion),
// except the reference loops at the end.

#include "bench/rivals/onednn.h"

#include <cstdint>
#include <cstring>
#include <memory>

#include "soma/core/arena.h"
#include "soma/core/error.h"

namespace soma::bench {
namespace {

using kernels::ConvGeometry;
using kernels::Gemm;
using kernels::Op;

using Status = int;
using Handle = void*;
using Dims = std::int64_t[12];
constexpr Status kSuccess = 0;
constexpr int kCpu = 1, kInOrder = 1, kF32 = 3, kAnyLayout = 1;
constexpr int kForwardTraining = 64, kDirect = 1;
constexpr int kQueryImplementation = 8, kQueryWeights = 131, kQueryDiffWeights = 132;
constexpr int kSrc = 1, kDst = 17, kWeights = 33;
constexpr int kDiffSrc = 129, kDiffDst = 145, kDiffWeights = 161;

struct Version {
    int major, minor, patch;
    const char* hash;
    unsigned cpu_runtime, gpu_runtime;
};
struct Argument {
    int which;
    Handle memory;
};

struct Api {
    Status (*sgemm)(char op_a, char op_b, std::int64_t m, std::int64_t n, std::int64_t k,
                    float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                    float beta, float* c, std::int64_t ldc);
    Status (*engine_create)(Handle*, int kind, std::size_t index);
    Status (*stream_create)(Handle*, Handle engine, unsigned flags);
    Status (*stream_wait)(Handle stream);
    Status (*desc_with_tag)(Handle*, int ndims, const Dims dims, int type, int tag);
    Status (*desc_with_strides)(Handle*, int ndims, const Dims dims, int type, const Dims strides);
    std::size_t (*desc_size)(Handle desc);
    int (*desc_equal)(Handle, Handle);
    Status (*desc_destroy)(Handle);
    Status (*memory_create)(Handle*, Handle desc, Handle engine, void* data);
    Status (*memory_destroy)(Handle);
    Status (*forward)(Handle*, Handle engine, int prop, int alg, Handle x, Handle w, Handle bias,
                      Handle y, const Dims strides, const Dims dilates, const Dims pad_left,
                      const Dims pad_right, Handle attr);
    Status (*data)(Handle*, Handle engine, int alg, Handle dx, Handle w, Handle dy,
                   const Dims strides, const Dims dilates, const Dims pad_left,
                   const Dims pad_right, Handle hint, Handle attr);
    Status (*weights)(Handle*, Handle engine, int alg, Handle x, Handle dw, Handle db, Handle dy,
                      const Dims strides, const Dims dilates, const Dims pad_left,
                      const Dims pad_right, Handle hint, Handle attr);
    Status (*matmul)(Handle*, Handle engine, Handle a, Handle b, Handle bias, Handle c,
                     Handle attr);
    Status (*reorder)(Handle*, Handle from, Handle from_engine, Handle to, Handle to_engine,
                      Handle attr);
    Status (*query)(Handle pd, int what, int index, void* result);
    Handle (*query_desc)(Handle pd, int what, int index);
    Status (*next_implementation)(Handle pd);
    Status (*pd_destroy)(Handle);
    Status (*primitive_create)(Handle*, Handle pd);
    Status (*primitive_destroy)(Handle);
    Status (*execute)(Handle primitive, Handle stream, int count, const Argument*);

    Handle engine = nullptr, stream = nullptr;
};

template <class F>
bool load(const Library& library, const char* name, F*& function) {
    function = library.function<F>(name);
    return function != nullptr;
}

// The functions, an engine and a stream; nullptr where one is missing.
std::shared_ptr<Api> load_primitives(const Library& l) {
    auto api = std::make_shared<Api>();
    Api& f = *api;
    const bool complete =
        load(l, "dnnl_engine_create", f.engine_create) &&
        load(l, "dnnl_stream_create", f.stream_create) &&
        load(l, "dnnl_stream_wait", f.stream_wait) &&
        load(l, "dnnl_memory_desc_create_with_tag", f.desc_with_tag) &&
        load(l, "dnnl_memory_desc_create_with_strides", f.desc_with_strides) &&
        load(l, "dnnl_memory_desc_get_size", f.desc_size) &&
        load(l, "dnnl_memory_desc_equal", f.desc_equal) &&
        load(l, "dnnl_memory_desc_destroy", f.desc_destroy) &&
        load(l, "dnnl_memory_create", f.memory_create) &&
        load(l, "dnnl_memory_destroy", f.memory_destroy) &&
        load(l, "dnnl_convolution_forward_primitive_desc_create", f.forward) &&
        load(l, "dnnl_convolution_backward_data_primitive_desc_create", f.data) &&
        load(l, "dnnl_convolution_backward_weights_primitive_desc_create", f.weights) &&
        load(l, "dnnl_matmul_primitive_desc_create", f.matmul) &&
        load(l, "dnnl_reorder_primitive_desc_create", f.reorder) &&
        load(l, "dnnl_primitive_desc_query", f.query) &&
        load(l, "dnnl_primitive_desc_query_md", f.query_desc) &&
        load(l, "dnnl_primitive_desc_next_impl", f.next_implementation) &&
        load(l, "dnnl_primitive_desc_destroy", f.pd_destroy) &&
        load(l, "dnnl_primitive_create", f.primitive_create) &&
        load(l, "dnnl_primitive_destroy", f.primitive_destroy) &&
        load(l, "dnnl_primitive_execute", f.execute);
    if (!complete || f.engine_create(&f.engine, kCpu, 0) != kSuccess ||
        f.stream_create(&f.stream, f.engine, kInOrder) != kSuccess) {
        return nullptr;
    }
    return api;
}

using Owned = std::shared_ptr<void>;

// A handle that is destroyed with its last owner; empty when creating it failed.
Owned own(Status status, Handle handle, Status (*destroy)(Handle)) {
    if (status != kSuccess) return {};
    return {handle, [destroy](Handle h) { destroy(h); }};
}

Owned strided(const Api& f, int ndims, const Dims dims, const Dims strides) {
    Handle h = nullptr;
    const Status s = f.desc_with_strides(&h, ndims, dims, kF32, strides);
    return own(s, h, f.desc_destroy);
}

Owned memory(const Api& f, Handle desc, void* data) {
    Handle h = nullptr;
    const Status s = f.memory_create(&h, desc, f.engine, data);
    return own(s, h, f.memory_destroy);
}

// A primitive with its arguments, and what they keep alive.
struct Step {
    Owned primitive;
    std::vector<Argument> arguments;
    std::vector<Owned> keep;
};

Step step(const Api& f, Handle pd, std::vector<std::pair<int, Owned>> arguments) {
    Handle h = nullptr;
    const Status s = f.primitive_create(&h, pd);
    Step out{.primitive = own(s, h, f.primitive_destroy), .arguments = {}, .keep = {}};
    for (auto& [which, mem] : arguments) {
        out.arguments.push_back({which, mem.get()});
        out.keep.push_back(std::move(mem));
    }
    return out;
}

Work work_of(std::shared_ptr<Api> api, std::vector<Step> steps) {
    for (const Step& s : steps) {
        if (!s.primitive) return {};
    }
    return [api = std::move(api), steps = std::move(steps)](Index repeats) {
        for (Index r = 0; r < repeats; ++r) {
            for (const Step& s : steps)
                api->execute(s.primitive.get(), api->stream, static_cast<int>(s.arguments.size()),
                             s.arguments.data());
        }
        api->stream_wait(api->stream);
    };
}

// Copies `from` to `to` in another layout.
Step reordering(const Api& f, Handle from_desc, const Owned& from, Handle to_desc,
                const Owned& to) {
    Handle h = nullptr;
    const Status s = f.reorder(&h, from_desc, f.engine, to_desc, f.engine, nullptr);
    const Owned pd = own(s, h, f.pd_destroy);
    return pd ? step(f, pd.get(), {{kSrc, from}, {kDst, to}}) : Step{};
}

// ---- products ----

Work matmul(const std::shared_ptr<Api>& api, const Product<float>& p) {
    const Api& f = *api;
    const Gemm<float>& g = p.gemm;
    const auto desc = [&](Index rows, Index cols, Op op, Index ld, Index stride) {
        const Dims dims = {p.batch, rows, cols};
        const Dims strides = {std::max<Index>(stride, 1), op == Op::N ? ld : 1,
                              op == Op::N ? 1 : ld};
        return p.batch > 1 ? strided(f, 3, dims, strides) : strided(f, 2, dims + 1, strides + 1);
    };
    const Owned a = desc(g.m, g.k, g.op_a, g.lda, p.stride_a);
    const Owned b = desc(g.k, g.n, g.op_b, g.ldb, p.stride_b);
    const Owned c = desc(g.m, g.n, Op::N, g.ldc, p.stride_c);
    Handle h = nullptr;
    const Status s = f.matmul(&h, f.engine, a.get(), b.get(), nullptr, c.get(), nullptr);
    const Owned pd = own(s, h, f.pd_destroy);
    if (!pd) return {};
    return work_of(api, {step(f, pd.get(),
                              {{kSrc, memory(f, a.get(), const_cast<float*>(g.a))},
                               {kWeights, memory(f, b.get(), const_cast<float*>(g.b))},
                               {kDst, memory(f, c.get(), g.c)}})});
}

Work sgemm(decltype(Api::sgemm) call, const Product<float>& p) {
    return [call, p](Index repeats) {
        for (Index r = 0; r < repeats; ++r) {
            for (Index i = 0; i < p.batch; ++i) {
                const Gemm<float> g = p.item(i);
                call(g.op_a == Op::N ? 'N' : 'T', g.op_b == Op::N ? 'N' : 'T', g.m, g.n, g.k, 1,
                     g.a, g.lda, g.b, g.ldb, 0, g.c, g.ldc);
            }
        }
    };
}

// ---- convolutions ----

struct ConvDescs {
    Owned x, w, any_w, y;
    Dims strides, dilates, pad_left, pad_right;
};

ConvDescs describe(const Api& f, const ConvGeometry& g) {
    const Index oh = g.oh(), ow = g.ow(), c = g.group_c(), o = g.group_oc();
    const Dims x = {g.n, g.c, g.h, g.w}, x_strides = {g.h * g.w * g.c, 1, g.w * g.c, g.c};
    const Dims y = {g.n, g.oc, oh, ow}, y_strides = {oh * ow * g.oc, 1, ow * g.oc, g.oc};
    // [G, OC/G, C/G, KH, KW] as soma stores it; without groups from the second dimension on.
    const Dims w = {g.groups, o, c, g.kh, g.kw};
    const Dims w_strides = {o, 1, g.oc, g.kw * c * g.oc, c * g.oc};
    const int skip = g.groups == 1 ? 1 : 0;
    Handle any = nullptr;
    const Status s = f.desc_with_tag(&any, 5 - skip, w + skip, kF32, kAnyLayout);
    return {.x = strided(f, 4, x, x_strides),
            .w = strided(f, 5 - skip, w + skip, w_strides + skip),
            .any_w = own(s, any, f.desc_destroy),
            .y = strided(f, 4, y, y_strides),
            .strides = {g.stride_h, g.stride_w},
            .dilates = {g.dilation_h - 1, g.dilation_w - 1},
            .pad_left = {g.pad_top, g.pad_left},
            .pad_right = {g.pad_bottom, g.pad_right}};
}

// The first implementation for a pass; its successors by next_implementation, which still reads the
// hint: it lives as long as what it hinted at.
Owned describe_pass(const Api& f, const ConvDescs& d, ConvPass pass) {
    Handle h = nullptr;
    Status s = f.forward(&h, f.engine, kForwardTraining, kDirect, d.x.get(), d.any_w.get(), nullptr,
                         d.y.get(), d.strides, d.dilates, d.pad_left, d.pad_right, nullptr);
    const Owned hint = own(s, h, f.pd_destroy);
    if (!hint || pass == ConvPass::forward) return hint;
    if (pass == ConvPass::data) {
        s = f.data(&h, f.engine, kDirect, d.x.get(), d.any_w.get(), d.y.get(), d.strides, d.dilates,
                   d.pad_left, d.pad_right, hint.get(), nullptr);
    } else {
        s = f.weights(&h, f.engine, kDirect, d.x.get(), d.any_w.get(), nullptr, d.y.get(),
                      d.strides, d.dilates, d.pad_left, d.pad_right, hint.get(), nullptr);
    }
    if (s != kSuccess) return {};
    return {h, [destroy = f.pd_destroy, hint](Handle pd) { destroy(pd); }};
}

// The work of one implementation: the pass between the reorders that its weights need.
Work conv_work(const std::shared_ptr<Api>& api, const ConvCall& call, const ConvDescs& d,
               Handle pd) {
    const Api& f = *api;
    const bool gives_w = call.pass == ConvPass::weights;
    const Handle w_desc = f.query_desc(pd, gives_w ? kQueryDiffWeights : kQueryWeights, 0);
    const Owned x = memory(f, d.x.get(), call.x), y = memory(f, d.y.get(), call.y);
    const Owned plain = memory(f, d.w.get(), call.w);
    const bool same = f.desc_equal(w_desc, d.w.get()) != 0;
    Owned w = plain;
    std::shared_ptr<AlignedBlock> copy;
    if (!same) {
        copy = std::make_shared<AlignedBlock>(allocate_aligned(f.desc_size(w_desc)));
        w = memory(f, w_desc, copy->get());
    }
    std::vector<Step> steps;
    if (!same && !gives_w) steps.push_back(reordering(f, d.w.get(), plain, w_desc, w));
    switch (call.pass) {
        case ConvPass::forward:
            steps.push_back(step(f, pd, {{kSrc, x}, {kWeights, w}, {kDst, y}}));
            break;
        case ConvPass::data:
            steps.push_back(step(f, pd, {{kDiffDst, y}, {kWeights, w}, {kDiffSrc, x}}));
            break;
        case ConvPass::weights:
            steps.push_back(step(f, pd, {{kSrc, x}, {kDiffDst, y}, {kDiffWeights, w}}));
            break;
    }
    if (!same && gives_w) steps.push_back(reordering(f, w_desc, w, d.w.get(), plain));
    for (Step& s : steps) s.keep.push_back(copy);
    return work_of(api, std::move(steps));
}

Work conv(const std::shared_ptr<Api>& api, const ConvCall& call) {
    const ConvDescs d = describe(*api, call.geometry);
    const Owned pd = describe_pass(*api, d, call.pass);
    if (!pd) return {};
    std::vector<Work> ways;
    do {
        const char* name = "";
        api->query(pd.get(), kQueryImplementation, 0, &name);
        if (std::strncmp(name, "ref", 3) == 0) break;
        if (Work way = conv_work(api, call, d, pd.get())) ways.push_back(std::move(way));
    } while (api->next_implementation(pd.get()) == kSuccess);
    return fastest(std::move(ways));
}

}  // namespace

Rival onednn(const Library& library, int) {
    Rival rival{.name = "onednn", .version = "unknown version"};
    auto* version = library.function<const Version*()>("dnnl_version");
    if (version == nullptr) return rival;
    const Version v = *version();
    rival.version = concat("oneDNN ", v.major, ".", v.minor, ".", v.patch);
    decltype(Api::sgemm) gemm = nullptr;
    load(library, "dnnl_sgemm", gemm);
    const std::shared_ptr<Api> api = v.major >= 3 ? load_primitives(library) : nullptr;
    rival.sgemm = [gemm, api](const Product<float>& p) {
        std::vector<Work> ways;
        if (gemm != nullptr) ways.push_back(sgemm(gemm, p));
        if (api != nullptr) {
            if (Work way = matmul(api, p)) ways.push_back(std::move(way));
        }
        return fastest(std::move(ways));
    };
    if (api != nullptr) rival.conv = [api](const ConvCall& call) { return conv(api, call); };
    return rival;
}

}  // namespace soma::bench
