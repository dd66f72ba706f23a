#include "soma/core/arena.h"

#include <algorithm>
#include <new>
#include <utility>

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
    if (!lent_) {
        begin_ = blocks_.empty() ? nullptr : blocks_[block].data.get();
        end_ = blocks_.empty() ? nullptr : begin_ + blocks_[block].bytes;
    }
    cursor_ = begin_ + used;
}

void* Arena::allocate_slow(std::size_t bytes) {
    if (lent_) {
        throw ArenaFull(concat("arena: ", bytes, " bytes wanted, ", end_ - cursor_, " of ",
                               end_ - begin_, " lent bytes left"));
    }
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

Arena::Mark Arena::mark() const { return {current_, static_cast<std::size_t>(cursor_ - begin_)}; }

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
    if (lent_) return static_cast<std::size_t>(end_ - begin_);
    std::size_t total = 0;
    for (const Block& b : blocks_) total += b.bytes;
    return total;
}

namespace {

thread_local Arena* lent_arena = nullptr;
thread_local const ScratchLoan* current_loan = nullptr;

}  // namespace

Arena& thread_arena() {
    if (lent_arena != nullptr) return *lent_arena;
    thread_local Arena arena;
    return arena;
}

ScratchLoan::ScratchLoan(std::byte* memory, std::size_t own, std::size_t slice, int threads)
    : arena_(memory, own),
      slices_(memory + own),
      slice_(slice),
      threads_(threads),
      outer_loan_(std::exchange(current_loan, this)),
      outer_arena_(std::exchange(lent_arena, &arena_)) {}

ScratchLoan::~ScratchLoan() {
    lent_arena = outer_arena_;
    current_loan = outer_loan_;
}

const ScratchLoan* ScratchLoan::current() { return current_loan; }

SharedLoan::SharedLoan(const ScratchLoan* loan, int thread)
    : arena_(loan != nullptr && thread > 0 && thread < loan->threads_
                 ? Arena(loan->slices_ + static_cast<std::size_t>(thread - 1) * loan->slice_,
                         loan->slice_)
                 : Arena(nullptr, 0)),
      active_(loan != nullptr && thread > 0),
      outer_(lent_arena) {
    if (active_) lent_arena = &arena_;
}

SharedLoan::~SharedLoan() {
    if (active_) lent_arena = outer_;
}

}  // namespace soma
