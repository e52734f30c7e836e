// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Compact signatures
/// @notice All signatures of the protocol are 64 bytes (EIP-2098): one shape, a word less of calldata each.
library Signatures {
    error InvalidSignatureLength(uint256 length);

    uint256 internal constant LENGTH = 64;

    /// @notice The signer; reverts where there is none.
    function recover(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        if (signature.length != LENGTH) revert InvalidSignatureLength(signature.length);
        return ECDSA.recover(digest, bytes32(signature[:32]), bytes32(signature[32:]));
    }
}
