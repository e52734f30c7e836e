pragma circom 2.2.3;

// Range proofs. A bit is a root of x * (x - 1). A number whose n bits are given lies in [0, 2^n); with n far below 254 the
// weighted sum cannot wrap around the field's prime, so that no other bits give the same number.

// Proves 0 <= in < 2^n, and gives the bits, least first.
template UnsignedBits(n) {
    signal input in;
    signal output out[n];
    var sum = 0;
    for (var i = 0; i < n; i++) {
        out[i] <-- (in >> i) & 1;
        out[i] * (out[i] - 1) === 0;
        sum += out[i] * 2 ** i;
    }
    sum === in;
}

// Proves -2^(n-1) <= in < 2^(n-1): in + 2^(n-1) lies in [0, 2^n). The last bit is 1 where `in` is not negative.
template SignedBits(n) {
    signal input in;
    signal output out[n];
    var offset = 2 ** (n - 1);
    var sum = 0;
    for (var i = 0; i < n; i++) {
        out[i] <-- ((in + offset) >> i) & 1;
        out[i] * (out[i] - 1) === 0;
        sum += out[i] * 2 ** i;
    }
    sum === in + offset;
}
