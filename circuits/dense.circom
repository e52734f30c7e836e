pragma circom 2.2.3;

// The sums of one layer. Weights and biases are constants of the circuit: they are part of what the verifying key commits to, and
// no prover can choose them. Each sum is one linear constraint, which costs a Groth16 prover nothing.
template Dense(n, m, weights, bias) {
    signal input in[n];
    signal output out[m];
    for (var j = 0; j < m; j++) {
        var sum = bias[j];
        for (var i = 0; i < n; i++) {
            sum += weights[i][j] * in[i];
        }
        out[j] <== sum;
    }
}
