// What every op must satisfy, derived from its row in the op-case table (support/op_cases.h).
//
// Bounds. Inputs and co-vectors are of order 1, so a result is a chain of `depth` roundings of
// terms no larger than s = max(1, max|result|), and a transcendental costs up to 8 more:
//     |f32 - f64| <= 4 (depth + 8) u32 s          |f64 - oracle| <= 4 (depth + 8) u64 s
// The factor 4 covers the backward, whose chains are a forward's and one more of the same length.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "soma/autograd/gradcheck.h"
#include "soma/core/parallel.h"
#include "soma/core/rng.h"
#include "soma/kernels/dispatch.h"
#include "support/op_cases.h"

namespace soma::test {
namespace {

Tensor uniform(const Shape& shape, double low, double high, std::uint32_t tag) {
    // Values exact in f32, so that both dtypes compute on the same numbers.
    Tensor t(shape, DType::f32);
    RandomSequence random(make_key(1, Purpose::analysis_seeds, 0, tag));
    for (float& v : t.data<float>()) {
        v = random.uniform(static_cast<float>(low), static_cast<float>(high));
    }
    return t;
}

std::vector<Tensor> inputs_of(const OpCase& row) {
    std::vector<Tensor> inputs;
    for (const Shape& shape : row.inputs) {
        inputs.push_back(
            uniform(shape, row.low, row.high, static_cast<std::uint32_t>(inputs.size()) + 1));
    }
    return inputs;
}

Tensor covector_of(const Shape& shape) { return uniform(shape, -1, 1, 0); }

// The output and the gradient of every input, as one list.
std::vector<Tensor> run(const OpCase& row, DType dtype) {
    Tape tape;
    std::vector<Var> vars;
    for (const Tensor& t : inputs_of(row)) vars.push_back(tape.input(t.to(dtype)));
    const Var y = row.op(tape, vars);
    tape.backward(y, covector_of(y.shape()).to(dtype));
    std::vector<Tensor> result{y.tensor()};
    for (const Var v : vars) result.push_back(v.gradient());
    return result;
}

std::vector<std::vector<double>> run_oracle(const OpCase& row) {
    Scalar::clear();
    std::vector<Scalars> inputs;
    for (const Tensor& t : inputs_of(row)) {
        Scalars& list = inputs.emplace_back();
        for (Index i = 0; i < t.count(); ++i) list.push_back(Scalar::variable(t.at(i)));
    }
    const Scalars y = row.oracle(inputs);
    const Tensor seed = covector_of({static_cast<Index>(y.size())});
    std::vector<double> c;
    for (Index i = 0; i < seed.count(); ++i) c.push_back(seed.at(i));
    Scalar::backward(y, c);

    std::vector<std::vector<double>> result(1);
    for (const Scalar& s : y) result[0].push_back(s.value());
    for (const Scalars& list : inputs) {
        std::vector<double>& gradient = result.emplace_back();
        for (const Scalar& s : list) gradient.push_back(s.gradient());
    }
    return result;
}

std::vector<double> doubles(const Tensor& t) {
    std::vector<double> result;
    for (Index i = 0; i < t.count(); ++i) result.push_back(t.at(i));
    return result;
}

void expect_close(const std::vector<double>& actual, const std::vector<double>& expected,
                  Index depth, double unit, const char* what, std::size_t which) {
    ASSERT_EQ(actual.size(), expected.size()) << what << " " << which;
    double scale = 1;
    for (const double e : expected) scale = std::max(scale, std::abs(e));
    const double bound = 4 * static_cast<double>(depth + 8) * unit * scale;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        ASSERT_LE(std::abs(actual[i] - expected[i]), bound)
            << what << ", " << (which == 0 ? "output" : "gradient of input ")
            << (which == 0 ? "" : std::to_string(which - 1)) << ", element " << i << ": "
            << actual[i] << " instead of " << expected[i];
    }
}

class Op : public testing::TestWithParam<OpCase> {
protected:
    void TearDown() override {
        kernels::use(isa_);
        set_num_threads(threads_);
    }

private:
    std::string isa_ = kernels::active().isa;
    int threads_ = num_threads();
};

// The rows that have an oracle; the others rely on central differences.
class OracleOp : public testing::TestWithParam<OpCase> {};

TEST_P(OracleOp, MatchesTheScalarTapeInF64) {
    const OpCase& row = GetParam();

    const std::vector<Tensor> actual = run(row, DType::f64);
    const std::vector<std::vector<double>> expected = run_oracle(row);

    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t k = 0; k < actual.size(); ++k) {
        expect_close(doubles(actual[k]), expected[k], row.depth, 0x1p-53, "f64 vs oracle", k);
    }
}

TEST_P(Op, BackwardMatchesCentralDifferences) {
    const OpCase& row = GetParam();

    const GradcheckResult result = gradcheck(row.op, inputs_of(row));

    EXPECT_TRUE(result.ok) << result.message;
    EXPECT_GE(result.checked, 3 * result.skipped) << "most elements must lie off the kinks";
}

TEST_P(Op, F32StaysWithinTheBoundOfF64) {
    const OpCase& row = GetParam();

    const std::vector<Tensor> narrow = run(row, DType::f32), wide = run(row, DType::f64);

    for (std::size_t k = 0; k < wide.size(); ++k) {
        expect_close(doubles(narrow[k]), doubles(wide[k]), row.depth, 0x1p-24, "f32 vs f64", k);
    }
}

TEST_P(Op, SameBitsOnEveryIsaAndThreadCount) {
    const OpCase& row = GetParam();
    const std::vector<Tensor> expected = run(row, DType::f32);

    for (const kernels::KernelTable* table : kernels::available()) {
        for (const int threads : {1, 2}) {
            kernels::use(table->isa);
            set_num_threads(threads);
            const std::vector<Tensor> actual = run(row, DType::f32);
            for (std::size_t k = 0; k < expected.size(); ++k) {
                EXPECT_EQ(std::memcmp(actual[k].raw(), expected[k].raw(),
                                      static_cast<std::size_t>(expected[k].bytes())),
                          0)
                    << table->isa << ", " << threads << " threads, result " << k;
            }
        }
    }
}

// The rows of ops that some shape is impossible for.
class PickyOp : public testing::TestWithParam<OpCase> {};

TEST_P(PickyOp, RejectsImpossibleShapesNamingItself) {
    const OpCase& row = GetParam();
    const std::string name = row.name.substr(0, row.name.find('/'));
    Tape tape;

    try {
        row.bad(tape);
        FAIL() << "no error";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ErrorCode::usage);
        EXPECT_EQ(std::string(e.what()).rfind(name + ":", 0), 0u) << e.what();
    }
}

// "add/row" becomes add__row: a test's name may hold letters, digits and underscores only.
std::string test_name(const testing::TestParamInfo<OpCase>& info) {
    std::string name;
    for (const char c : info.param.name) {
        name += c == '/'                                      ? "__"
                : std::isalnum(static_cast<unsigned char>(c)) ? std::string(1, c)
                                                              : "_";
    }
    return name;
}

std::vector<OpCase> rows_where(bool (*has)(const OpCase&)) {
    std::vector<OpCase> rows = all_op_cases();
    std::erase_if(rows, [&](const OpCase& row) { return !has(row); });
    return rows;
}

INSTANTIATE_TEST_SUITE_P(Table, Op, testing::ValuesIn(all_op_cases()), test_name);
INSTANTIATE_TEST_SUITE_P(Table, OracleOp, testing::ValuesIn(rows_where([](const OpCase& row) {
                             return row.oracle != nullptr;
                         })),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Table, PickyOp, testing::ValuesIn(rows_where([](const OpCase& row) {
                             return row.bad != nullptr;
                         })),
                         test_name);

}  // namespace
}  // namespace soma::test
