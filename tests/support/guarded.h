#pragma once
// Guarded: an array that ends at an inaccessible page, and its twin that begins after one, so that
// a kernel which reads or writes a single element outside dies at once.
//
//     [ no access ][ . . . . . elements ][ no access ]     Edge::end:   last element at the border
//     [ no access ][ elements . . . . . ][ no access ]     Edge::begin: first element at the border

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <vector>

#include "soma/core/types.h"

namespace soma::test {

enum class Edge { begin, end };

template <class T>
class Guarded {
public:
    Guarded(Index count, Edge edge) : count_(count) {
        const Index page = sysconf(_SC_PAGESIZE), bytes = count * Index{sizeof(T)};
        const Index body = round_up(std::max<Index>(bytes, 1), page);
        size_ = static_cast<std::size_t>(body + 2 * page);
        base_ = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base_ == MAP_FAILED) throw std::bad_alloc();
        char* first = static_cast<char*>(base_) + page;
        if (mprotect(first, static_cast<std::size_t>(body), PROT_READ | PROT_WRITE) != 0) {
            throw std::bad_alloc();
        }
        data_ = reinterpret_cast<T*>(edge == Edge::begin ? first : first + body - bytes);
    }
    Guarded(const std::vector<T>& values, Edge edge)
        : Guarded(static_cast<Index>(values.size()), edge) {
        std::copy(values.begin(), values.end(), data_);
    }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
    ~Guarded() { munmap(base_, size_); }

    T* data() { return data_; }
    std::vector<T> copy() const { return {data_, data_ + count_}; }

private:
    Index count_;
    void* base_ = nullptr;
    std::size_t size_ = 0;
    T* data_ = nullptr;
};

}  // namespace soma::test
