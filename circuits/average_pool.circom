pragma circom 2.2.3;

include "bits.circom";

// The average of the bytes under each window, rounded down: their sum without its `shift` lowest bits. A window holds at most
// 2^shift bytes, so that the sum fits 8 + shift bits and the average is a byte. image = [channels, height, width]; size, strides and
// positions of the window are [vertical, horizontal].
template AveragePool(image, size, strides, positions, shift) {
    assert(size[0] * size[1] <= 2 ** shift);
    var outputs = positions[0] * positions[1];
    signal input in[image[0] * image[1] * image[2]];
    signal output out[image[0] * outputs];

    component bits[image[0] * outputs];
    for (var o = 0; o < image[0] * outputs; o++) {
        var channel = o \ outputs;
        var top = (o % outputs) \ positions[1] * strides[0];
        var left = o % outputs % positions[1] * strides[1];
        var sum = 0;
        for (var i = 0; i < size[0] * size[1]; i++) {
            sum += in[(channel * image[1] + top + i \ size[1]) * image[2] + left + i % size[1]];
        }
        bits[o] = UnsignedBits(8 + shift);
        bits[o].in <== sum;
        var average = 0;
        for (var i = 0; i < 8; i++) {
            average += bits[o].out[shift + i] * 2 ** i;
        }
        out[o] <== average;
    }
}
