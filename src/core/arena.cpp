#include "soma/core/arena.h"

#include <algorithm>
#include <new>

#include "soma/core/error.h"

namespace soma {

void AlignedFree::operator()(std::byte* p) const noexcept {
    ::operator delete[](p, std::align_val_t{kAlignment});
}

AlignedBlock allocate_aligned(std::size_t bytes) {
    try {
        return AlignedBlock(static_cast<std::byte*>(
            ::operator new[](std::max(bytes, kAlignment), std::align_val_t{kAlignment})));
    } catch (const std::bad_alloc&) {
        fail(ErrorCode::internal, "out of memory: cannot allocate ", bytes, " bytes");
    }
}

void Arena::enter(std::size_t block, std::size_t used) {
    current_ = block;
    cursor_ = blocks_.empty() ? nullptr : blocks_[block].data.get() + used;
    end_ = blocks_.empty() ? nullptr : blocks_[block].data.get() + blocks_[block].bytes;
}

void* Arena::allocate_slow(std::size_t bytes) {
    std::size_t next = blocks_.empty() ? 0 : current_ + 1;
    while (next < blocks_.size() && blocks_[next].bytes < bytes) ++next;
    if (next == blocks_.size()) {
        const std::size_t size = std::max(next_bytes_, bytes);
        blocks_.push_back({allocate_aligned(size), size});
        next_bytes_ = 2 * size;
    }
    enter(next, bytes);
    return cursor_ - bytes;
}

Arena::Mark Arena::mark() const {
    if (blocks_.empty()) return {};
    return {current_, static_cast<std::size_t>(cursor_ - blocks_[current_].data.get())};
}

void Arena::release(Mark mark) { enter(mark.block, mark.used); }

void Arena::reset() {
    if (blocks_.size() > 1) {
        const std::size_t total = capacity();
        AlignedBlock merged = allocate_aligned(total);
        blocks_.clear();
        blocks_.push_back({std::move(merged), total});
        next_bytes_ = 2 * total;
    }
    enter(0, 0);
}

std::size_t Arena::capacity() const {
    std::size_t total = 0;
    for (const Block& b : blocks_) total += b.bytes;
    return total;
}

Arena& thread_arena() {
    thread_local Arena arena;
    return arena;
}

}  // namespace soma
