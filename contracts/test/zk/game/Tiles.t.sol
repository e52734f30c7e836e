// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Tensors} from "../../../src/zk/game/Tensors.sol";
import {Tiles} from "../../../src/zk/game/Tiles.sol";
import {TestBase} from "../../support/TestBase.sol";

/// @notice Trees, scaling and packed sums at their edges.
contract TilesTest is TestBase {
    function isLeaf(bytes32 root, bytes32 leaf, uint256 index, uint256 leaves, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return Tiles.isLeaf(root, leaf, index, leaves, proof);
    }

    function add(int32[31] memory before, uint256[3] memory packed) external pure returns (int32[31] memory) {
        return Tiles.add(before, packed);
    }

    function swap(uint64 value) external pure returns (uint64) {
        return Tensors.swap(value);
    }

    /// @dev With three leaves there are four places, and the fifth would have the first one's path.
    function test_aPlaceBeyondTheTreeIsNoOtherPlace() public view {
        (bytes32 a, bytes32 b, bytes32 c) = (bytes32(uint256(1)), bytes32(uint256(2)), bytes32(uint256(3)));
        bytes32 right = Tiles.hashNode(c, bytes32(0));
        bytes32 root = Tiles.hashNode(Tiles.hashNode(a, b), right);
        bytes32[] memory proof = new bytes32[](2);
        (proof[0], proof[1]) = (b, right);
        assertTrue(this.isLeaf(root, a, 0, 3, proof), "the first");
        assertTrue(!this.isLeaf(root, a, 4, 3, proof), "beyond the tree");
        (proof[0], proof[1]) = (c, Tiles.hashNode(a, b));
        assertTrue(!this.isLeaf(root, bytes32(0), 3, 3, proof), "beyond the leaves");
        (proof[0], proof[1]) = (bytes32(0), Tiles.hashNode(a, b));
        assertTrue(this.isLeaf(root, c, 2, 3, proof), "the last");
        assertTrue(!this.isLeaf(root, c, 1, 3, proof), "another place");
    }

    function test_scalingClipsAtBothEnds() public pure {
        int32[31] memory sums;
        (sums[0], sums[1], sums[2], sums[3]) = (-1, 4 * 255 + 3, 4 * 256, type(int32).max);
        (sums[4], sums[30]) = (type(int32).min, 7);
        uint256 block31 = Tiles.requantise(sums, 2);
        assertEq(block31 >> 240, 0);
        assertEq(block31 >> 232 & 255, 255);
        assertEq(block31 >> 224 & 255, 255);
        assertEq(block31 >> 216 & 255, 255);
        assertEq(block31 >> 208 & 255, 0);
        assertEq(block31 & 255, 1);
    }

    function test_sumsBeyond32BitsAreRefused() public {
        int32[31] memory sums;
        uint256[3] memory packed = [uint256(1 << 21) + 1, 0, 0];
        sums[0] = type(int32).max;
        vm.expectPartialRevert(Tiles.SumOutOfRange.selector);
        this.add(sums, packed);
        sums[0] = 41;
        // What is missing in the other slots counts as the smallest sum.
        int32[31] memory result = this.add(sums, packed);
        assertEq(uint256(int256(result[0])), 42);
        assertTrue(result[1] == -2_097_152, "an empty slot");
    }

    function testFuzz_bytesAreSwappedBackAndForth(uint64 value) public view {
        assertEq(this.swap(this.swap(value)), value);
        assertEq(this.swap(1), 1 << 56);
    }
}
