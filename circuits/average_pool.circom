pragma circom 2.2.3;

include "bits.circom";

// The average of the bytes under each window, rounded down: their sum without its `shift` lowest bits, over 2^shift. A window holds at
// most 2^shift bytes, so that the sum fits 8 + shift bits and the average is a byte. image = [channels, height, width]; size, strides and
// positions of the window are [vertical, horizontal].
template AveragePool(image, size, strides, positions, shift) {
    assert(size[0] * size[1] <= 2 ** shift);
    var outputs = positions[0] * positions[1];
    var taps = size[0] * size[1];
    var ones[taps];
    for (var i = 0; i < taps; i++) {
        ones[i] = 1;
    }
    signal input in[image[0] * image[1] * image[2]];
    signal output out[image[0] * outputs];

    component bits[image[0] * outputs];
    for (var o = 0; o < image[0] * outputs; o++) {
        var channel = o \ outputs;
        var top = (o % outputs) \ positions[1] * strides[0];
        var left = o % outputs % positions[1] * strides[1];
        bits[o] = LowerBits(taps, ones, 0, 8 + shift);
        var upper = 0;
        for (var i = 0; i < taps; i++) {
            bits[o].in[i] <== in[(channel * image[1] + top + i \ size[1]) * image[2] + left + i % size[1]];
            upper += bits[o].in[i];
        }
        for (var i = 0; i < shift; i++) {
            upper -= bits[o].out[i] * 2 ** i;
        }
        out[o] <== upper / 2 ** shift;
    }
}
