// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Juries: how they are drawn, and who is in one
library Jury {
    /// @notice The `size` members whose tickets are lowest. A ticket depends on the seed and its member alone, so that nobody
    /// draws others by making members of its own ineligible between the seed and the draw.
    /// @param from at least `size` members; changed
    function draw(address[] memory from, uint256 size, bytes32 seed) internal pure returns (address[] memory jury) {
        jury = new address[](size);
        for (uint256 i = 0; i < size; ++i) {
            uint256 lowest = i;
            for (uint256 j = i + 1; j < from.length; ++j) {
                if (_ticket(seed, from[j]) < _ticket(seed, from[lowest])) lowest = j;
            }
            (from[i], from[lowest]) = (from[lowest], from[i]);
            jury[i] = from[i];
        }
    }

    function contains(address[] storage jury, address account) internal view returns (bool) {
        for (uint256 i = 0; i < jury.length; ++i) {
            if (jury[i] == account) return true;
        }
        return false;
    }

    function _ticket(bytes32 seed, address member) private pure returns (bytes32) {
        return keccak256(abi.encode(seed, member));
    }
}
