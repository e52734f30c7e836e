pragma circom 2.2.3;

include "bits.circom";

// max(in, 0), of a value that stays a sum. The last bit of its range proof is 1 where it is not negative. (The step to bytes,
// requantise.circom, holds a ReLU of its own.)
template Relu(n) {
    signal input in;
    signal output out;

    component bits = LowerBits(1, [1], 2 ** (n - 1), n);
    bits.in[0] <== in;
    var last = in + 2 ** (n - 1);
    for (var i = 0; i < n - 1; i++) {
        last -= bits.out[i] * 2 ** i;
    }
    out <== last / 2 ** (n - 1) * in;
}
