#pragma once
// Ranks and numbers as error messages and tables print them.

#include <span>
#include <string>

#include "soma/core/error.h"
#include "soma/dist/comm.h"

namespace soma::dist {

// "0-3, 8": ascending integers with runs joined.
std::string ranges_text(std::span<const int> ascending);

// "rank 2 (node1)", or "ranks 0-2, 5 (node1, node2)": hosts once each, in order.
std::string ranks_text(const Comm& comm, std::span<const int> ascending);

}  // namespace soma::dist
