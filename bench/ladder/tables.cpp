#include "bench/ladder/tables.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "soma/core/cpu.h"
#include "soma/core/error.h"

namespace soma::ladder {
namespace {

using bench::MeasureOptions;
using bench::Outcome;

// A multiple of the rows of all tiles, wide and tall: no table is about what is left over.
constexpr Index kPairRows = 840;
// M and N: rows of B and of A transposed 4096 bytes apart, and 4160.
constexpr Index kStrides[] = {1024, 1040};

std::string fixed(double x, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, x);
    return text;
}

std::string row(const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) line += " " + cell + " |";
    return line + "\n";
}

std::string head(const std::vector<std::string>& cells) {
    return row(cells) + row(std::vector<std::string>(cells.size(), "---"));
}

std::string share(const Outcome& o) {
    const bench::Spread s = o.peak_share();
    return fixed(100 * s.median, s.median < 0.1 ? 1 : 0) + (s.conclusive() ? "" : "?");
}

// "[5](gemm/05_register_tile.cpp)".
std::string link_to(const Rung& r) {
    const std::string file = r.file, digits = file.substr(file.find('/') + 1, 2);
    const std::string number = digits == "99" ? "top" : std::to_string(std::stoi(digits));
    return concat("[", number, "](", file, ".cpp)");
}

bool is_product(const Rung& r) { return r.turn.lanes == 0; }

// Lines of code of a file: not blank, not only a comment.
Index code_lines(const std::string& file) {
    std::ifstream in(std::filesystem::path(SOMA_LADDER_FOLDER) / file);
    SOMA_CHECK(in.good(), "ladder: cannot read ", file, " below " SOMA_LADDER_FOLDER);
    Index lines = 0;
    for (std::string line; std::getline(in, line);) {
        const std::size_t first = line.find_first_not_of(' ');
        if (first != std::string::npos && line.compare(first, 2, "//") != 0) ++lines;
    }
    return lines;
}

Index code_lines(const Rung& r) {
    Index lines = code_lines(concat(r.file, ".cpp"));
    for (const char* header : r.headers)
        if (header != nullptr) lines += code_lines(header);
    return lines;
}

// Rung, idea, lines, loads per FMA, predicted; the product has a row of dashes, since it is not a
// file and chooses its tile itself.
std::vector<std::string> about(const Rung& r, int width) {
    if (is_product(r)) return {link_to(r), r.idea, "-", "-", "-"};
    const double predicted = predict(r.turn, width);
    return {link_to(r), r.idea, concat(code_lines(r)), fixed(r.turn.loads / r.turn.fmas, 2),
            fixed(predicted, predicted < 10 ? 1 : 0)};
}

std::string caption(const Ladder& ladder, const MeasureOptions& options,
                    const std::vector<Outcome>& outcomes) {
    const double peak = bench::spread_of(outcomes.front().peak).median;
    return concat(
        "\n", cpu().model, " (L1 ", cpu().l1d_bytes >> 10, " KB, L2 ", cpu().l2_bytes >> 10,
        " KB), ", ladder.isa, ", ", options.threads, options.threads == 1 ? " thread" : " threads",
        ", ", SOMA_LADDER_COMPILER, "; medians of ", options.rounds,
        " interleaved rounds; the FMA peak beside them: ", fixed(1e-9 * peak, 0), " GF.\n");
}

// Rungs of gemm/ or of conv/.
std::vector<Rung> rungs_of(const Ladder& ladder, const std::string& folder) {
    std::vector<Rung> list;
    for (const Rung& r : rungs(ladder))
        if (std::string(r.file).starts_with(folder)) list.push_back(r);
    return list;
}

// % of peak on two shapes, GF on the second.
Table two_shapes(const std::string& name, const Ladder& ladder, const std::vector<Rung>& list,
                 const Shape& small, const Shape& large, const MeasureOptions& options) {
    std::vector<Outcome> first = climb(list, small, options), second = climb(list, large, options);
    std::string text =
        head({"rung", "idea", "lines", "loads per FMA", "predicted %",
              concat("% at ", describe(small)), concat("% at ", describe(large)), "GF there"});
    for (std::size_t i = 0; i < list.size(); ++i) {
        std::vector<std::string> cells = about(list[i], ladder.width);
        cells.insert(cells.end(),
                     {share(first[i]), share(second[i]), fixed(second[i].gflops(), 1)});
        text += row(cells);
    }
    text += caption(ladder, options, second);
    first.insert(first.end(), second.begin(), second.end());
    return {concat(name, " ", ladder.isa), text, first};
}

}  // namespace

Table gemm_table(const Ladder& ladder, const MeasureOptions& options) {
    Table t = two_shapes("gemm", ladder, rungs_of(ladder, "gemm"), kSmall, kLarge, options);
    t.text += concat("Rungs 0 and 1 at ", describe(kLarge), ": ", kFewRows,
                     " of the rows, to which their time is proportional.\n");
    return t;
}

Table conv_table(const Ladder& ladder, const MeasureOptions& options) {
    return two_shapes("conv", ladder, rungs_of(ladder, "conv"), make_conv(1, 16, 16, 64, 3, 64),
                      make_conv(1, 28, 28, 128, 3, 256), options);
}

Table sweep_table(const Ladder& ladder, const MeasureOptions& options) {
    const std::vector<Outcome> outcomes = sweep(ladder, options);
    std::string text =
        head({"tile", "sums", "loads per FMA", "predicted %", "% A in place", "% A packed"});
    for (Index i = 0; i < ladder.sweep.count; ++i) {
        const SweepTile& tile = ladder.sweep.tiles[i];
        const double sums = tile.rows * tile.vectors, loads = tile.rows + tile.vectors;
        const Turn turn{.lanes = double(ladder.width),
                        .fmas = sums,
                        .arithmetic = sums,
                        .loads = loads,
                        .chains = sums};
        const auto at = static_cast<std::size_t>(2 * i);
        text += row({outcomes[at].name, fixed(sums, 0), fixed(loads / sums, 2),
                     fixed(predict(turn, ladder.width), 0), share(outcomes[at]),
                     share(outcomes[at + 1])});
    }
    return {concat("sweep ", ladder.isa), text + caption(ladder, options, outcomes), outcomes};
}

Table pair_table(const Ladder& ladder, const MeasureOptions& options) {
    std::vector<Rung> pair;
    for (const Rung& r : rungs(ladder))
        if (std::string(r.file) == ladder.tall.file) pair.push_back(r);
    pair.push_back(ladder.tall);
    std::string text = head({"product", "% wide", "% tall", "wide / tall"});
    std::vector<Outcome> all;
    for (const GemmShape& s :
         {GemmShape{kPairRows, kSmall.n, kSmall.k}, GemmShape{kPairRows, kLarge.n, kLarge.k}}) {
        std::vector<Outcome> both = climb(pair, s, options);
        Outcome together = both[0];
        together.timings.push_back(both[1].timings[0]);
        text +=
            row({describe(s), share(both[0]), share(both[1]), fixed(together.ratio(1).median, 2)});
        all.insert(all.end(), both.begin(), both.end());
    }
    return {concat("pair ", ladder.isa), text + caption(ladder, options, all), all};
}

Table threads_table(const Ladder& ladder, const MeasureOptions& options) {
    std::vector<Rung> list;
    for (const Rung& r : rungs_of(ladder, "gemm"))
        if (r.threads) list.push_back(r);
    std::string text = head({"rung", "idea", concat("% of all at ", describe(kSmall)),
                             concat("% of all at ", describe(kLarge)), "GF there"});
    std::vector<Outcome> first = climb(list, kSmall, options),
                         second = climb(list, kLarge, options);
    for (std::size_t i = 0; i < list.size(); ++i)
        text += row({link_to(list[i]), list[i].idea, share(first[i]), share(second[i]),
                     fixed(second[i].gflops(), 1)});
    text += caption(ladder, options, second);
    first.insert(first.end(), second.begin(), second.end());
    return {concat("threads ", ladder.isa), text, first};
}

Table stride_table(const Ladder& ladder, const MeasureOptions& options) {
    std::vector<Rung> list;
    std::vector<std::string> cells = {"K"};
    for (const Rung& r : rungs_of(ladder, "gemm")) {
        for (const char* file : {"gemm/07_any_size", "gemm/08_pack_b", "gemm/10_transposed"}) {
            if (std::string(r.file) != file) continue;
            list.push_back(r);
            for (const Index n : kStrides) cells.push_back(concat(link_to(r), ", % at ", n));
        }
    }
    std::string text = head(cells);
    std::vector<Outcome> all;
    for (const Index k : {64, 256, 512, 1024}) {
        std::vector<Outcome> at[2];
        for (std::size_t i = 0; i < 2; ++i) {
            at[i] = climb(list, GemmShape{kStrides[i], kStrides[i], k}, options);
            all.insert(all.end(), at[i].begin(), at[i].end());
        }
        cells = {concat(k)};
        for (std::size_t r = 0; r < list.size(); ++r)
            cells.insert(cells.end(), {share(at[0][r]), share(at[1][r])});
        text += row(cells);
    }
    return {concat("stride ", ladder.isa), text + caption(ladder, options, all), all};
}

Table error_table(const Ladder& ladder) {
    const Shape sum = GemmShape{64, 64, 4096}, image = make_conv(1, 16, 16, 128, 3, 64);
    std::string text = head({"rung", "order of the sum", "largest error"});
    for (const auto& [file, order, shape] :
         {std::tuple{"gemm/07_any_size", "one chain", sum},
          std::tuple{"gemm/09_blocks", "blocks of KC from the cache", sum},
          std::tuple{"gemm/13_canonical_order", "slices of 256", sum},
          std::tuple{"conv/14_segments", "one chain", image},
          std::tuple{"conv/16_winograd", "Winograd F(4x4)", image}}) {
        for (const Rung& r : rungs(ladder)) {
            if (std::string(r.file) == file)
                text += row({link_to(r), concat(order, "; ", describe(shape)),
                             fixed(measured_error(r, shape), 1)});
        }
    }
    return {concat("errors ", ladder.isa), text, {}};
}

std::string with_tables(const std::string& text, const std::vector<Table>& tables) {
    std::string out = text;
    bool found = false;
    for (const Table& t : tables) {
        const std::string marker = concat("<!-- table ", t.name, " -->\n");
        const std::size_t at = out.find(marker);
        if (at == std::string::npos) continue;
        const std::size_t begin = at + marker.size(), end = out.find("<!-- end -->", begin);
        SOMA_CHECK(end != std::string::npos, "ladder: no '<!-- end -->' after '<!-- table ", t.name,
                   " -->'");
        out.replace(begin, end - begin, t.text);
        found = true;
    }
    SOMA_CHECK(found,
               "ladder: no marker of a table that was measured; need, for example, "
               "'<!-- table ",
               tables.front().name, " -->'");
    return out;
}

}  // namespace soma::ladder
