// The blocking half of Comm, written once over do_isend, do_irecv and do_test.

#include "soma/dist/comm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "dist/idle.h"
#include "dist/silence.h"
#include "soma/core/error.h"

namespace soma::dist {

std::string Comm::name_of(int rank) const {
    return concat("rank ", rank, " (", host_of(rank), ")");
}

void Comm::check_message(const char* operation, Index bytes, int peer, int tag) const {
    SOMA_CHECK(peer >= 0 && peer < size() && peer != rank(), operation, ": peer is ", peer,
               " on rank ", rank(), " of ", size(), "; need another rank");
    SOMA_CHECK(tag >= 0 && tag <= kMaxTag, operation, ": tag is ", tag,
               "; need 0 <= tag <= ", kMaxTag);
    SOMA_CHECK(bytes >= 0, operation, ": ", bytes, " bytes; need bytes >= 0");
}

Request Comm::isend(const void* data, Index bytes, int peer, int tag) {
    check_message("isend", bytes, peer, tag);
    return do_isend(data, bytes, peer, tag);
}

Request Comm::irecv(void* data, Index bytes, int peer, int tag) {
    check_message("irecv", bytes, peer, tag);
    return do_irecv(data, bytes, peer, tag);
}

Channel Comm::prepare_send(const void* data, Index bytes, int peer, int tag) {
    check_message("prepare_send", bytes, peer, tag);
    Channel channel{
        .data = const_cast<void*>(data), .bytes = bytes, .peer = peer, .tag = tag, .sends = true};
    do_prepare(channel);
    return channel;
}

Channel Comm::prepare_recv(void* data, Index bytes, int peer, int tag) {
    check_message("prepare_recv", bytes, peer, tag);
    Channel channel{.data = data, .bytes = bytes, .peer = peer, .tag = tag};
    do_prepare(channel);
    return channel;
}

Request Comm::start(const Channel& channel) { return do_start(channel); }

Request Comm::do_start(const Channel& c) {
    return c.sends ? do_isend(c.data, c.bytes, c.peer, c.tag)
                   : do_irecv(c.data, c.bytes, c.peer, c.tag);
}

bool Comm::test(Request& request) { return request.done() || do_test(request); }

int Comm::waitany(std::span<Request> requests, const Deadline& deadline) {
    const auto pending = [](const Request& r) { return !r.done(); };
    if (std::none_of(requests.begin(), requests.end(), pending)) return -1;
    Idle idle(*this);
    Silence silence(*this, deadline.seconds(), deadline.begin());
    const auto wait = [&] {
        Wait all;
        std::copy_if(requests.begin(), requests.end(), std::back_inserter(all.messages), pending);
        return all;
    };
    try {
        for (;;) {
            for (std::size_t i = 0; i < requests.size(); ++i) {
                if (!pending(requests[i]) || !do_test(requests[i])) continue;
                silence.end();
                return static_cast<int>(i);
            }
            silence.check(wait);
            idle.pause();
        }
    } catch (...) {
        for (Request& request : requests) cancel(request);
        throw;
    }
}

void Comm::waitall(std::span<Request> requests, const Deadline& deadline) {
    while (waitany(requests, deadline) >= 0) {
    }
}

void Comm::cancel(Request& request) noexcept {
    if (!request.done()) do_cancel(request);
}

std::string Comm::describe(const Request& r) const {
    return concat(r.sends ? "to send " : "to receive ", r.bytes, " bytes ",
                  r.sends ? "to " : "from ", name_of(r.peer), ", tag ", r.tag);
}

std::string Comm::describe(const Wait& wait) const {
    std::string text = wait.what.empty() ? "" : "in " + wait.what, before = ", ";
    for (const Request& r : wait.messages) {
        text += (text.empty() ? "" : before) + describe(r);
        before = ", and ";
    }
    return text;
}

void Comm::tell(WaitEvent event, const Wait& wait, double seconds) const {
    if (wait_handler_) wait_handler_(*this, event, wait, seconds);
}

void Comm::exchange(const void* out, void* in, Index bytes, int peer, int tag) {
    std::array<Request, 2> both{irecv(in, bytes, peer, tag), {}};
    both[1] = isend(out, bytes, peer, tag);
    waitall(both, Deadline::after(timeout_));
}

void Comm::barrier() {
    const int tag = collective_tag();
    int round = 0;
    for (int step = 1; step < size(); step *= 2, ++round) {
        std::byte in{}, out{};
        std::array<Request, 2> both{irecv(&in, 1, (rank() - step + size()) % size(), tag + round),
                                    {}};
        both[1] = isend(&out, 1, (rank() + step) % size(), tag + round);
        waitall(both, Deadline::after(timeout_));
    }
}

// Ranks count from the root. In round k those below 2^k pass the data on to those 2^k above them.
void Comm::bcast(void* data, Index bytes, int root) {
    SOMA_CHECK(root >= 0 && root < size() && bytes >= 0, "bcast: root is ", root, " of ", size(),
               " ranks, ", bytes, " bytes; need 0 <= root < ranks, bytes >= 0");
    const int tag = collective_tag();
    const int place = (rank() - root + size()) % size();
    int round = 0;
    for (int step = 1; step < size(); step *= 2, ++round) {
        std::array<Request, 1> one;
        if (place < step && place + step < size()) {
            one[0] = isend(data, bytes, (place + step + root) % size(), tag + round);
        } else if (place >= step && place < 2 * step) {
            one[0] = irecv(data, bytes, (place - step + root) % size(), tag + round);
        }
        waitall(one, Deadline::after(timeout_));
    }
}

// Block j of `blocks` is that of rank (rank + j) mod P. A round doubles the number held, which
// works for any P; the last round moves only what is missing.
void Comm::allgather(const void* mine, Index each, void* all) {
    SOMA_CHECK(each >= 0, "allgather: ", each, " bytes; need bytes >= 0");
    const int tag = collective_tag();
    std::vector<std::byte> blocks(static_cast<std::size_t>(each * size()));
    if (each > 0) std::memcpy(blocks.data(), mine, static_cast<std::size_t>(each));
    int round = 0;
    for (int held = 1; held < size(); held *= 2, ++round) {
        const Index bytes = each * std::min(held, size() - held);
        std::array<Request, 2> both{
            irecv(blocks.data() + each * held, bytes, (rank() + held) % size(), tag + round), {}};
        both[1] = isend(blocks.data(), bytes, (rank() - held + size()) % size(), tag + round);
        waitall(both, Deadline::after(timeout_));
    }
    for (int j = 0; j < size() && each > 0; ++j) {
        std::memcpy(static_cast<std::byte*>(all) + each * ((rank() + j) % size()),
                    blocks.data() + each * j, static_cast<std::size_t>(each));
    }
}

std::vector<std::string> Comm::allgather(const std::string& mine) {
    const auto ranks = static_cast<std::size_t>(size());
    std::vector<Index> lengths(ranks);
    const Index length = static_cast<Index>(mine.size());
    allgather(&length, sizeof length, lengths.data());
    const Index longest = *std::max_element(lengths.begin(), lengths.end());
    std::string padded = mine, all(static_cast<std::size_t>(longest) * ranks, '\0');
    padded.resize(static_cast<std::size_t>(longest));
    allgather(padded.data(), longest, all.data());
    std::vector<std::string> texts(ranks);
    for (std::size_t r = 0; r < ranks; ++r) {
        texts[r] =
            all.substr(r * static_cast<std::size_t>(longest), static_cast<std::size_t>(lengths[r]));
    }
    return texts;
}

std::unique_ptr<Comm> Comm::split(int color, int key) {
    SOMA_CHECK(color >= 0, "split: color is ", color, "; need color >= 0");
    const std::array<int, 2> mine{color, key};
    std::vector<std::array<int, 2>> all(static_cast<std::size_t>(size()));
    allgather(mine.data(), sizeof mine, all.data());
    int members = 0, place = 0;
    for (int r = 0; r < size(); ++r) {
        const auto [other_color, other_key] = all[static_cast<std::size_t>(r)];
        if (other_color != color) continue;
        ++members;
        if (std::pair{other_key, r} < std::pair{key, rank()}) ++place;
    }
    auto part = do_split(color, place, members);
    part->set_timeout(timeout_);
    part->set_abort_handler(abort_handler_);
    part->set_wait_handler(wait_handler_);
    part->calls_ = calls_;
    return part;
}

int Comm::collective_tag() {
    const int tag = kRoundsPerTag * sequence_;
    sequence_ = (sequence_ + 1) % ((kMaxTag + 1) / kRoundsPerTag);
    return tag;
}

void Comm::set_timeout(double seconds) {
    SOMA_CHECK(seconds > 0 && seconds <= 3.2e7, "comm timeout is ", seconds,
               " s; need 0 < seconds <= 3.2e7");
    timeout_ = seconds;
}

void Comm::abort(int code, std::string_view why) {
    if (abort_handler_) abort_handler_(code, why);
    do_abort(code, why);
    throw Error(static_cast<ErrorCode>(code), std::string(why));
}

}  // namespace soma::dist
