pragma circom 2.2.3;

include "bits.circom";

// The larger of two values whose difference lies in [-2^bits, 2^bits).
//
// 1. The range proof of the difference leaves one choice of bits; its last bit is 1 where the difference is not negative.
// 2. out = in[1] + (in[0] - in[1]) where that bit is 1, in[1] where it is 0.
template Larger(bits) {
    signal input in[2];
    signal output out;

    component difference = LowerBits(2, [1, -1], 2 ** bits, bits + 1);
    difference.in <== in;
    var last = in[0] - in[1] + 2 ** bits;
    for (var i = 0; i < bits; i++) {
        last -= difference.out[i] * 2 ** i;
    }
    out <== last / 2 ** bits * (in[0] - in[1]) + in[1];
}

// The largest of n values: the larger of each and the largest so far.
template Largest(n, bits) {
    signal input in[n];
    signal output out;

    component larger[n - 1];
    var best = in[0];
    for (var i = 1; i < n; i++) {
        larger[i - 1] = Larger(bits);
        larger[i - 1].in[0] <== in[i];
        larger[i - 1].in[1] <== best;
        best = larger[i - 1].out;
    }
    out <== best;
}

// The largest value under each window, channel by channel. image = [channels, height, width]; size, strides and positions of the
// window are [vertical, horizontal]. Windows lie within the image.
template MaxPool(image, size, strides, positions, bits) {
    var outputs = positions[0] * positions[1];
    signal input in[image[0] * image[1] * image[2]];
    signal output out[image[0] * outputs];

    component largest[image[0] * outputs];
    for (var o = 0; o < image[0] * outputs; o++) {
        var channel = o \ outputs;
        var top = (o % outputs) \ positions[1] * strides[0];
        var left = o % outputs % positions[1] * strides[1];
        largest[o] = Largest(size[0] * size[1], bits);
        for (var i = 0; i < size[0] * size[1]; i++) {
            var y = top + i \ size[1];
            var x = left + i % size[1];
            largest[o].in[i] <== in[(channel * image[1] + y) * image[2] + x];
        }
        out[o] <== largest[o].out;
    }
}
