// soma bench rnn: training steps of recurrent layers, and where their time goes.

#include <iostream>

#include "bench/rnn.h"
#include "cli/bench.h"
#include "cli/text_table.h"
#include "soma/core/text.h"

namespace soma::cli {
namespace {

using bench::Outcome;
using bench::RnnPart;

double microseconds(const Outcome& row, std::size_t part) {
    return part < row.timings.size() ? 1e6 * bench::spread_of(row.timings[part].seconds).median : 0;
}

std::vector<std::string> cells_of(const Outcome& row) {
    const bench::Spread over_floor = row.ratio(bench::kPass, bench::kProducts);
    const double pass = microseconds(row, bench::kPass);
    double rest = pass;
    std::vector<std::string> cells = {row.group, row.name,
                                      fixed(microseconds(row, bench::kStep), 0), fixed(pass, 0)};
    for (const RnnPart part : {bench::kProducts, bench::kActivations, bench::kNoise}) {
        rest -= microseconds(row, part);
        cells.push_back(fixed(microseconds(row, part), 0));
    }
    cells.push_back(fixed(rest, 0));
    cells.push_back(fixed(over_floor.median, 2) + (over_floor.conclusive() ? "" : "?"));
    cells.push_back(fixed(100 * row.peak_share().median, 0));
    return cells;
}

}  // namespace

int bench_rnn(const BenchOptions& options) {
    const std::vector<std::string> cells =
        options.cells.empty() ? std::vector<std::string>{"ctrnn"}
                              : chosen("--cell", options.cells, bench::rnn_cells());
    BenchJson json(options.json);
    std::cout << machine_header(options) << std::flush;
    std::vector<Outcome> outcomes;
    for (const std::string& cell : cells) {
        for (const Index units : options.units) {
            show_progress(options, outcomes.size(), cells.size() * options.units.size(),
                          concat(cell, " ", units));
            outcomes.push_back(bench::rnn_contest(
                {cell, units, options.batch, options.steps, options.inputs}, options.measure()));
        }
    }
    show_progress(options, outcomes.size(), outcomes.size(), "");
    std::vector<std::vector<std::string>> table = {{"cell", "shape", "step us", "pass us",
                                                    "products", "activations", "noise", "rest",
                                                    "pass/products", "% of peak"}};
    for (const Outcome& row : outcomes) table.push_back(cells_of(row));
    const std::string refusal = bench::refusal(outcomes);
    std::cout << markdown_table(table)
              << "step: pass and Adam; pass: forward, backward, weight gradients; its parts alone, "
                 "in microseconds.\n"
              << refusal_text(refusal);
    json.write(options, {}, "rnn", outcomes, refusal);
    return refusal.empty() ? 0 : 1;
}

}  // namespace soma::cli
