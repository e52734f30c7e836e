// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16} from "./Groth16.sol";
import {IModelRegistry} from "./IModelRegistry.sol";

/// @title Verifying keys, checked and put where Groth16 reads them
library VerifyingKeys {
    /// @notice Reverts for a key of another length, and for one of a setup that nobody contributed to.
    function requireUsable(uint256[] memory key, uint256 signals) internal pure {
        uint256 want = Groth16.keyWords(signals);
        if (key.length != want) revert IModelRegistry.WrongKeyLength(key.length, want);
        bool isSame = true;
        for (uint256 i = 0; i < Groth16.DELTA - Groth16.GAMMA; ++i) {
            isSame = isSame && key[Groth16.GAMMA + i] == key[Groth16.DELTA + i];
        }
        if (isSame) revert IModelRegistry.KeyWithoutContribution();
    }

    /// @return at a contract whose code is a byte that stops and then the words
    function write(uint256[] memory key) internal returns (address at) {
        bytes memory code = abi.encodePacked(hex"00", key);
        // PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: gives back what follows.
        bytes memory creation = abi.encodePacked(hex"61", uint16(code.length), hex"80600a3d393df3", code);
        assembly ("memory-safe") {
            at := create(0, add(creation, 32), mload(creation))
        }
        assert(at != address(0));
    }
}
