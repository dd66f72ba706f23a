// The world of a build without MPI: one rank.

#include "soma/core/error.h"
#include "soma/dist/comm.h"

namespace soma::dist {

std::unique_ptr<Comm> make_world_comm(int launched_size) {
    SOMA_CHECK(launched_size == 1, "this soma was built without MPI and cannot join ",
               launched_size, " ranks; install libopenmpi-dev and configure with -DSOMA_MPI=ON");
    return make_self_comm();
}

MessageLibrary message_library() { return {}; }

}  // namespace soma::dist
