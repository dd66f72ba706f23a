#pragma once
// A net of images whose layers can be counted and whose first kernels can be drawn.

#include <string>
#include <vector>

#include "soma/train/model.h"

namespace soma::systems {

// What papers count of a layer.
struct LayerCount {
    std::string name;
    Index parameters = 0;
    Index connections = 0;  // multiplications of a forward pass, without biases
    Index units = 0;
};

class VisionNet : public train::Model {
public:
    // From the input to the output. Counting needs no frozen store.
    virtual std::vector<LayerCount> layers() const = 0;
    // Kernels [KH, KW, channels, maps]; the store is frozen.
    virtual Tensor first_layer() const = 0;

    LayerCount sum() const {
        LayerCount sum{.name = "net"};
        for (const LayerCount& l : layers()) {
            sum.parameters += l.parameters;
            sum.connections += l.connections;
            sum.units += l.units;
        }
        return sum;
    }
};

}  // namespace soma::systems
