// Contests on real operands: what is admitted, and what is measured besides speed.

#include "bench/contests.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "bench/accuracy.h"
#include "bench/rivals/library.h"
#include "soma/core/error.h"

namespace soma::bench {
namespace {

using kernels::Gemm;

// Rounds that measure nothing worth knowing, but quickly.
constexpr MeasureOptions kQuick{.rounds = 3, .block_seconds = 1e-5, .warm_seconds = 0};

// A rival that computes with soma and then does `more` to the result.
template <class F>
Rival rival(const std::string& name, F&& more) {
    Rival r{.name = name, .version = "1"};
    r.sgemm = [more](const Product<float>& p) -> Work {
        return [p, more](Index repeats) {
            for (Index i = 0; i < repeats; ++i) {
                for (Index b = 0; b < p.batch; ++b) kernels::gemm(p.item(b));
                more(p.gemm);
            }
        };
    };
    return r;
}

std::vector<std::string> names(const Outcome& o) {
    std::vector<std::string> out;
    for (const Timing& t : o.timings) out.push_back(t.name);
    return out;
}

TEST(GemmContest, TimesRivalsThatAreRight) {
    const GemmCase shape{.group = "g", .m = 5, .n = 7, .k = 3, .batch = 2};

    const Outcome o =
        gemm_contest<float>(shape, {rival("right", [](const Gemm<float>&) {})}, kQuick);

    EXPECT_EQ(names(o), (std::vector<std::string>{"soma", "right"}));
    EXPECT_EQ(o.timings[1].seconds.size(), 3u);
    EXPECT_EQ(o.flop, 2.0 * 2 * 5 * 7 * 3);
    EXPECT_TRUE(o.notes.empty());
}

TEST(GemmContest, WrongRivalsGetANoteInsteadOfATime) {
    const GemmCase shape{.group = "g", .m = 5, .n = 7, .k = 3};
    const Rival wrong = rival("wrong", [](const Gemm<float>& g) { g.c[0] += 1e-3f; });
    Rival lazy{.name = "lazy", .version = "1"};
    lazy.sgemm = [](const Product<float>&) -> Work { return [](Index) {}; };

    const Outcome o = gemm_contest<float>(shape, {wrong, lazy}, kQuick);

    EXPECT_EQ(names(o), std::vector<std::string>{"soma"});
    ASSERT_EQ(o.notes.size(), 2u);
    EXPECT_NE(o.notes[0].find("wrong: error is"), std::string::npos) << o.notes[0];
    EXPECT_NE(o.notes[1].find("unwritten"), std::string::npos) << o.notes[1];
}

TEST(GemmContest, RivalsWithoutTheTypeAreLeftOut) {
    const GemmCase shape{.group = "g", .m = 4, .n = 4, .k = 4};

    const Outcome o =
        gemm_contest<double>(shape, {rival("single", [](const Gemm<float>&) {})}, kQuick);

    EXPECT_EQ(names(o), std::vector<std::string>{"soma"});
}

TEST(RunsOnThisThread, SeesWorkOfOtherThreads) {
    const auto spin = [](double& x) {
        for (int i = 0; i < 100000; ++i) x = x * 0.5 + 1;
    };
    const Work here = [&](Index repeats) {
        volatile double x = 0;
        for (Index r = 0; r < repeats; ++r)
            for (int i = 0; i < 100000; ++i) x = x * 0.5 + 1;
    };
    const Work elsewhere = [&](Index repeats) {
        double x = 0;
        std::thread([&] {
            for (Index r = 0; r < repeats; ++r) spin(x);
        }).join();
    };

    EXPECT_TRUE(runs_on_this_thread(here));
    EXPECT_FALSE(runs_on_this_thread(elsewhere));
}

TEST(Fastest, PicksTheQuickerWay) {
    int chosen = 0;
    const Work slow = [&](Index repeats) {
        chosen = 1;
        std::this_thread::sleep_for(std::chrono::milliseconds(2 * repeats));
    };
    const Work quick = [&](Index) { chosen = 2; };

    fastest({slow, quick})(1);

    EXPECT_EQ(chosen, 2);
    EXPECT_FALSE(fastest({}));
}

// Every pass of a strided, padded, grouped layer passes the check against the definition.
TEST(ConvContest, AllPassesAgreeWithTheDefinition) {
    const ConvCase layer{"net",
                         "layer",
                         {.n = 2,
                          .h = 7,
                          .w = 6,
                          .c = 4,
                          .kh = 3,
                          .kw = 2,
                          .oc = 6,
                          .stride_h = 2,
                          .stride_w = 1,
                          .pad_top = 1,
                          .pad_left = 1,
                          .groups = 2}};
    for (const ConvPass pass : kConvPasses) {
        const Outcome o =
            conv_contest(layer, pass, {rival("r", [](const Gemm<float>&) {})}, true, kQuick);
        const std::size_t contenders = pass == ConvPass::forward ? 2 : 1;  // im2col is forward only
        EXPECT_EQ(o.timings.size(), contenders) << name_of(pass);
        EXPECT_TRUE(o.notes.empty()) << name_of(pass);
    }
}

TEST(Shapes, AreDistinctWithinAClassAndValid) {
    std::set<std::string> seen;
    for (const GemmCase& c : gemm_cases())
        EXPECT_TRUE(seen.insert(c.group + c.name()).second) << c.group << c.name();
    for (const ConvCase& c : conv_cases()) {
        EXPECT_TRUE(seen.insert(c.net + c.name()).second) << c.net << c.name();
        EXPECT_NO_THROW(kernels::check_geometry("shapes", c.geometry));
    }
}

TEST(Accuracy, SomaKeepsItsBarsAtSmallK) {
    for (const Numbers numbers : {Numbers::uniform, Numbers::normal}) {
        for (const Index k : {1, 16, 300}) {
            const std::vector<AccuracyRow> rows = measure_accuracy(numbers, k, {});
            ASSERT_EQ(rows.size(), 1u);
            EXPECT_LE(rows[0].most, accuracy_bar(numbers, k)) << name_of(numbers) << " " << k;
            EXPECT_GT(rows[0].mean, 0);
        }
    }
}

TEST(Accuracy, WrongRivalsStandOut) {
    const Rival wrong = rival("wrong", [](const Gemm<float>& g) { g.c[0] *= 1.001f; });

    const std::vector<AccuracyRow> rows = measure_accuracy(Numbers::uniform, 64, {wrong});

    EXPECT_GT(rows[1].most, accuracy_bar(Numbers::uniform, 64));
}

TEST(Library, MissingOnesAreFalseAndMissingFoldersAreErrors) {
    EXPECT_FALSE(Library({"libnothing_of_this_name.so"}, {}));
    EXPECT_THROW(library_folders("/no/such/folder"), Error);
}

TEST(Library, FoldersAreSplitAndTheirLibAdded) {
    const std::filesystem::path base = std::filesystem::temp_directory_path() / "soma_bench_test";
    std::filesystem::create_directories(base / "lib");

    const std::vector<std::string> folders =
        library_folders(base.string() + "," + (base / "lib").string());

    const std::vector<std::string> expected = {base.string(), (base / "lib").string(),
                                               (base / "lib").string()};
    EXPECT_EQ(folders, expected);
    std::filesystem::remove_all(base);
}

}  // namespace
}  // namespace soma::bench
