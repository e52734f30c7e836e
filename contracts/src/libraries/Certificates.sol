// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IValidatorSets} from "../interfaces/IValidatorSets.sol";
import {Signatures} from "./Signatures.sol";

/// @title Certificates of a validator set
/// @notice A set is the code of an account: a STOP, then its members' addresses, 20 bytes each, ascending. Settlement checks
/// its certificates with this against the account that ValidatorSets names, since handing the signatures on to another
/// contract would cost it as much as a signature.
library Certificates {
    uint256 internal constant ADDRESS_BYTES = 20;

    /// @notice Reverts unless a quorum of the set signed `digest`: see IValidatorSets.
    function verify(bytes32 digest, address store, uint256 bitmap, bytes calldata signatures) internal view {
        bytes memory set = read(store);
        uint256 count = set.length / ADDRESS_BYTES;
        if (bitmap >> count != 0) revert IValidatorSets.UnknownSigner(count);
        uint256 signers = countBits(bitmap);
        if (signers < quorum(count)) revert IValidatorSets.QuorumNotReached(signers, quorum(count));
        if (signatures.length != signers * Signatures.LENGTH) {
            revert IValidatorSets.SignatureCountMismatch(signatures.length, signers * Signatures.LENGTH);
        }
        uint256 checked = countValid(digest, set, bitmap, signatures);
        if (checked < signers) revert IValidatorSets.InvalidSignature(checked);
    }

    /// @notice The packed addresses, without the STOP in front; empty where there is no such account.
    function read(address store) internal view returns (bytes memory set) {
        assembly ("memory-safe") {
            let size := extcodesize(store)
            if size { size := sub(size, 1) }
            set := mload(0x40)
            mstore(set, size)
            extcodecopy(store, add(set, 0x20), 1, size)
            mstore(0x40, and(add(add(set, size), 0x3f), not(0x1f)))
        }
    }

    function memberAt(bytes memory set, uint256 index) internal pure returns (address member) {
        // The caller keeps index below the set's size; the word read may run past its end, the address does not.
        assembly ("memory-safe") {
            member := shr(96, mload(add(add(set, 0x20), mul(index, 20))))
        }
    }

    function quorum(uint256 count) internal pure returns (uint256) {
        return (2 * count) / 3 + 1;
    }

    /// @notice How many signatures, from the first, are their members'. The caller has checked the lengths.
    /// @dev Written out, since a certificate does this for each signer and the compiler's way costs a fifth of the precompile
    /// beside it. A malleable signature does no harm: signers are told apart by the bitmap.
    function countValid(bytes32 digest, bytes memory set, uint256 bitmap, bytes calldata signatures)
        internal
        view
        returns (uint256 checked)
    {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, digest)
            let cursor := signatures.offset
            // Each member is the upper 20 bytes of the word that begins at it.
            let member := add(set, 0x20)
            for { let bits := bitmap } bits { bits := shr(1, bits) } {
                if and(bits, 1) {
                    let vs := calldataload(add(cursor, 0x20))
                    mstore(add(buffer, 0x20), add(shr(255, vs), 27))
                    mstore(add(buffer, 0x40), calldataload(cursor))
                    mstore(add(buffer, 0x60), shr(1, shl(1, vs)))
                    // The precompile writes nothing where there is no signer.
                    mstore(0x00, 0)
                    pop(staticcall(gas(), 0x01, buffer, 0x80, 0x00, 0x20))
                    if iszero(eq(mload(0x00), shr(96, mload(member)))) { break }
                    checked := add(checked, 1)
                    cursor := add(cursor, 0x40)
                }
                member := add(member, 20)
            }
        }
    }

    /// @dev Sums of neighbours in ever wider fields; the multiplication adds up the bytes. At most 128 bits are set, so that
    /// the sum fits a byte.
    function countBits(uint256 x) internal pure returns (uint256) {
        unchecked {
            x -= (x >> 1) & (type(uint256).max / 3);
            x = (x & (type(uint256).max / 5)) + ((x >> 2) & (type(uint256).max / 5));
            x = (x + (x >> 4)) & (type(uint256).max / 17);
            return (x * (type(uint256).max / 255)) >> 248;
        }
    }
}
