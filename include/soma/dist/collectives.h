#pragma once
// Collectives: sums over ranks that can be in any stage of completion.
//
// A Collective is started and then advanced, by whoever has time: the caller who waits, a helper
// thread, or a kernel between two blocks (progress.h). advance() never blocks, so many can be in
// flight; all ranks start the same ones in the same order.
//
//   Allreduce     soma's own, over a schedule (schedule.h): strict with `tree`, its bits do not
//                 depend on sizes, buckets or who advances it
//   LibrarySum    MPI_Allreduce, which blocks: a yardstick
//
// Before a step's elements goes a header that says which update, bucket and step they belong to, so
// that ranks that have come apart are told so instead of adding what does not belong together; a
// few elements travel with it. More of them travel in pieces from and to where they stand, and are
// folded as they arrive, while the next are under way.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "soma/core/types.h"
#include "soma/dist/comm.h"
#include "soma/dist/schedule.h"

namespace soma::dist {

// out[i] = left[i] + right[i], i < n; out may be left or right. Must be exactly one addition.
template <class T>
using Add = void (*)(T* out, const T* left, const T* right, Index n);

template <class T>
void plain_add(T* out, const T* left, const T* right, Index n) {
    for (Index i = 0; i < n; ++i) out[i] = left[i] + right[i];
}

// What a shard says about its samples beside their gradient. All fields are sums over shards by the
// tree of shards.h; the flags are counts, so nothing is lost. 64 bytes on the wire.
struct ControlRecord {
    double weight = 0;             // W: summed sample weight; the mean divides by it
    double loss = 0;               // weighted loss
    double metrics[5] = {};        // wrong answers, squared errors, ...: the trainer's choice
    std::uint32_t stop = 0;        // shards whose rank was asked to stop
    std::uint32_t non_finite = 0;  // shards whose loss was NaN or infinite
};
static_assert(sizeof(ControlRecord) == 64);

void add_records(ControlRecord* out, const ControlRecord* left, const ControlRecord* right,
                 Index n);

class Collective {
public:
    enum class State { complete, moved, waiting };

    Collective() = default;
    Collective(const Collective&) = delete;
    Collective& operator=(const Collective&) = delete;
    virtual ~Collective() = default;

    // `update` is the number that travels in the headers; all ranks say the same.
    virtual void start(std::uint32_t update) = 0;
    // Moves on as far as it can without blocking. Error(internal) naming both ranks when a message
    // is not the expected one.
    virtual State advance() = 0;
    // Gives up what is in flight. What was being sent may still be read (Comm::cancel).
    virtual void cancel() noexcept = 0;
    // What it waits for.
    virtual Wait waits_for() const = 0;

    // start() and advance() until complete. Error(timeout) when nothing moves for comm.timeout()
    // seconds.
    void run(Comm& comm, std::uint32_t update = 0);
};

// Names one of the collectives of an update.
struct CollectiveId {
    int tag = 0;            // of its messages; no other one in flight between these ranks has it
    int bucket = 0;         // in headers and reports
    bool prepared = false;  // it will run often: its messages are prepared once (Channel)
};

// data <- sum over ranks, in place. T is float, double or ControlRecord.
template <class T>
class Allreduce final : public Collective {
public:
    // Memory for what arrives before it is folded. Collectives that are never in flight together
    // may share it.
    using Scratch = std::shared_ptr<T[]>;
    static Scratch make_scratch();

    // comm and data outlive it; data stays where it is. Ranks pass schedules that fit each other.
    Allreduce(Comm& comm, std::span<T> data, Add<T> add, Schedule schedule, CollectiveId id,
              Scratch scratch = nullptr);
    ~Allreduce() override;

    void start(std::uint32_t update) override;
    State advance() override;
    void cancel() noexcept override;
    Wait waits_for() const override;

private:
    struct Header {
        std::uint32_t update, bucket, step, bytes;
    };
    struct Piece {
        Channel channel;
        Range part;  // of data
    };
    struct Moves {  // of one step
        std::vector<Piece> sends, receives;
    };
    static constexpr std::size_t kWindow = 4;  // pieces in flight, each way

    Moves plan_moves(const Step& step);
    Channel channel(void* memory, Index bytes, int peer, bool sends);
    void begin_step();
    bool advance_sends();
    bool advance_receives();
    void take(std::size_t piece);
    void check_header() const;

    Comm& comm_;
    std::span<T> data_;
    Add<T> add_;
    Schedule schedule_;
    CollectiveId id_;
    Scratch scratch_;
    std::vector<std::byte> head_out_, head_in_;  // header, few elements
    std::vector<Moves> moves_;                   // by step
    std::array<Request, kWindow> sending_, receiving_;
    std::size_t step_ = 0, sent_ = 0, received_ = 0;  // pieces of the step
    std::uint32_t update_ = 0;
};

// data <- sum over ranks by MPI_Allreduce; advance() blocks. Error(usage) where there is none.
class LibrarySum final : public Collective {
public:
    LibrarySum(Comm& comm, std::span<float> data) : comm_(comm), data_(data) {}
    void start(std::uint32_t) override {}
    State advance() override;
    void cancel() noexcept override {}
    Wait waits_for() const override { return {.what = "the library's all-reduce"}; }

private:
    Comm& comm_;
    std::span<float> data_;
};

}  // namespace soma::dist
