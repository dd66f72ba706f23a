#include "systems/claim_run.h"

#include <cmath>

#include "soma/core/cpu.h"
#include "soma/core/timer.h"
#include "soma/core/version.h"
#include "soma/kernels/backend.h"
#include "soma/kernels/dispatch.h"
#include "soma/linalg/linalg.h"

namespace soma::systems {

ClaimRun::ClaimRun(const ReproduceContext& context, std::string system, int seeds,
                   std::uint64_t first_seed)
    : context_(context), system_(std::move(system)) {
    if (context.seed) {
        seeds_ = {*context.seed};
        return;
    }
    const int n = context.seeds > 0 ? context.seeds : seeds;
    for (int i = 0; i < n; ++i) seeds_.push_back(first_seed + static_cast<std::uint64_t>(i));
}

Gate ClaimRun::on_most_seeds(double most, double of) const {
    const auto n = static_cast<double>(seeds_.size());
    return Gate::at_least(std::ceil(most / of * n), n);
}

void ClaimRun::claim(Claim claim, const std::function<void(Claim&)>& find) {
    claims({std::move(claim)}, [&](std::vector<Claim>& list) { find(list.front()); });
}

void ClaimRun::claims(std::vector<Claim> list,
                      const std::function<void(std::vector<Claim>&)>& find) {
    std::erase_if(list, [&](const Claim& c) {
        if (context_.wants(c.id)) return false;
        result_.unwanted.push_back(c.id);
        return true;
    });
    if (list.empty()) return;
    if (stopped()) {
        result_.interrupted = true;
        return;
    }
    const Timer timer;
    find(list);
    if (stopped()) {  // what was found in part is not a finding
        result_.interrupted = true;
        return;
    }
    for (Claim& c : list) {
        c.system = system_;
        c.seconds = timer.seconds();
        c.rss_bytes = peak_resident_bytes();
        c.threads = num_threads();
        c.isa = kernels::active().isa;
        c.gemm = kernels::gemm_backend();
        c.version = kVersion;
        if (c.verdict != Verdict::skipped) c.decide();
        if (context_.on_claim) context_.on_claim(c);
        result_.claims.push_back(std::move(c));
    }
}

bool skip_without_lapack(std::span<Claim> claims) {
    if (linalg::available()) return false;
    for (Claim& claim : claims) claim.skip("soma was built without LAPACK");
    return true;
}

}  // namespace soma::systems
