#pragma once
// The family trees of Hinton 1986: two isomorphic trees of twelve people, twelve relations, and the
// facts that follow from marriages and parents (uncles and aunts also by marriage).

#include <array>
#include <set>
#include <string>
#include <vector>

#include "soma/core/types.h"

namespace soma::systems {

inline constexpr int kPeople = 24, kRelations = 12;

// "Who is the <relation> of <person>?", with every right answer.
struct FamilyCase {
    int person = 0, relation = 0;
    std::set<int> answers;
};

const std::array<std::string, kPeople>& family_people();        // 0-11 English, 12-23 Italian
const std::array<std::string, kRelations>& family_relations();  // father, mother, ...

// All 104 cases, ordered by person and relation; 112 (person, relation, answer) triples.
std::vector<FamilyCase> family_cases();

}  // namespace soma::systems
