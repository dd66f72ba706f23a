#include <soma/tensor/tensor.h>
#include <iostream>

int main() {
    const soma::Tensor x = soma::Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});
    std::cout << x.shape() << " " << x.permute({1, 0}).at(1) << "\n";
    return x.permute({1, 0}).at(1) == 4 ? 0 : 1;
}
