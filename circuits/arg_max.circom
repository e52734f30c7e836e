pragma circom 2.2.3;

include "bits.circom";

// The index of the first largest of n values, and that value.
//
// 1. Exactly one index is marked: the marks are bits and add up to 1.
// 2. max is the value that is marked, label its index.
// 3. max is at least every value, and more than every value before the marked one, since for these a later index is marked and
//    1 is taken off the gap. A gap lies in [0, 2^bits); a negative one would be a number of 254 bits.
template ArgMax(n, bits) {
    signal input in[n];
    signal output label;
    signal output max;

    // Values are below 2^40 in size: shifted by that much, they compare as integers. A hint only; what follows proves it.
    var best = 0;
    for (var j = 1; j < n; j++) {
        best = in[j] + 2 ** 40 > in[best] + 2 ** 40 ? j : best;
    }

    signal isLabel[n];
    signal marked[n];
    var marks = 0;
    var sum = 0;
    var index = 0;
    for (var j = 0; j < n; j++) {
        isLabel[j] <-- best == j ? 1 : 0;
        isLabel[j] * (isLabel[j] - 1) === 0;
        marked[j] <== isLabel[j] * in[j];
        marks += isLabel[j];
        sum += marked[j];
        index += j * isLabel[j];
    }
    marks === 1;
    max <== sum;
    label <== index;

    component gap[n];
    var weights[n + 1];
    weights[0] = 1;
    for (var k = 1; k <= n; k++) {
        weights[k] = -1;
    }
    for (var j = 0; j < n; j++) {
        gap[j] = LowerBits(n + 1 - j, weights, 0, bits);
        gap[j].in[0] <== max;
        gap[j].in[1] <== in[j];
        for (var k = j + 1; k < n; k++) {
            gap[j].in[k + 1 - j] <== isLabel[k];
        }
    }
}
