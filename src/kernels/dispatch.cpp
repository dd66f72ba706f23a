// The only file that knows all instruction sets.

#include "soma/kernels/dispatch.h"

#include <vector>

#include "kernels/isa/isa.h"
#include "soma/core/cpu.h"
#include "soma/core/error.h"

namespace soma::kernels {
namespace {

std::vector<const KernelTable*> detect() {
    std::vector<const KernelTable*> tables{&generic::kernel_table()};
#if defined(__x86_64__)
    if (cpu().avx2_fma) tables.push_back(&avx2::kernel_table());
    if (cpu().avx512) tables.push_back(&avx512::kernel_table());
#elif defined(__aarch64__)
    tables.push_back(&neon::kernel_table());
#endif
    return tables;
}

std::string names_of_available() {
    std::string names;
    for (const KernelTable* t : available())
        names += (names.empty() ? "" : ", ") + std::string(t->isa);
    return names;
}

}  // namespace

namespace detail {

std::atomic<const KernelTable*> current{nullptr};

const KernelTable& choose() {
    const std::string wish = environment("SOMA_ISA");
    if (wish.empty()) {
        current.store(available().back(), std::memory_order_release);
    } else {
        use(wish);
    }
    return *current.load(std::memory_order_acquire);
}

}  // namespace detail

std::span<const KernelTable* const> available() {
    static const std::vector<const KernelTable*> tables = detect();
    return tables;
}

void use(const std::string& isa) {
    for (const KernelTable* t : available()) {
        if (isa == t->isa) {
            detail::current.store(t, std::memory_order_release);
            return;
        }
    }
    fail(ErrorCode::usage, "SOMA_ISA: '", isa, "' is not available on this CPU; it has ",
         names_of_available());
}

}  // namespace soma::kernels
