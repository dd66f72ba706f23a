#pragma once
// The program soma as a process of its own, started in a test's folder.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/temp_folder.h"

namespace soma::test {

struct Result {
    int code = -1;  // exit code, or 128 + signal
    std::string out, err;
};

inline std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

class ProgramTest : public testing::Test {
protected:
    // Starts soma in the test's folder; its output goes to files there.
    pid_t start(const std::vector<std::string>& arguments) {
        std::vector<char*> argv{program_.data()};
        for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
        argv.push_back(nullptr);
        const pid_t child = fork();
        if (child == 0) {
            if (chdir(folder_.path().c_str()) != 0) _exit(99);
            if (freopen("out", "w", stdout) == nullptr) _exit(99);
            if (freopen("err", "w", stderr) == nullptr) _exit(99);
            execv(program_.c_str(), argv.data());
            _exit(99);
        }
        return child;
    }

    Result finish(pid_t child) {
        int status = 0;
        waitpid(child, &status, 0);
        return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                content(folder_.file("out")), content(folder_.file("err"))};
    }

    Result run(const std::vector<std::string>& arguments) { return finish(start(arguments)); }

    TempFolder folder_;
    std::string program_ = SOMA_PROGRAM;
};

}  // namespace soma::test
