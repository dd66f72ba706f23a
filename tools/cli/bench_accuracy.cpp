// soma bench accuracy: rounding errors of products beside those of the rivals, against soma's bars.

#include <iostream>

#include "bench/accuracy.h"
#include "bench/rivals/library.h"
#include "cli/bench.h"
#include "cli/text_table.h"
#include "soma/core/error.h"

namespace soma::cli {

int bench_accuracy(const BenchOptions& options) {
    const std::vector<bench::Rival> rivals =
        bench::find_rivals(bench::library_folders(options.rivals), options.threads());
    std::cout << "C [256, 256] = A B in f32; largest (mean) |C - C*| / (u |A||B|), u = 2^-24\n";
    for (const bench::Rival& r : rivals) std::cout << "  " << r.name << ": " << r.version << "\n";
    std::vector<std::vector<std::string>> table = {{"numbers", "K", "bar", "soma"}};
    for (const bench::Rival& r : rivals) table[0].push_back(r.name);
    std::string broken;
    for (const bench::Numbers numbers : {bench::Numbers::uniform, bench::Numbers::normal}) {
        for (const Index k : {16, 32, 64, 128, 256, 512, 1024, 2048, 4096}) {
            const double bar = bench::accuracy_bar(numbers, k);
            std::vector<std::string> row = {bench::name_of(numbers), concat(k), fixed(bar, 0)};
            row.resize(table[0].size(), "-");
            for (const bench::AccuracyRow& r : bench::measure_accuracy(numbers, k, rivals)) {
                for (std::size_t c = 3; c < row.size(); ++c) {
                    if (table[0][c] == r.contender)
                        row[c] = concat(fixed(r.most, 2), " (", fixed(r.mean, 2), ")");
                }
                if (r.contender == "soma" && !(r.most <= bar))
                    broken += concat("broken: ", bench::name_of(numbers), ", K = ", k, ": ",
                                     fixed(r.most, 2), " > ", fixed(bar, 0), "\n");
            }
            table.push_back(row);
        }
    }
    std::cout << markdown_table(table) << (broken.empty() ? "soma keeps its bars\n" : broken);
    return broken.empty() ? 0 : 1;
}

}  // namespace soma::cli
