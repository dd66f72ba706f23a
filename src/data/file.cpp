#include "soma/data/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "soma/core/error.h"

namespace soma::data {
namespace {

namespace fs = std::filesystem;

// An open file descriptor, closed with its owner.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    // Closes now and returns what close() said: some file systems report a full disk only here.
    int close() { return ::close(std::exchange(fd_, -1)); }

private:
    int fd_;
};

// Removes a temporary file unless it was kept.
class TemporaryFile {
public:
    explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
    ~TemporaryFile() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    void keep() { path_.clear(); }

private:
    std::string path_;
};

[[noreturn]] void fail_write(const std::string& path, const char* step) {
    const int cause = errno;
    fail(ErrorCode::checkpoint, "write ", path, ": ", step, ": ", std::strerror(cause));
}

bool write_all(int fd, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

// Mode a new file gets: that of the file it replaces, else 0666 under the process's mask (which can
// only be read by setting it).
mode_t mode_for(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) return status.st_mode & 07777;
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

// Asks for large pages: touching 400 MB for the first time in pages of 4 KB takes longer than
// reading them from the page cache. A kernel that has none ignores it.
void use_large_pages(std::byte* begin, std::size_t bytes) {
    constexpr std::uintptr_t kPage = 2 << 20;
    const auto first = (reinterpret_cast<std::uintptr_t>(begin) + kPage - 1) / kPage * kPage;
    const auto last = (reinterpret_cast<std::uintptr_t>(begin) + bytes) / kPage * kPage;
    if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

std::string resolve_links(const std::string& path) {
    std::error_code error;
    const fs::path target = fs::weakly_canonical(path, error);
    return error ? path : target.string();
}

}  // namespace

Bytes read_file(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) fail(ErrorCode::data, "read ", path, ": ", std::strerror(errno));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        fail(ErrorCode::data, "read ", path, ": not a regular file");
    }
    Bytes bytes;
    bytes.reserve(static_cast<std::size_t>(status.st_size));
    use_large_pages(bytes.data(), bytes.capacity());
    bytes.resize(static_cast<std::size_t>(status.st_size));
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = ::read(file.get(), bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail(ErrorCode::data, "read ", path, ": ", std::strerror(errno));
        if (n == 0) {
            fail(ErrorCode::data, "read ", path, ": offset ", done, ": the file shrank from ",
                 bytes.size(), " bytes while it was read");
        }
        done += static_cast<std::size_t>(n);
    }
    return bytes;
}

void write_file_atomically(const std::string& path, ByteView bytes) {
    write_pieces_atomically(path, std::span(&bytes, 1));
}

void write_pieces_atomically(const std::string& path, std::span<const ByteView> pieces) {
    const std::string target = resolve_links(path);
    const std::string folder = fs::path(target).parent_path().string();
    const std::string parent = folder.empty() ? "." : folder;
    std::string name = target + ".XXXXXX";
    Descriptor file(::mkostemp(name.data(), O_CLOEXEC));
    if (file.get() < 0) fail_write(path, "create a temporary file");
    TemporaryFile temporary(name);
    for (const ByteView piece : pieces) {
        if (!write_all(file.get(), piece)) fail_write(path, "write");
    }
    if (::fchmod(file.get(), mode_for(target)) != 0) fail_write(path, "set the mode");
    if (::fsync(file.get()) != 0) fail_write(path, "sync");
    if (file.close() != 0) fail_write(path, "close");
    if (::rename(name.c_str(), target.c_str()) != 0) fail_write(path, "rename");
    temporary.keep();
    const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() < 0 || ::fsync(directory.get()) != 0) fail_write(path, "sync the folder");
}

}  // namespace soma::data
