// Optimizer updates: formulas in table/optim.h.

// update(g, w, slots...) changes w and the slots of one vector; g is the finished gradient.
template <class V, class Step, class F, class... Slot>
[[gnu::flatten]] inline void update_all(const Step& s, Index n, F update,
                                        const typename V::Scalar* gradient, typename V::Scalar* w,
                                        Slot*... slots) {
    using L = Lanes<V>;
    const L scale = L::all(s.scale), decay = L::all(s.decay);
    const auto finish = [=](L g, L weight) { return fma(decay, weight, scale * g); };
    Index i = 0;
    for (; i + V::kWidth <= n; i += V::kWidth) {
        L weight = L::load(w + i);
        const L g = finish(L::load(gradient + i), weight);
        [&](auto... slot) {
            update(g, weight, slot...);
            (slot.store(slots + i), ...);
        }(L::load(slots + i)...);
        weight.store(w + i);
    }
    if constexpr (V::kWidth > 1) {
        if (i == n) return;
        const auto mask = V::first(static_cast<int>(n - i));
        L weight = L::load(w + i, mask);
        const L g = finish(L::load(gradient + i, mask), weight);
        [&](auto... slot) {
            update(g, weight, slot...);
            (slot.store(slots + i, mask), ...);
        }(L::load(slots + i, mask)...);
        weight.store(w + i, mask);
    }
}

template <class V, class T = typename V::Scalar>
void update_sgd(const SgdStep<T>& s, Index n, const T* gradient, T* w) noexcept {
    using L = Lanes<V>;
    const L rate = L::all(s.rate);
    update_all<V>(
        s, n, [=](L g, L& weight) { weight = fnma(rate, g, weight); }, gradient, w);
}

template <class V, class T = typename V::Scalar>
void update_momentum(const MomentumStep<T>& s, Index n, const T* gradient, T* w, T* v) noexcept {
    using L = Lanes<V>;
    const L rate = L::all(s.rate), mu = L::all(s.mu);
    switch (s.form) {
        case MomentumForm::classic:
            return update_all<V>(
                s, n,
                [=](L g, L& weight, L& speed) {
                    speed = fma(mu, speed, g);
                    weight = fnma(rate, speed, weight);
                },
                gradient, w, v);
        case MomentumForm::nesterov:
            return update_all<V>(
                s, n,
                [=](L g, L& weight, L& speed) {
                    speed = fma(mu, speed, g);
                    weight = fnma(rate, fma(mu, speed, g), weight);
                },
                gradient, w, v);
        case MomentumForm::alexnet:
            return update_all<V>(
                s, n,
                [=](L g, L& weight, L& speed) {
                    speed = fma(mu, speed, -(rate * g));
                    weight = weight + speed;
                },
                gradient, w, v);
    }
}

template <class V, class T = typename V::Scalar>
void update_rmsprop(const RmspropStep<T>& s, Index n, const T* gradient, T* w, T* square) noexcept {
    using L = Lanes<V>;
    const L rate = L::all(s.rate), rho = L::all(s.rho), rest = L::all(s.one_minus_rho),
            eps = L::all(s.eps);
    const auto rule = [=](L g, L& weight, L& mean_square) {
        mean_square = fma(rho, mean_square, rest * (g * g));
        weight = fnma(rate, g / (sqrt(mean_square) + eps), weight);
    };
    update_all<V>(s, n, rule, gradient, w, square);
}

template <class V, class T = typename V::Scalar>
void update_adadelta(const AdadeltaStep<T>& s, Index n, const T* gradient, T* w, T* square,
                     T* change) noexcept {
    using L = Lanes<V>;
    const L rate = L::all(s.rate), rho = L::all(s.rho), rest = L::all(s.one_minus_rho),
            eps = L::all(s.eps);
    const auto rule = [=](L g, L& weight, L& gradients, L& changes) {
        gradients = fma(rho, gradients, rest * (g * g));
        const L d = sqrt(changes + eps) / sqrt(gradients + eps) * g;
        changes = fma(rho, changes, rest * (d * d));
        weight = fnma(rate, d, weight);
    };
    update_all<V>(s, n, rule, gradient, w, square, change);
}

template <class V, class T = typename V::Scalar>
void update_adam(const AdamStep<T>& s, Index n, const T* gradient, T* w, T* m, T* v) noexcept {
    using L = Lanes<V>;
    const L rate = L::all(s.rate), beta1 = L::all(s.beta1), rest1 = L::all(s.one_minus_beta1),
            beta2 = L::all(s.beta2), rest2 = L::all(s.one_minus_beta2), root = L::all(s.root),
            eps = L::all(s.eps), shrink = L::all(s.shrink);
    const auto rule = [=](L g, L& weight, L& mean, L& square) {
        mean = fma(beta1, mean, rest1 * g);
        square = fma(beta2, square, rest2 * (g * g));
        weight = fnma(shrink, weight, weight);
        weight = fnma(rate, mean / fma(sqrt(square), root, eps), weight);
    };
    update_all<V>(s, n, rule, gradient, w, m, v);
}

template <class V, class T = typename V::Scalar>
void update_per_weight(const SgdStep<T>& s, Index n, const T* eta, const T* gradient,
                       T* w) noexcept {
    using L = Lanes<V>;
    const L rate = L::all(s.rate), scale = L::all(s.scale), decay = L::all(s.decay);
    const auto rule = [=](L step, L g, L weight) {
        return fnma(rate * step, fma(decay, weight, scale * g), weight);
    };
    map<V>(n, rule, w, eta, gradient, w);
}

template <class V, class T = typename V::Scalar>
void update_ema(Index n, T rate, const T* w, T* average) noexcept {
    using L = Lanes<V>;
    const L r = L::all(rate);
    map<V>(
        n, [=](L weight, L mean) { return fma(r, weight - mean, mean); }, average, w, average);
}

template <class V>
constexpr OptimTable<typename V::Scalar> optim_table() {
    return {.sgd = update_sgd<V>,
            .momentum = update_momentum<V>,
            .rmsprop = update_rmsprop<V>,
            .adadelta = update_adadelta<V>,
            .adam = update_adam<V>,
            .per_weight = update_per_weight<V>,
            .ema = update_ema<V>};
}
