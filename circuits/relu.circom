pragma circom 2.2.3;

include "bits.circom";

// max(in, 0), of a value that stays a sum. The last bit of its range proof is 1 where it is not negative. (The step to bytes,
// requantise.circom, holds a ReLU of its own.)
template Relu(n) {
    signal input in;
    signal output out;

    component bits = SignedBits(n);
    bits.in <== in;
    out <== bits.out[n - 1] * in;
}
