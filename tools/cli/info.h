#pragma once
// Parts of `soma info`.

#include <string>

namespace soma::cli {

struct MpiInfoOptions {
    std::string cluster;          // a record to compare with (cluster.h), or ""
    bool threads_chosen = false;  // by the user
    bool json = false;
};
// On all ranks; 1 when what is measured is not as recorded.
int run_mpi_info(const MpiInfoOptions& options);

}  // namespace soma::cli
