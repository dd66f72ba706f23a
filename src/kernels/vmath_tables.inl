// Constants of vmath.inl: minimax polynomials (Remez exchange, then rounded to the element type so
// that the largest weighted error stays near the ideal one) and split constants. The exponent after
// each table is log2 of the largest error relative to the function it serves.
//
// Included by every ISA unit inside its anonymous namespace.

struct MathF32 {
    static constexpr int kMantissaBits = 23;
    static constexpr float kMagic = 0x1.8p23f;  // adding and subtracting it rounds to an integer
    static constexpr float kExpLow = -126.0f;   // e^x, and 126 times it, round to 0
    static constexpr float kExpHigh = 89.0f;    // e^x rounds to Inf
    static constexpr float kSmallestNormal = 0x1p-126f;
    static constexpr float kSubnormalScale = 0x1p24f;
    static constexpr float kSubnormalBits = 24;
    static constexpr float kTrigLimit = 0x1p20f;
    static constexpr float kTailLimit = 15.0f;      // Phi(-15) rounds to 0
    static constexpr float kSigmoidLimit = 64.0f;   // 1 + e^-64 rounds to 1
    static constexpr float kTanhFormLimit = 12.0f;  // sigmoid(v(-12)) rounds to 0
    static constexpr float kLog2e = 0x1.715476p+0f;
    static constexpr float kLn2[2] = {0x1.62e43p-1f, -0x1.05c61p-29f};
    static constexpr float kTwoOverPi = 0x1.45f306p-1f;
    static constexpr float kPiOver2[3] = {0x1.921fb6p+0f, -0x1.777a5cp-25f, -0x1.ee59dap-50f};
    static constexpr float kSqrtHalf = 0x1.6a09e6p-1f;
    static constexpr float kSqrt2 = 0x1.6a09e6p+0f;
    static constexpr float kInvSqrt2Pi = 0x1.988454p-2f;
    // gelu_tanh: v = x (c1 + c2 x^2), c1 = 2 sqrt(2 / pi), c2 = 0.044715 c1.
    static constexpr float kGelu1[2] = {0x1.988p+0f, 0x1.14cf5p-14f};
    static constexpr float kGelu2[2] = {0x1.2444f2p-4f, 0x1.49b16ap-29f};

    // (e^r - 1 - r) / r^2 on |r| <= ln2 / 2: 2^-28
    static constexpr float kExp[] = {0x1.fffffcp-2f, 0x1.55548cp-3f, 0x1.555858p-5f, 0x1.123dep-7f,
                                     0x1.6ac6b2p-10f};
    // (log((1 + s) / (1 - s)) / s - 2) / z, z = s^2 <= 1/9: 2^-32
    static constexpr float kLog[] = {0x1.555558p-1f, 0x1.9996d8p-2f, 0x1.25051p-2f, 0x1.b72bb6p-3f,
                                     0x1.f08b0cp-3f};
    // (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 in z = r^2, |r| <= pi / 4: 2^-28, 2^-33
    static constexpr float kSin[] = {-0x1.555546p-3f, 0x1.11077cp-7f, -0x1.99509ep-13f};
    static constexpr float kCos[] = {0x1.55554ap-5f, -0x1.6c0c1ap-10f, 0x1.99e0fep-16f};
    // (tanh x - x) / x^3 in z = x^2, x <= 0.625: 2^-28
    static constexpr float kTanh[] = {-0x1.555534p-2f, 0x1.11075ep-3f, -0x1.b842cap-5f,
                                      0x1.524d5p-6f, -0x1.768498p-8f};
    // erf x / x - 1 in z = x^2, x <= 1: 2^-29
    static constexpr float kErf[] = {0x1.06eba8p-3f,  -0x1.81273ep-2f, 0x1.ce2cf8p-4f,
                                     -0x1.b7f90ep-6f, 0x1.5405b2p-8f,  -0x1.a3f702p-11f,
                                     0x1.496a38p-14f};
    // (Phi(x) - 1/2) / x in z = x^2, |x| <= 1/2: 2^-25.2 of Phi
    static constexpr float kCdf[] = {0x1.988454p-2f, -0x1.1057c4p-4f, 0x1.468754p-7f,
                                     -0x1.28899cp-10f};
    // e^(a^2 / 2) Phi(-a) (a + k) in t = (a - k) / (a + k), 0 <= a <= 15: 2^-25.6
    static constexpr float kTailCentre = 4.0f;
    static constexpr float kTail[] = {0x1.82b4bcp-1f,   -0x1.373e3cp-1f, 0x1.8c6dbp-2f,
                                      -0x1.7dfef2p-3f,  0x1.eec8e8p-5f,  -0x1.ee4fecp-8f,
                                      -0x1.c9ba98p-9f,  0x1.acb6dep-10f, 0x1.686832p-13f,
                                      -0x1.cbe0f2p-13f, -0x1.7a06bp-15f};
};

struct MathF64 {
    static constexpr int kMantissaBits = 52;
    static constexpr double kMagic = 0x1.8p52;
    static constexpr double kExpLow = -800.0;
    static constexpr double kExpHigh = 710.0;
    static constexpr double kSmallestNormal = 0x1p-1022;
    static constexpr double kSubnormalScale = 0x1p54;
    static constexpr double kSubnormalBits = 54;
    static constexpr double kTrigLimit = 0x1p20;
    static constexpr double kTailLimit = 40.0;
    static constexpr double kSigmoidLimit = 64.0;
    static constexpr double kTanhFormLimit = 24.0;
    static constexpr double kLog2e = 0x1.71547652b82fep+0;
    static constexpr double kLn2[2] = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
    static constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
    static constexpr double kPiOver2[3] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54,
                                           -0x1.f1976b7ed8fbcp-110};
    static constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;
    static constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
    static constexpr double kInvSqrt2Pi = 0x1.9884533d43651p-2;
    static constexpr double kGelu1[2] = {0x1.9884534p+0, -0x1.5e4d7b9781a62p-31};
    static constexpr double kGelu2[2] = {0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c7p-61};

    // 2^-63
    static constexpr double kExp[] = {0x1p-1,
                                      0x1.555555555555dp-3,
                                      0x1.555555555556cp-5,
                                      0x1.111111110e54ep-7,
                                      0x1.6c16c16c0a49dp-10,
                                      0x1.a01a01b5f10c3p-13,
                                      0x1.a01a01e7b34fdp-16,
                                      0x1.71ddeabb67fdfp-19,
                                      0x1.27e44f1b97291p-22,
                                      0x1.af742595e0f32p-26,
                                      0x1.2045005e3990fp-29};
    // 2^-58
    static constexpr double kLog[] = {
        0x1.5555555555535p-1, 0x1.99999999a0787p-2, 0x1.249249208a02fp-2, 0x1.c71c741dafb0fp-3,
        0x1.745cb3d3594bep-3, 0x1.3b1ddf37c1d38p-3, 0x1.106792fd9b404p-3, 0x1.efdb6ee4d36fcp-4,
        0x1.55a322fe3cbf6p-4, 0x1.5c8603c088f5cp-3};
    // 2^-58, 2^-64
    static constexpr double kSin[] = {-0x1.5555555555549p-3,  0x1.111111110f8a2p-7,
                                      -0x1.a01a019c154e8p-13, 0x1.71de357a3e44fp-19,
                                      -0x1.ae5e67d65b5fep-26, 0x1.5d9363e5ab302p-33};
    static constexpr double kCos[] = {0x1.555555555554cp-5,  -0x1.6c16c16c1521cp-10,
                                      0x1.a01a019cbee39p-16, -0x1.27e4f8123d569p-22,
                                      0x1.1ee9f0efa9d2ep-29, -0x1.8fb0f65895b5cp-37};
    // 2^-56
    static constexpr double kTanh[] = {
        -0x1.5555555555503p-2,  0x1.111111110b073p-3,  -0x1.ba1ba1b52d373p-5,
        0x1.664f4781489f9p-6,   -0x1.226e16c8328f0p-7, 0x1.d6cf3a78d55e1p-9,
        -0x1.7d6955f55a243p-10, 0x1.336a733a4ec75p-11, -0x1.df77b91c7265fp-13,
        0x1.43dd3b60f5481p-14,  -0x1.0e39c04b2041ap-16};
    // 2^-56
    static constexpr double kErf[] = {
        0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b20p-4,
        -0x1.b82ce3128499dp-6,  0x1.565bcd0db02f2p-8,   -0x1.c02db3d8ed47bp-11,
        0x1.f9a321a121723p-14,  -0x1.f4d1df398bf62p-17, 0x1.b9def1a0ff649p-20,
        -0x1.5f1d36dac41a2p-23, 0x1.f7a41328b1a9ep-27,  -0x1.386ac3a3c25e5p-30,
        0x1.0579b210674b4p-34};
    // 2^-54
    static constexpr double kCdf[] = {
        0x1.9884533d43651p-2,   -0x1.1058377e2cee0p-4,  0x1.46d042976915dp-7,
        -0x1.37403f6b970f9p-10, 0x1.e42b0d45374a9p-14,  -0x1.3ce8f61933f2dp-17,
        0x1.6588264d2769dp-21,  -0x1.61a46a1878897p-25, 0x1.27818543157fdp-29};
    // 0 <= a <= 40: 2^-55
    static constexpr double kTailCentre = 5.0;
    static constexpr double kTail[] = {
        0x1.89d3abe1f95aep-1,   -0x1.54ad03f27ca18p-1,  0x1.fb31653876f87p-2,
        -0x1.410ed5f87594ep-2,  0x1.51f6329f01b99p-3,   -0x1.1b1c254ca3eccp-4,
        0x1.54b4d4f48ba7bp-6,   -0x1.88590e9875377p-9,  -0x1.a2503779f72d8p-11,
        0x1.1daf1ae44a233p-11,  -0x1.f21492159626bp-15, -0x1.a17014bb50825p-15,
        0x1.17df0b5024939p-16,  0x1.0b15068b2e6b8p-18,  -0x1.73dfc6e957eb1p-19,
        -0x1.674ddb22ff693p-22, 0x1.d45db7e4dc7abp-22,  0x1.5998f5b49ebf3p-25,
        -0x1.2cb9320613229p-24, -0x1.268ebd4830b7ep-27, 0x1.6fc6409a1c63fp-27,
        0x1.2ef86d9782c28p-29,  -0x1.36ce6c0a5a5d0p-30, -0x1.9669eb8a2e572p-32};
};
