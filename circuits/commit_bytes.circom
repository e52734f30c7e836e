pragma circom 2.2.3;

include "bits.circom";
include "sponge.circom";

// The commitment to the input: a hash of the salt and of the input's bytes, 31 of them to an element.
//
// Each byte is proven to be one. Without that, 256 in one byte and 1 in the next would pack to the same element, and one
// commitment would open to two inputs. 31 bytes are 248 bits, which the field holds without wrapping around. The salt hides an
// input that could be guessed.
template CommitBytes(n) {
    signal input salt;
    signal input bytes[n];
    signal output out;

    component range[n];
    for (var i = 0; i < n; i++) {
        range[i] = LowerBits(1, [1], 0, 8);
        range[i].in[0] <== bytes[i];
    }

    var perElement = 31;
    var elements = (n + perElement - 1) \ perElement;
    component sponge = Sponge(1 + elements);
    sponge.in[0] <== salt;
    for (var e = 0; e < elements; e++) {
        var packed = 0;
        for (var i = 0; i < perElement; i++) {
            if (e * perElement + i < n) {
                packed += bytes[e * perElement + i] * 2 ** (8 * i);
            }
        }
        sponge.in[1 + e] <== packed;
    }
    out <== sponge.out;
}
