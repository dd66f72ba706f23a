#pragma once
// Conv2d and ConvTranspose2d: convolutions of NHWC images with parameters in the store.
//
// Parameters: <name>.weight [KH, KW, in / groups, out] (transposed: [KH, KW, out / groups, in]),
// <name>.bias [out], or [OH, OW, out] with one bias per unit.

#include <optional>
#include <string>
#include <vector>

#include "soma/autograd/ops/conv.h"
#include "soma/nn/parameter_store.h"

namespace soma::nn {

enum class ConvBias { none, channel, unit };

struct Conv2dLayerOptions {
    Size2 kernel = 3;
    // Stride, padding, groups, activation, ...; the table is copied. `winograd` is refused here
    // when kernel, stride, dilation or groups do not allow it.
    Conv2dOptions conv = {};
    ConvBias bias = ConvBias::channel;
    Size2 image = 0;  // height and width of the input; needed by ConvBias::unit only
    std::optional<Init> weight = {};  // default: He uniform over KH KW in / groups
    Init bias_init = Init::zeros();
};

class Conv2d {
public:
    Conv2d(ParameterStore& store, const std::string& name, Index in, Index out,
           const Conv2dLayerOptions& options = {});

    // x [N, H, W, in] -> [N, OH, OW, out]. The module must outlive the tape's sweeps.
    Var operator()(Var x) const;

    ParameterId weight() const { return weight_; }
    ParameterId bias() const { return bias_; }  // -1 when there is none
    // Stored weights that the connection table switches off: they exist in no paper's count.
    Index unconnected_weights() const;

private:
    ParameterStore* store_;
    ParameterId weight_ = -1, bias_ = -1;
    Conv2dOptions conv_;
    std::vector<std::uint8_t> table_;
};

struct ConvTranspose2dLayerOptions {
    Size2 kernel = 4;
    ConvTranspose2dOptions conv = {};
    bool bias = true;
    std::optional<Init> weight = {};  // default: He uniform over KH KW in / groups
    Init bias_init = Init::zeros();
};

class ConvTranspose2d {
public:
    ConvTranspose2d(ParameterStore& store, const std::string& name, Index in, Index out,
                    const ConvTranspose2dLayerOptions& options = {});

    // x [N, H, W, in] -> [N, OH, OW, out]
    Var operator()(Var x) const;

    ParameterId weight() const { return weight_; }
    ParameterId bias() const { return bias_; }

private:
    ParameterStore* store_;
    ParameterId weight_ = -1, bias_ = -1;
    ConvTranspose2dOptions conv_;
};

}  // namespace soma::nn
