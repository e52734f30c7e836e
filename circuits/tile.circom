pragma circom 2.2.3;

include "bits.circom";
include "sponge.circom";

// One tile of a layer's matrix product, whatever the layer and the model: "I know weights that hash to `commitment`, whose product
// with the 31 bytes of `block` is `sums`."
//
// 1. block is 248 bits, and no other 248 bits give it, since all of them stay below the prime; each eight are a byte, the first
//    byte the highest.
// 2. The weights of one input stand in three groups of 11 slots of 22 bits, as whoever registered the model packed them. They are
//    hashed as they are: the commitment was computed from weights of at most 8 bits, so that no other numbers have it.
// 3. One multiplication by a byte multiplies all slots of a group. 31 products add up to less than 2^21 in size, so that no slot
//    reaches into the next. With 2^21 added to each slot nothing in sums is negative, and its digits are the tile's sums.
template Tile() {
    var size = 31;
    var groups = 3;
    var slots = 11;
    var slotBits = 22;

    signal input block;
    // For each byte its three groups.
    signal input weights[size * groups];
    signal output commitment;
    signal output sums[groups];

    component bits = UnsignedBits(8 * size);
    bits.in <== block;

    component commit = Sponge(size * groups);
    commit.in <== weights;
    commitment <== commit.out;

    signal products[size * groups];
    var offset = 0;
    for (var s = 0; s < slots; s++) {
        offset += 2 ** (slotBits * s + slotBits - 1);
    }
    for (var g = 0; g < groups; g++) {
        var sum = offset;
        for (var i = 0; i < size; i++) {
            var byte = 0;
            for (var b = 0; b < 8; b++) {
                byte += bits.out[8 * (size - 1 - i) + b] * 2 ** b;
            }
            products[groups * i + g] <== byte * weights[groups * i + g];
            sum += products[groups * i + g];
        }
        sums[g] <== sum;
    }
}
