pragma circom 2.2.3;

include "bits.circom";

// out = clip(in, 0, 256 * 2^shift - 1) / 2^shift, rounded down: the step between two layers, with ReLU and saturation.
//
// 1. The bits of the sum are the only ones that it has (n comes from the exact bounds of the sum).
// 2. The last bit tells the sign. The eight bits from `shift` on are the byte of a sum that does not saturate.
// 3. A bit between the two means that the sum saturates. isOver = count * inverse is 0 where the count is 0, whatever the inverse;
//    where it is not, the second constraint leaves isOver = 1 alone.
// 4. Saturation lifts the byte to 255; a negative sum multiplies it by 0.
template Requantise(n, shift) {
    signal input in;
    signal output out;

    component bits = SignedBits(n);
    bits.in <== in;

    var quotient = 0;
    for (var i = 0; i < 8; i++) {
        quotient += bits.out[shift + i] * 2 ** i;
    }
    var excess = 0;
    for (var i = shift + 8; i < n - 1; i++) {
        excess += bits.out[i];
    }

    signal inverse <-- excess == 0 ? 0 : 1 / excess;
    signal isOver <== excess * inverse;
    excess * (1 - isOver) === 0;

    signal correction <== isOver * (255 - quotient);
    out <== bits.out[n - 1] * (quotient + correction);
}
