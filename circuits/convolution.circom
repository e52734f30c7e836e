pragma circom 2.2.3;

// The sums of one convolution layer. Weights and biases are constants of the circuit, as in dense.circom: each sum is one linear
// constraint. Inputs and outputs lie channel after channel, row after row.
//
// image = [channels, height, width]; size, strides, pads (above and on the left) and positions of the window are
// [vertical, horizontal]. weights[f] are those of filter f, [channels / groups][rows][columns] in one row. What lies outside the
// image counts as zero. Each of `groups` shares of the filters sees its share of the channels.
template Convolution(image, filters, size, strides, pads, positions, groups, weights, bias) {
    var outputs = positions[0] * positions[1];
    signal input in[image[0] * image[1] * image[2]];
    signal output out[filters * outputs];

    var channels = image[0] \ groups;
    var taps = size[0] * size[1];
    for (var f = 0; f < filters; f++) {
        var first = f \ (filters \ groups) * channels;
        for (var o = 0; o < outputs; o++) {
            var sum = bias[f];
            for (var c = 0; c < channels; c++) {
                for (var i = 0; i < taps; i++) {
                    var y = o \ positions[1] * strides[0] - pads[0] + i \ size[1];
                    var x = o % positions[1] * strides[1] - pads[1] + i % size[1];
                    if (y >= 0 && y < image[1] && x >= 0 && x < image[2]) {
                        sum += weights[f][c * taps + i] * in[((first + c) * image[1] + y) * image[2] + x];
                    }
                }
            }
            out[f * outputs + o] <== sum;
        }
    }
}
