#pragma once
// Sequential: a plain chain of modules, for nets without branches.
//
//     Sequential net;
//     net.add(Linear(store, "hidden", 784, 100, {.activation = Activation::relu}));
//     net.add(Dropout("drop", 0.5));
//     net.add(Linear(store, "output", 100, 10));
//     Var scores = net(x, context);
//
// A link is anything callable as Var(Var, const Context&) or Var(Var); it is held by value.

#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "soma/autograd/tape.h"
#include "soma/nn/context.h"

namespace soma::nn {

class Sequential {
public:
    template <class Link>
    Sequential& add(Link link) {
        if constexpr (std::is_invocable_r_v<Var, const Link&, Var, const Context&>) {
            links_.emplace_back(std::move(link));
        } else {
            links_.emplace_back(
                [inner = std::move(link)](Var x, const Context&) { return inner(x); });
        }
        return *this;
    }

    Var operator()(Var x, const Context& context) const {
        for (const auto& link : links_) x = link(x, context);
        return x;
    }

    Index size() const { return static_cast<Index>(links_.size()); }

private:
    std::vector<std::function<Var(Var, const Context&)>> links_;
};

}  // namespace soma::nn
