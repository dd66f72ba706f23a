// Files: whole reads, atomic replacement, a full disk.

#include "soma/data/file.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "data/support.h"

namespace soma::data {
namespace {

using test::error_of;
using test::TemporaryFolder;
using test::to_bytes;

std::size_t entries(const std::string& folder) {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++n;
    return n;
}

TEST(ReadFile, NamesThePathOfWhatCannotBeRead) {
    const TemporaryFolder folder;
    EXPECT_NE(error_of(ErrorCode::data, [&] { read_file(folder / "absent"); }).find("absent"),
              std::string::npos);
    EXPECT_NE(error_of(ErrorCode::data, [&] { read_file(folder.path()); }).find("regular"),
              std::string::npos);
    error_of(ErrorCode::data, [] { read_file("/dev/zero"); });
}

TEST(WriteFileAtomically, CreatesAndReplacesKeepingTheModeAndLeavingNothingElse) {
    const TemporaryFolder folder;
    const std::string path = folder / "file";
    write_file_atomically(path, as_bytes("first"));
    EXPECT_EQ(read_file(path), to_bytes("first"));
    ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
    write_file_atomically(path, as_bytes("second, longer"));
    EXPECT_EQ(read_file(path), to_bytes("second, longer"));
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640u);
    EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(WriteFileAtomically, GivesNewFilesTheModeOfTheProcessMask) {
    const TemporaryFolder folder;
    const mode_t before = ::umask(027);
    write_file_atomically(folder / "file", as_bytes("x"));
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat((folder / "file").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST(WriteFileAtomically, FollowsASymbolicLink) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "target", as_bytes("old"));
    std::filesystem::create_symlink(folder / "target", folder / "link");
    write_file_atomically(folder / "link", as_bytes("new"));
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
    EXPECT_EQ(read_file(folder / "target"), to_bytes("new"));
}

TEST(WriteFileAtomically, NamesThePathWhenTheFolderIsMissing) {
    const TemporaryFolder folder;
    const std::string path = folder / "absent/file";
    EXPECT_NE(error_of(ErrorCode::checkpoint, [&] { write_file_atomically(path, {}); }).find(path),
              std::string::npos);
}

// A file-size limit makes write() fail part-way like a full disk, without any privilege.
TEST(WriteFileAtomically, FailingInTheMiddleKeepsThePreviousFileAndRemovesTheTemporary) {
    const TemporaryFolder folder;
    const std::string path = folder / "file";
    write_file_atomically(path, as_bytes("previous"));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4096, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);

    const std::string message =
        error_of(ErrorCode::checkpoint, [&] { write_file_atomically(path, Bytes(1 << 20)); });

    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old_handler);
    EXPECT_NE(message.find(path), std::string::npos);
    EXPECT_EQ(read_file(path), to_bytes("previous"));
    EXPECT_EQ(entries(folder.path()), 1u);
}

TEST(WriteFileAtomically, AFullDiskKeepsThePreviousFile) {
    const TemporaryFolder folder;
    if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
        GTEST_SKIP() << "a small disk needs the right to mount";
    }
    const std::string path = folder / "file";
    write_file_atomically(path, as_bytes("previous"));
    const std::string message =
        error_of(ErrorCode::checkpoint, [&] { write_file_atomically(path, Bytes(1 << 20)); });
    EXPECT_NE(message.find("No space left"), std::string::npos) << message;
    EXPECT_EQ(read_file(path), to_bytes("previous"));
    EXPECT_EQ(entries(folder.path()), 1u);
    write_file_atomically(path, as_bytes("a smaller one still fits"));
    ::umount(folder.path().c_str());
}

}  // namespace
}  // namespace soma::data
