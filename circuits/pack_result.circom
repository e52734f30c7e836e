pragma circom 2.2.3;

// n values side by side in one public signal, below a bit that marks the end. Value i plus offsets[i] lies in [0, 2^w) for the w bits
// up to the next shift, and all bits are fewer than 253: no value reaches into another's place, and packing is one to one. These
// bounds need no constraint here. They hold for the exact bounds of sums over proven bytes, for labels and for largest logits.
template PackResult(n, offsets, shifts, bits) {
    assert(bits < 252);
    signal input in[n];
    signal output out;
    var sum = 2 ** bits;
    for (var i = 0; i < n; i++) {
        sum += (in[i] + offsets[i]) * 2 ** shifts[i];
    }
    out <== sum;
}
