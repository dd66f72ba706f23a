// Figures as text: sizes are checked, labels are never interpreted, data are the caller's.
#include "soma/train/figures.h"

#include <gtest/gtest.h>

#include <cmath>

#include "soma/core/error.h"
#include "train/plot.h"

namespace soma::train {
namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Figures, QuotesInLabelsAreDoubled) { EXPECT_EQ(quoted("it's\nso"), "'it''s so'"); }

TEST(Figures, PointsThatAreNotFiniteAreLeftOut) {
    const LinePlot plot{.text = {"p", "", ""},
                        .x_label = "x",
                        .y_label = "y",
                        .series = {{"a", {1, 2, 3}, {0.5, std::nan(""), 0.25}}}};

    const std::string data = plot_of(plot).data;

    EXPECT_TRUE(contains(data, "1 0.5\n3 0.25\n"));
}

TEST(Figures, SeriesWithoutFinitePointsKeepsItsBlock) {
    const LinePlot plot{.text = {"p", "", ""},
                        .x_label = "x",
                        .y_label = "y",
                        .series = {{"a", {1}, {HUGE_VAL}}, {"b", {1}, {2}}}};

    EXPECT_TRUE(contains(plot_of(plot).data, "NaN NaN\n\n\n# b"));
}

TEST(Figures, ArrowsAreTheLastBlockAndLieBelowTheCurves) {
    const LinePlot plot{.text = {"flow", "", ""},
                        .x_label = "x",
                        .y_label = "y",
                        .series = {{"a", {1}, {2}}},
                        .arrows = {{0, 1, 0.5, -0.5}}};

    const Plot p = plot_of(plot);

    EXPECT_TRUE(contains(p.data, "# a\n# x  y\n1 2\n\n\n# x  y  dx  dy\n0 1 0.5 -0.5\n"));
    EXPECT_LT(p.body.find("index 1 using 1:2:3:4 with vectors"), p.body.find("index 0 using 1:2"));
}

TEST(Figures, ASeriesMayChooseMarksAndAColourAndThePlotItsRange) {
    LinePlot plot{.text = {"p", "", ""},
                  .x_label = "x",
                  .y_label = "y",
                  .series = {{"a", {1, 2}, {2, 3}}, {"b", {1}, {2}}}};
    plot.series[1].marks = true;
    plot.series[1].color = 7;
    EXPECT_TRUE(contains(plot_of(plot).body, "index 1 using 1:2 with points ls 7 title 'b'"));

    plot.y_limits = {0, 100};
    EXPECT_TRUE(contains(plot_of(plot).body, "set yrange [0:100]\n"));

    plot.series[1].color = 8;
    EXPECT_THROW(plot_of(plot), Error);
}

TEST(Figures, UnevenErrorBarsHaveTheirOwnLengthAbove) {
    LinePlot plot{.text = {"p", "", ""},
                  .x_label = "x",
                  .y_label = "y",
                  .series = {{"a", {1}, {0.5}, {0.25}, {0.125}}}};
    EXPECT_TRUE(contains(plot_of(plot).data, "1 0.5 0.25 0.125\n"));
    EXPECT_TRUE(contains(plot_of(plot).body, "using 1:2:($2-$3):($2+$4) with yerrorbars"));

    plot.series[0].error.clear();
    EXPECT_THROW(plot_of(plot), Error);
}

TEST(Figures, UnequalLengthsAreUsageErrorsThatNameTheSeries) {
    const LinePlot plot{.text = {"curve", "", ""},
                        .x_label = "x",
                        .y_label = "y",
                        .series = {{"loss", {1, 2}, {1}}}};
    try {
        plot_of(plot);
        FAIL() << "accepted 2 x for 1 y";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::usage);
        EXPECT_TRUE(contains(e.what(), "figure curve"));
        EXPECT_TRUE(contains(e.what(), "'loss' has 2 x and 1 y"));
    }
}

TEST(Figures, ConfusionMatrixCountsPairsAndSkipsTheUnseen) {
    const HeatMap map = confusion_matrix({"c", "", ""}, 2, {0, 0, 1, 1}, {0, 1, 1, -1});

    EXPECT_EQ(map.values, (std::vector<double>{1, 1, 0, 1}));
    EXPECT_EQ(map.row_labels, (std::vector<std::string>{"0", "1"}));
}

TEST(Figures, ConfusionMatrixRefusesClassesOutsideItsRange) {
    EXPECT_THROW(confusion_matrix({"c", "", ""}, 2, {0, 2}, {0, 0}), Error);
}

TEST(Figures, ImageGridRefusesPixelsThatDoNotFillTheImage) {
    ImageGrid grid{.text = {"g", "", ""}, .images = {}};
    grid.images.push_back({.height = 2, .width = 2, .pixels = {1, 2, 3}});

    EXPECT_THROW(plot_of(grid), Error);
}

TEST(Figures, ImageGridLaysItsImagesIntoOneMatrix) {
    ImageGrid grid{.text = {"g", "", ""}, .images = {}, .columns = 2};
    grid.images.push_back({.height = 1, .width = 2, .pixels = {3, 5}});
    grid.images.push_back({.height = 1, .width = 2, .pixels = {-1, 0}});

    const std::string data = plot_of(grid).data;

    // 32 CSS pixels a pixel: the gap is one pixel, white. Each image fills the range 0 to 1000.
    EXPECT_TRUE(contains(data, "\n0 1000 1000 0 1000 1000\n1000 1000 1000"));
}

TEST(Figures, CaptionsStandInFrontOfTheImage) {
    ImageGrid grid{.text = {"g", "", ""}, .images = {}};
    grid.images.push_back({.height = 1, .width = 1, .pixels = {0}, .caption = "4 -> 9"});

    const std::string body = plot_of(grid).body;

    EXPECT_TRUE(contains(body, "set label '4 -> 9'"));
    EXPECT_TRUE(contains(body, " front "));
}

TEST(Figures, ImageGridWithOneRangeKeepsImagesComparable) {
    ImageGrid grid{.text = {"g", "", ""}, .images = {}, .columns = 2, .each_scaled = false};
    grid.images.push_back({.height = 1, .width = 2, .pixels = {0, 2}});
    grid.images.push_back({.height = 1, .width = 2, .pixels = {0, 1}});

    EXPECT_TRUE(contains(plot_of(grid).data, "\n0 1000 1000 0 500 1000\n"));
}

TEST(Figures, OneColouredImageMakesTheGridColoured) {
    ImageGrid grid{.text = {"g", "", ""}, .images = {}, .columns = 2};
    grid.images.push_back({.height = 1, .width = 1, .channels = 3, .pixels = {0, 0.5f, 1}});
    grid.images.push_back({.height = 1, .width = 2, .pixels = {0, 1}});

    const std::string data = plot_of(grid).data;

    EXPECT_TRUE(contains(data, "\n0 0 0 128 255\n"));
    EXPECT_TRUE(contains(data, "\n3 0 0 0 0\n4 0 255 255 255\n"));
}

TEST(Figures, TimingDiagramHoldsTheLastValueForOneTick) {
    const TimingDiagram diagram{.text = {"t", "", ""}, .signals = {{"a", {0, 1}}}};

    EXPECT_TRUE(contains(plot_of(diagram).data, "0 0\n1 1\n2 1\n"));
}

TEST(Figures, ScriptNamesItsDataFileAndBothImages) {
    const BarChart chart{
        .text = {"bars", "", ""}, .y_label = "%", .labels = {"a"}, .series = {{"x", {1}}}};

    const std::string script = script_of(plot_of(chart), "bars");

    EXPECT_TRUE(contains(script, "'bars.dat'"));
    EXPECT_TRUE(contains(script, "'bars.png'"));
    EXPECT_TRUE(contains(script, "'bars.svg'"));
    EXPECT_FALSE(contains(script, kDataFile));
}

TEST(Figures, MeansHaveTheStandardDeviationOfTheirValues) {
    Series s;
    add_mean(s, 1, std::vector<double>{2, 4, 6});
    add_mean(s, 2, std::vector<double>{5});
    EXPECT_EQ(s.x, (std::vector<double>{1, 2}));
    EXPECT_EQ(s.y, (std::vector<double>{4, 5}));
    EXPECT_EQ(s.error, (std::vector<double>{2, 0}));
}

}  // namespace
}  // namespace soma::train
