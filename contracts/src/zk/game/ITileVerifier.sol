// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title TileVerifier: checks one tile of a layer's matrix product
/// @notice One circuit (circuits/tile.circom) and one key for every tile of every model: 31 input bytes times 31 x 31 weights that are
/// known by their commitment alone.
interface ITileVerifier {
    /// @param r1csDigest sha256 of the circuit's r1cs file
    /// @param powersOfTau sha256 of the file of the setup's first phase
    /// @param ceremonyDigest sha256 of the record of the second phase
    /// @param isDevelopment made by one party, who can forge proofs if it kept its secret
    struct Setup {
        bytes32 r1csDigest;
        bytes32 powersOfTau;
        bytes32 ceremonyDigest;
        bool isDevelopment;
    }

    /// @notice Whether weights with this commitment, times these bytes, give these sums. Never false for want of gas.
    /// @param weights Poseidon hash of the packed weights
    /// @param block31 31 bytes, the first highest
    /// @param sums three numbers with 11 slots of 22 bits each, 2^21 added to each slot
    /// @param proof A, B with imaginary parts first, C
    function isValid(uint256 weights, uint256 block31, uint256[3] calldata sums, uint256[8] calldata proof)
        external
        view
        returns (bool);

    function setup() external view returns (Setup memory);

    /// @notice The contract whose code is the key.
    function key() external view returns (address);
}
