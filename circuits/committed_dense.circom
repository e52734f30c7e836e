pragma circom 2.2.3;

// The sums of one layer whose weights are signals, proven elsewhere to be those of a commitment: a product for each weight.
// weights lie input after input.
template CommittedDense(n, m) {
    signal input in[n];
    signal input weights[n * m];
    signal input bias[m];
    signal output out[m];

    signal product[n * m];
    for (var i = 0; i < n * m; i++) {
        product[i] <== weights[i] * in[i \ m];
    }
    for (var j = 0; j < m; j++) {
        var sum = bias[j];
        for (var i = 0; i < n; i++) {
            sum += product[i * m + j];
        }
        out[j] <== sum;
    }
}
