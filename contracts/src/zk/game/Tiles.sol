// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Blocks, sums and trees of a traced inference
/// @notice A layer's activations are blocks of 31 bytes, the first highest in a word; its sums are blocks of 31 integers. Trees have a
/// fixed depth for a number of leaves, and what is missing is zero; a place in a tree is a number, so that nothing can be shown at
/// another place than its own. `src/zk/game/tile.ts` and `block-tree.ts` compute the same.
library Tiles {
    uint256 internal constant SIZE = 31;
    uint256 private constant SLOT_BITS = 22;
    uint256 private constant SLOTS = 11;
    uint256 private constant SLOT_MASK = (1 << SLOT_BITS) - 1;
    int256 private constant SLOT_OFFSET = int256(1 << (SLOT_BITS - 1));

    error WrongProofLength(uint256 got, uint256 want);
    error SumOutOfRange(uint256 index, int256 sum);

    function countBlocks(uint256 values) internal pure returns (uint256) {
        return (values + SIZE - 1) / SIZE;
    }

    /// @notice Levels above the leaves.
    function depthOf(uint256 leaves) internal pure returns (uint256 depth) {
        while (1 << depth < leaves) ++depth;
    }

    function hashBlock(uint256 block31) internal pure returns (bytes32) {
        return keccak256(abi.encode(block31));
    }

    function hashSums(int32[31] memory sums) internal pure returns (bytes32) {
        return keccak256(abi.encode(sums));
    }

    function hashNode(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encode(left, right));
    }

    /// @notice The step between two layers: clip(sum, 0, 256 * 2^shift - 1) / 2^shift, rounded down, as one block.
    function requantise(int32[31] memory sums, uint256 shift) internal pure returns (uint256 block31) {
        for (uint256 i = 0; i < SIZE; ++i) {
            int256 sum = sums[i];
            uint256 value = sum > 0 ? uint256(sum) >> shift : 0;
            block31 = block31 << 8 | (value > 255 ? 255 : value);
        }
    }

    /// @notice What stands in the slots of a tile's packed sums, added to the sums before it. Reverts beyond 32 bits, where no registered
    /// model's sums come.
    function add(int32[31] memory before, uint256[3] memory packed) internal pure returns (int32[31] memory sums) {
        for (uint256 i = 0; i < SIZE; ++i) {
            int256 digit = int256(packed[i / SLOTS] >> (SLOT_BITS * (i % SLOTS)) & SLOT_MASK) - SLOT_OFFSET;
            int256 sum = before[i] + digit;
            if (sum != int32(sum)) revert SumOutOfRange(i, sum);
            sums[i] = int32(sum);
        }
    }

    /// @notice Root of a tree whose leaves are blocks of these bytes.
    function rootOfBytes(bytes calldata data) internal pure returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](1 << depthOf(countBlocks(data.length)));
        for (uint256 i = 0; i * SIZE < data.length; ++i) {
            uint256 end = (i + 1) * SIZE;
            // A slice of bytes becomes a word with its first byte highest, zeros behind what it has.
            leaves[i] = hashBlock(uint256(bytes32(data[i * SIZE:end < data.length ? end : data.length])) >> 8);
        }
        return rootOf(leaves);
    }

    /// @notice Root of a tree whose leaves are blocks of these sums.
    function rootOfSums(int32[] calldata values) internal pure returns (bytes32) {
        bytes32[] memory leaves = new bytes32[](1 << depthOf(countBlocks(values.length)));
        for (uint256 i = 0; i * SIZE < values.length; ++i) {
            int32[31] memory sums;
            for (uint256 j = 0; j < SIZE && i * SIZE + j < values.length; ++j) {
                sums[j] = values[i * SIZE + j];
            }
            leaves[i] = hashSums(sums);
        }
        return rootOf(leaves);
    }

    /// @param leaves a power of two of them; overwritten
    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        for (uint256 count = leaves.length / 2; count > 0; count /= 2) {
            for (uint256 i = 0; i < count; ++i) {
                leaves[i] = hashNode(leaves[2 * i], leaves[2 * i + 1]);
            }
        }
        return leaves[0];
    }

    /// @notice Whether the leaf is the one at this place of a tree of so many leaves. Reverts for a proof of another length.
    function isLeaf(bytes32 root, bytes32 leaf, uint256 index, uint256 leaves, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        uint256 depth = depthOf(leaves);
        if (proof.length != depth) revert WrongProofLength(proof.length, depth);
        if (index >= leaves) return false;
        bytes32 node = leaf;
        for (uint256 level = 0; level < depth; ++level) {
            bytes32 sibling = proof[level];
            node = (index >> level) & 1 == 0 ? hashNode(node, sibling) : hashNode(sibling, node);
        }
        return node == root;
    }
}
