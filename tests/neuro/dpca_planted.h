#pragma once
// Trials of two factors with known latent courses, for the tests of demixed PCA.

#include <cmath>

#include "linalg/planted.h"
#include "soma/neuro/dpca.h"

namespace soma::neuro {

inline constexpr Index kStimuli = 3, kDecisions = 2, kSteps = 24, kUnits = 14;

// Trial k: condition k mod 6 = (stimulus, decision). Latents: time, stimulus from step 12 on,
// decision (amplitude `decision`), mixed into the units by directions that are not orthogonal.
struct DpcaPlanted {
    Index trials;
    Responses r;
    std::vector<Factor> factors = {{"stimulus", {}}, {"decision", {}}};
    linalg::Matrix latent =
        linalg::Matrix(kStimuli * kDecisions * kSteps, 3);  // of each condition and step

    DpcaPlanted(Index repeats, double noise, double decision = 1, std::uint64_t seed = 2)
        : trials(6 * repeats), r(trials, kSteps, kUnits) {
        const linalg::Matrix mix = linalg::random_matrix(kUnits, 3, 1);
        const linalg::Matrix jitter = linalg::random_matrix(trials * kSteps, kUnits, seed);
        for (Index c = 0; c < 6; ++c) {
            for (Index t = 0; t < kSteps; ++t) {
                const Index row = c * kSteps + t;
                latent(row, 0) = std::cos(0.4 * double(t));
                latent(row, 1) = t < 12 ? 0 : double(c / 2 - 1);
                latent(row, 2) = decision * (c % 2 == 0 ? -1 : 1) * std::sin(0.2 * double(t));
            }
        }
        for (Index k = 0; k < trials; ++k) {
            factors[0].level.push_back(k % 6 / 2);
            factors[1].level.push_back(k % 2);
            for (Index t = 0; t < kSteps; ++t) {
                for (Index i = 0; i < kUnits; ++i) {
                    r(k, t, i) = 5 + noise * jitter(k * kSteps + t, i);
                    for (Index l = 0; l < 3; ++l) {
                        r(k, t, i) += latent(k % 6 * kSteps + t, l) * mix(i, l);
                    }
                }
            }
        }
    }
};

}  // namespace soma::neuro
