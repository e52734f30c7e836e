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

    /// @notice The signer of the signature that begins at `start` of many, or zero where it is none. The caller has
    /// checked the length.
    /// @dev Written out, since a certificate does this for each signer and the compiler's way costs half as much again
    /// as the precompile. A malleable signature does no harm: signers are told apart by the bitmap.
    function recoverAt(bytes32 digest, bytes calldata signatures, uint256 start)
        internal
        view
        returns (address signer)
    {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            let r := calldataload(add(signatures.offset, start))
            let vs := calldataload(add(signatures.offset, add(start, 0x20)))
            mstore(buffer, digest)
            mstore(add(buffer, 0x20), add(shr(255, vs), 27))
            mstore(add(buffer, 0x40), r)
            mstore(add(buffer, 0x60), shr(1, shl(1, vs)))
            // The precompile writes nothing where there is no signer.
            mstore(0x00, 0)
            pop(staticcall(gas(), 0x01, buffer, 0x80, 0x00, 0x20))
            signer := mload(0x00)
        }
    }
}
