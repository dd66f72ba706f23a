#include "systems/neurons/family_trees.h"

#include <utility>

namespace soma::systems {
namespace {

constexpr int kTree = 12;

// One tree; the other has the same structure with all numbers raised by 12.
enum Person {
    christopher,
    penelope,
    andrew,
    christine,
    margaret,
    arthur,
    victoria,
    james,
    jennifer,
    charles,
    colin,
    charlotte
};
constexpr std::pair<int, int> kCouples[] = {  // husband, wife
    {christopher, penelope},
    {andrew, christine},
    {arthur, margaret},
    {james, victoria},
    {charles, jennifer}};
constexpr bool kMale[kTree] = {true,  false, true,  false, false, true,
                               false, true,  false, true,  true,  false};
constexpr int kChildren[][3] = {  // father, mother, child
    {christopher, penelope, arthur}, {christopher, penelope, victoria},
    {andrew, christine, james},      {andrew, christine, jennifer},
    {james, victoria, colin},        {james, victoria, charlotte}};

using People = std::set<int>;

People parents(int p) {
    People found;
    for (const auto& c : kChildren) {
        if (c[2] == p) found.insert({c[0], c[1]});
    }
    return found;
}

People children(int p) {
    People found;
    for (const auto& c : kChildren) {
        if (c[0] == p || c[1] == p) found.insert(c[2]);
    }
    return found;
}

People spouses(int p) {
    People found;
    for (const auto& [husband, wife] : kCouples) {
        if (p == husband) found.insert(wife);
        if (p == wife) found.insert(husband);
    }
    return found;
}

template <class Step>
People each(const People& from, Step&& step) {
    People found;
    for (const int p : from) found.merge(step(p));
    return found;
}

People siblings(int p) {
    People found = each(parents(p), children);
    found.erase(p);
    return found;
}

// Siblings of the parents and their spouses.
People uncles_and_aunts(int p) {
    People found = each(parents(p), siblings);
    found.merge(each(found, spouses));
    return found;
}

// Children of one's siblings and of the siblings of one's spouse.
People nephews_and_nieces(int p) {
    People siblings_too = siblings(p);
    siblings_too.merge(each(spouses(p), siblings));
    return each(siblings_too, children);
}

// Relations come in pairs: the male word is even, the female word odd.
People related(int p, int relation) {
    const auto all = [&]() -> People {
        switch (relation / 2) {
            case 0:
                return parents(p);
            case 1:
                return spouses(p);
            case 2:
                return children(p);
            case 3:
                return uncles_and_aunts(p);
            case 4:
                return siblings(p);
            default:
                return nephews_and_nieces(p);
        }
    };
    People found;
    for (const int q : all()) {
        if (kMale[q] == (relation % 2 == 0)) found.insert(q);
    }
    return found;
}

}  // namespace

const std::array<std::string, kPeople>& family_people() {
    static const std::array<std::string, kPeople> names = {
        "Christopher", "Penelope", "Andrew",   "Christine", "Margaret", "Arthur",
        "Victoria",    "James",    "Jennifer", "Charles",   "Colin",    "Charlotte",
        "Roberto",     "Maria",    "Pierro",   "Francesca", "Gina",     "Emilio",
        "Lucia",       "Marco",    "Angela",   "Tomaso",    "Alfonso",  "Sophia"};
    return names;
}

const std::array<std::string, kRelations>& family_relations() {
    static const std::array<std::string, kRelations> names = {
        "father", "mother", "husband", "wife",   "son",    "daughter",
        "uncle",  "aunt",   "brother", "sister", "nephew", "niece"};
    return names;
}

std::vector<FamilyCase> family_cases() {
    std::vector<FamilyCase> cases;
    for (int person = 0; person < kPeople; ++person) {
        for (int relation = 0; relation < kRelations; ++relation) {
            const int tree = person / kTree * kTree;
            FamilyCase c{person, relation, {}};
            for (const int answer : related(person % kTree, relation))
                c.answers.insert(tree + answer);
            if (!c.answers.empty()) cases.push_back(std::move(c));
        }
    }
    return cases;
}

}  // namespace soma::systems
