pragma circom 2.2.3;

include "bits.circom";

// n numbers of `bits` bits with sign, perElement of them to an element, each plus 2^(bits - 1) so that none is negative.
//
// Each number is proven to have its bits. Without that, one element would stand for more than one list of numbers, and a commitment to
// weights would open to others. bits * perElement stays below 253, so that no element wraps around.
template PackSigned(n, bits, perElement) {
    assert(bits * perElement <= 252);
    var elements = (n + perElement - 1) \ perElement;
    signal input in[n];
    signal output out[elements];

    component range[n];
    for (var i = 0; i < n; i++) {
        range[i] = LowerBits(1, [1], 2 ** (bits - 1), bits);
        range[i].in[0] <== in[i];
    }
    for (var e = 0; e < elements; e++) {
        var packed = 0;
        for (var i = 0; i < perElement; i++) {
            if (e * perElement + i < n) {
                packed += (in[e * perElement + i] + 2 ** (bits - 1)) * 2 ** (bits * i);
            }
        }
        out[e] <== packed;
    }
}
