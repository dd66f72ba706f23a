#include <soma/soma.h>
#include <iostream>

int main() {
    const auto& systems = soma::systems::all_systems();
    std::cout << systems.size() << " systems\n";
    return soma::systems::find("perceptron") != nullptr ? 0 : 1;
}
