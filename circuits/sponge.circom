pragma circom 2.2.3;

include "poseidon_constants.circom";

// The width of the state for n inputs: of those that the paper has, the one that takes the fewest S-boxes for them; of two that take as
// many, the smaller.
function SPONGE_WIDTH(n) {
    var best = 2;
    for (var width = 3; width <= 17; width++) {
        if (SPONGE_BOXES(n, width) < SPONGE_BOXES(n, best)) {
            best = width;
        }
    }
    return best;
}

function SPONGE_BOXES(n, width) {
    return (n + width - 2) \ (width - 1) * (8 * width + POSEIDON_PARTIAL_ROUNDS(width));
}

// Poseidon as a sponge, of whose state one element is capacity: "constant-input-length hashing" of the Poseidon paper, section 4.2. The
// capacity starts as n * 2^64, so that inputs of two lengths never share a state.
//
// Only S-boxes make constraints, three each. The state is a variable: constants, matrix and sums are carried along as linear
// combinations and cost nothing. poseidon_constants.circom is generated, since nobody chooses these numbers.
template Sponge(n) {
    signal input in[n];
    signal output out;

    var width = SPONGE_WIDTH(n);
    var rate = width - 1;
    var fullRounds = 8;
    var partialRounds = POSEIDON_PARTIAL_ROUNDS(width);
    var rounds = fullRounds + partialRounds;
    var permutations = (n + rate - 1) \ rate;
    var first = n < rate ? n : rate;
    // In the first round the lanes that hold no input yet are constants, and so are their S-boxes.
    var boxes = permutations * (fullRounds * width + partialRounds) - (width - first);

    // As large as for the largest width; the rest is zero.
    var constants[78][17] = POSEIDON_ROUND_CONSTANTS(width);
    var matrix[17][17] = POSEIDON_MATRIX(width);

    signal square[boxes];
    signal fourth[boxes];
    signal fifth[boxes];
    var box = 0;

    var state[17];
    for (var lane = 0; lane < width; lane++) {
        state[lane] = 0;
    }
    state[0] = n * 2 ** 64;

    for (var p = 0; p < permutations; p++) {
        for (var lane = 1; lane < width; lane++) {
            if (p * rate + lane - 1 < n) {
                state[lane] += in[p * rate + lane - 1];
            }
        }
        for (var round = 0; round < rounds; round++) {
            var isFull = round < fullRounds / 2 || round >= fullRounds / 2 + partialRounds;
            var boxed[17];
            for (var lane = 0; lane < width; lane++) {
                var sum = state[lane] + constants[round][lane];
                if (p == 0 && round == 0 && (lane == 0 || lane > first)) {
                    boxed[lane] = sum ** 5;
                } else if (isFull || lane == 0) {
                    square[box] <== sum * sum;
                    fourth[box] <== square[box] * square[box];
                    fifth[box] <== fourth[box] * sum;
                    boxed[lane] = fifth[box];
                    box++;
                } else {
                    boxed[lane] = sum;
                }
            }
            for (var lane = 0; lane < width; lane++) {
                state[lane] = 0;
                for (var j = 0; j < width; j++) {
                    state[lane] += matrix[lane][j] * boxed[j];
                }
            }
        }
    }
    out <== state[1];
}
