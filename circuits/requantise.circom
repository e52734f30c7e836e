pragma circom 2.2.3;

include "bits.circom";

// out = clip(in, 0, 256 * 2^shift - 1) / 2^shift, rounded down: the step between two layers, with ReLU and saturation.
//
// 1. The bits of the sum are the only ones that it has (n comes from the exact bounds of the sum).
// 2. The last bit is 0 for a negative sum. The eight bits from `shift` on are the byte of a sum that does not saturate; with fewer than
//    eight below the last one, no sum saturates.
// 3. A sum is outside where it is negative or has a bit above the byte: where the count of these is not 0. isWithin = 1 - outside * inverse
//    is 1 where the count is 0, whatever the inverse; where it is not, the second constraint leaves isWithin = 0 alone.
// 4. The byte is taken from a sum within; outside it is 0 or, for a sum that is not negative, 255.
template Requantise(n, shift) {
    assert(n - 1 > shift);
    signal input in;
    signal output out;

    component bits = LowerBits(1, [1], 2 ** (n - 1), n);
    bits.in[0] <== in;

    var quotient = 0;
    var excess = 0;
    var last = in + 2 ** (n - 1);
    for (var i = 0; i < n - 1; i++) {
        if (i >= shift + 8) {
            excess += bits.out[i];
        } else if (i >= shift) {
            quotient += bits.out[i] * 2 ** (i - shift);
        }
        last -= bits.out[i] * 2 ** i;
    }
    var isPositive = last / 2 ** (n - 1);

    if (n - 1 <= shift + 8) {
        out <== isPositive * quotient;
    } else {
        var outside = excess + 1 - isPositive;
        signal inverse <-- outside == 0 ? 0 : 1 / outside;
        signal isWithin <== 1 - outside * inverse;
        outside * isWithin === 0;
        out <== isWithin * (quotient - 255) + 255 * isPositive;
    }
}
