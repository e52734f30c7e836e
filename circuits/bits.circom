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

// Proves 0 <= x < 2^n for the weighted sum x = offset + weights[0] * in[0] + ..., and gives all bits of x but the last.
//
// What the lower bits leave of x is the last bit times 2^(n-1): it is 0 or 2^(n-1), which takes one constraint and no signal. Whoever
// needs the last bit computes it so: (x - lower bits) / 2^(n-1) is linear. With offset = 2^(n-1) the sum without its offset lies in
// [-2^(n-1), 2^(n-1)), and the last bit is 1 where it is not negative.
template LowerBits(k, weights, offset, n) {
    signal input in[k];
    signal output out[n - 1];
    var x = offset;
    for (var i = 0; i < k; i++) {
        x += weights[i] * in[i];
    }
    var rest = x;
    for (var i = 0; i < n - 1; i++) {
        out[i] <-- (x >> i) & 1;
        out[i] * (out[i] - 1) === 0;
        rest -= out[i] * 2 ** i;
    }
    rest * (rest - 2 ** (n - 1)) === 0;
}
