#include "soma/dist/collectives.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dist/idle.h"
#include "dist/silence.h"
#include "soma/core/error.h"

namespace soma::dist {
namespace {

constexpr Index kHeadBytes = 2 << 10;  // of elements that travel with the header
// A piece costs a handshake: with 256 KB sums of 16 MB in shared memory took 1.6 times as long.
constexpr Index kPieceBytes = 1 << 20;

// mine <- lower rank's operand + higher rank's.
template <class T>
void fold(Add<T> add, T* mine, const T* theirs, Index n, bool mine_is_lower) {
    if (mine_is_lower) {
        add(mine, mine, theirs, n);
    } else {
        add(mine, theirs, mine, n);
    }
}

// A range as pieces: what travels with the header, then full ones from and to where they stand.
template <class T>
std::vector<Range> cut(Range whole) {
    constexpr Index size = sizeof(T);
    std::vector<Range> parts;
    Index most = kHeadBytes / size;
    for (Index begin = whole.begin; begin < whole.end; begin = parts.back().end) {
        parts.push_back({begin, std::min(begin + most, whole.end)});
        most = kPieceBytes / size;
    }
    return parts;
}

}  // namespace

void add_records(ControlRecord* out, const ControlRecord* left, const ControlRecord* right,
                 Index n) {
    for (Index i = 0; i < n; ++i) {
        out[i].weight = left[i].weight + right[i].weight;
        out[i].loss = left[i].loss + right[i].loss;
        for (int m = 0; m < 5; ++m) out[i].metrics[m] = left[i].metrics[m] + right[i].metrics[m];
        out[i].stop = left[i].stop + right[i].stop;
        out[i].non_finite = left[i].non_finite + right[i].non_finite;
    }
}

void Collective::run(Comm& comm, std::uint32_t update) {
    start(update);
    Idle idle(comm);
    Silence silence(comm, comm.timeout());
    try {
        for (State state = advance(); state != State::complete; state = advance()) {
            if (state == State::moved) {
                idle.reset();
                silence.moved();
                continue;
            }
            silence.check([&] { return waits_for(); });
            idle.pause();
        }
    } catch (...) {
        cancel();
        throw;
    }
}

// ---- Allreduce: building it -------------------------------------------------------------------

template <class T>
typename Allreduce<T>::Scratch Allreduce<T>::make_scratch() {
    return std::make_shared_for_overwrite<T[]>(kWindow * kPieceBytes / sizeof(T));
}

template <class T>
Allreduce<T>::Allreduce(Comm& comm, std::span<T> data, Add<T> add, Schedule schedule,
                        CollectiveId id, Scratch scratch)
    : comm_(comm),
      data_(data),
      add_(add),
      schedule_(std::move(schedule)),
      id_(id),
      scratch_(std::move(scratch)) {
    for (const Step& step : schedule_) {
        const bool has_pieces = step.take.size() * Index(sizeof(T)) > kHeadBytes;
        if (step.folds && has_pieces && !scratch_) scratch_ = make_scratch();
    }
    head_out_.resize(sizeof(Header) + kHeadBytes);
    head_in_.resize(sizeof(Header) + kHeadBytes);
    for (const Step& step : schedule_) moves_.push_back(plan_moves(step));
    step_ = moves_.size();
}

template <class T>
Allreduce<T>::~Allreduce() {
    cancel();
}

template <class T>
Channel Allreduce<T>::channel(void* memory, Index bytes, int peer, bool sends) {
    if (!id_.prepared) return {memory, bytes, peer, id_.tag, sends};
    return sends ? comm_.prepare_send(memory, bytes, peer, id_.tag)
                 : comm_.prepare_recv(memory, bytes, peer, id_.tag);
}

template <class T>
typename Allreduce<T>::Moves Allreduce<T>::plan_moves(const Step& step) {
    Moves moves;
    const auto add = [&](std::vector<Piece>& list, Range part, T* memory, std::byte* head, int peer,
                         bool sends) {
        const Index bytes = part.size() * static_cast<Index>(sizeof(T));
        const bool first = list.empty();
        void* at = first ? static_cast<void*>(head) : memory;
        const Index length = bytes + (first ? static_cast<Index>(sizeof(Header)) : 0);
        list.push_back({channel(at, length, peer, sends), part});
    };
    for (const Range part : cut<T>(step.give)) {
        add(moves.sends, part, data_.data() + part.begin, head_out_.data(), step.to, true);
    }
    for (const Range part : cut<T>(step.take)) {
        const std::size_t slot = moves.receives.size() % kWindow;
        T* to = step.folds ? scratch_.get() + slot * (kPieceBytes / sizeof(T))
                           : data_.data() + part.begin;
        add(moves.receives, part, to, head_in_.data(), step.from, false);
    }
    return moves;
}

// ---- Allreduce: running it --------------------------------------------------------------------

template <class T>
void Allreduce<T>::start(std::uint32_t update) {
    update_ = update;
    step_ = 0;
    begin_step();
}

// Packs the header and opens the window.
template <class T>
void Allreduce<T>::begin_step() {
    sent_ = received_ = 0;
    if (step_ == moves_.size()) return;
    const Step& step = schedule_[step_];
    const Moves& moves = moves_[step_];
    for (std::size_t i = 0; i < std::min(kWindow, moves.receives.size()); ++i) {
        receiving_[i] = comm_.start(moves.receives[i].channel);
    }
    if (moves.sends.empty()) return;
    const Header header{update_, static_cast<std::uint32_t>(id_.bucket),
                        static_cast<std::uint32_t>(step_),
                        static_cast<std::uint32_t>(step.give.size() * Index(sizeof(T)))};
    std::memcpy(head_out_.data(), &header, sizeof header);
    const Range first = moves.sends[0].part;
    std::memcpy(head_out_.data() + sizeof header, data_.data() + first.begin,
                static_cast<std::size_t>(first.size()) * sizeof(T));
    for (std::size_t i = 0; i < std::min(kWindow, moves.sends.size()); ++i) {
        sending_[i] = comm_.start(moves.sends[i].channel);
    }
}

template <class T>
Collective::State Allreduce<T>::advance() {
    bool moved = false;
    while (step_ < moves_.size()) {
        moved |= advance_sends();
        moved |= advance_receives();
        const Moves& moves = moves_[step_];
        if (received_ < moves.receives.size() || sent_ < moves.sends.size()) {
            return moved ? State::moved : State::waiting;
        }
        ++step_;
        begin_step();
    }
    return State::complete;
}

template <class T>
bool Allreduce<T>::advance_sends() {
    const std::vector<Piece>& pieces = moves_[step_].sends;
    const std::size_t before = sent_;
    while (sent_ < pieces.size() && comm_.test(sending_[sent_ % kWindow])) {
        const std::size_t next = sent_ + kWindow;
        if (next < pieces.size()) sending_[sent_ % kWindow] = comm_.start(pieces[next].channel);
        ++sent_;
    }
    return sent_ != before;
}

template <class T>
bool Allreduce<T>::advance_receives() {
    const std::vector<Piece>& pieces = moves_[step_].receives;
    const std::size_t before = received_;
    const bool overlap = schedule_[step_].overlap();
    while (received_ < pieces.size() && comm_.test(receiving_[received_ % kWindow])) {
        if (overlap && received_ > 0 && sent_ <= received_) break;  // that piece is still read
        take(received_);
        const std::size_t next = received_ + kWindow;
        if (next < pieces.size())
            receiving_[received_ % kWindow] = comm_.start(pieces[next].channel);
        ++received_;
    }
    return received_ != before;
}

// What arrived goes where it belongs.
template <class T>
void Allreduce<T>::take(std::size_t piece) {
    const Step& step = schedule_[step_];
    const auto& [channel, part] = moves_[step_].receives[piece];
    if (piece == 0) check_header();
    const void* arrived = piece == 0 ? head_in_.data() + sizeof(Header) : channel.data;
    T* mine = data_.data() + part.begin;
    if (step.folds) {
        fold(add_, mine, static_cast<const T*>(arrived), part.size(), step.lower);
    } else if (piece == 0) {
        std::memcpy(mine, arrived, static_cast<std::size_t>(part.size()) * sizeof(T));
    }
}

template <class T>
void Allreduce<T>::check_header() const {
    const Step& step = schedule_[step_];
    const Header mine{update_, static_cast<std::uint32_t>(id_.bucket),
                      static_cast<std::uint32_t>(step_),
                      static_cast<std::uint32_t>(step.take.size() * Index(sizeof(T)))};
    Header theirs{};
    std::memcpy(&theirs, head_in_.data(), sizeof theirs);
    // The steps of two ranks have the same number unless one of them has no partner (schedule.h).
    if (theirs.update == mine.update && theirs.bucket == mine.bucket && theirs.bytes == mine.bytes)
        return;
    const auto words = [](const Header& h) {
        return concat("update ", h.update, ", bucket ", h.bucket, ", step ", h.step, ", ", h.bytes,
                      " bytes");
    };
    fail(ErrorCode::internal, "dist: ", comm_.name_of(comm_.rank()), " expects ", words(mine),
         " from ", comm_.name_of(step.from), ", which is at ", words(theirs));
}

template <class T>
void Allreduce<T>::cancel() noexcept {
    for (Request& request : sending_) comm_.cancel(request);
    for (Request& request : receiving_) comm_.cancel(request);
    step_ = moves_.size();
}

template <class T>
Wait Allreduce<T>::waits_for() const {
    Wait wait{.what = concat("update ", update_, ", bucket ", id_.bucket, ", step ", step_ + 1,
                             " of ", moves_.size()),
              .update = Index{update_},
              .bucket = id_.bucket,
              .step = static_cast<Index>(step_)};
    for (const auto* requests : {&receiving_, &sending_}) {
        const auto first = std::find_if(requests->begin(), requests->end(),
                                        [](const Request& r) { return !r.done(); });
        if (first != requests->end()) wait.messages.push_back(*first);
    }
    return wait;
}

template class Allreduce<float>;
template class Allreduce<double>;
template class Allreduce<ControlRecord>;

// ---- LibrarySum -------------------------------------------------------------------------------

Collective::State LibrarySum::advance() {
    SOMA_CHECK(comm_.library_sum(data_), "--allreduce mpi: this run has no message library");
    return State::complete;
}

}  // namespace soma::dist
