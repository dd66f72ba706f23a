#pragma once
// Arena: bump allocation that settles into one block, so that a repeated step never calls malloc.
//
//   block 0            block 1 (only until the next reset)
//   [used........free] [used......free]
//
// allocate() bumps a pointer; when the block is full a further block is taken. reset() frees
// everything at once and, if there was more than one block, replaces them by a single block as
// large as all of them: from the second identical step on, allocate() is an add and a compare.
// An arena over lent memory never takes a block: it throws ArenaFull instead.
// Invariants: every pointer is 64-byte aligned; memory is not initialised; not thread-safe.

#include <cstddef>
#include <memory>
#include <vector>

#include "soma/core/error.h"
#include "soma/core/types.h"

namespace soma {

inline constexpr std::size_t kAlignment = 64;

// Lent memory was too small.
class ArenaFull : public Error {
public:
    explicit ArenaFull(const std::string& message) : Error(ErrorCode::usage, message) {}
};

// 64-byte aligned block, freed with its owner. Throws Error(internal) when memory is exhausted.
struct AlignedFree {
    void operator()(std::byte* p) const noexcept;
};
using AlignedBlock = std::unique_ptr<std::byte[], AlignedFree>;
AlignedBlock allocate_aligned(std::size_t bytes);

class Arena {
public:
    // A position to go back to; everything allocated after it is released together.
    struct Mark {
        std::size_t block = 0;
        std::size_t used = 0;
    };

    explicit Arena(std::size_t first_block_bytes = 1 << 16) : next_bytes_(first_block_bytes) {}
    // Over `bytes` of 64-byte aligned memory of somebody else.
    Arena(std::byte* lent, std::size_t bytes)
        : lent_(true), begin_(lent), cursor_(lent), end_(lent + bytes), next_bytes_(0) {}

    void* allocate(std::size_t bytes) {
        bytes = (bytes + kAlignment - 1) & ~(kAlignment - 1);
        if (bytes <= static_cast<std::size_t>(end_ - cursor_)) {
            std::byte* p = cursor_;
            cursor_ += bytes;
            return p;
        }
        return allocate_slow(bytes);
    }
    template <class T>
    T* allocate_array(Index n) {
        return static_cast<T*>(allocate(static_cast<std::size_t>(n) * sizeof(T)));
    }

    Mark mark() const;
    void release(Mark mark);  // marks must be released in reverse order
    void reset();             // releases everything and merges the blocks into one
    std::size_t capacity() const;

private:
    struct Block {
        AlignedBlock data;
        std::size_t bytes = 0;
    };
    void* allocate_slow(std::size_t bytes);
    void enter(std::size_t block, std::size_t used);

    std::vector<Block> blocks_;  // none when the memory is lent
    bool lent_ = false;
    std::size_t current_ = 0;  // index of the block the cursor is in
    std::byte* begin_ = nullptr;
    std::byte* cursor_ = nullptr;
    std::byte* end_ = nullptr;
    std::size_t next_bytes_;
};

// The calling thread's scratch arena. Kernel drivers take scratch inside a ScratchScope; nothing
// survives the scope. While a ScratchLoan lives, it is the loan's.
Arena& thread_arena();

class ScratchScope {
public:
    ScratchScope() : arena_(thread_arena()), mark_(arena_.mark()) {}
    ~ScratchScope() { arena_.release(mark_); }
    ScratchScope(const ScratchScope&) = delete;
    ScratchScope& operator=(const ScratchScope&) = delete;
    template <class T>
    T* array(Index n) {
        return arena_.allocate_array<T>(n);
    }

private:
    Arena& arena_;
    Arena::Mark mark_;
};

// Memory lent for one call: while the loan lives, the calling thread and the threads of its
// parallel regions take scratch from it alone, and ArenaFull is thrown when it is too small.
// Nothing is allocated then.
//
//     [ own: the calling thread ][ slice: thread 1 ][ slice: thread 2 ] ...
//
// Memory is 64-byte aligned, own and slice are multiples of 64. A loan inside a loan replaces it.
class ScratchLoan {
public:
    ScratchLoan(std::byte* memory, std::size_t own, std::size_t slice, int threads);
    ~ScratchLoan();
    ScratchLoan(const ScratchLoan&) = delete;
    ScratchLoan& operator=(const ScratchLoan&) = delete;

    // That of the calling thread, or nullptr.
    static const ScratchLoan* current();

private:
    friend class SharedLoan;
    Arena arena_;
    std::byte* slices_;
    std::size_t slice_;
    int threads_;
    const ScratchLoan* outer_loan_;
    Arena* outer_arena_;
};

// In a thread of a parallel region: its part of the loan of the thread that started the region.
// Thread 0 is that thread and has its own already.
class SharedLoan {
public:
    SharedLoan(const ScratchLoan* loan, int thread);
    ~SharedLoan();
    SharedLoan(const SharedLoan&) = delete;
    SharedLoan& operator=(const SharedLoan&) = delete;

private:
    Arena arena_;
    bool active_;
    Arena* outer_;
};

}  // namespace soma
