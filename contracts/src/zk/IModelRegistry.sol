// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ModelRegistry: which verifying key belongs to a model
/// @notice The key is the commitment to the model: weights are constants of its circuit. Anybody can compile the circuit from the model
/// again and compare `r1csDigest`, and check the key against it with the powers of tau and the ceremony's transcript.
interface IModelRegistry {
    /// @param r1csDigest sha256 of the circuit's r1cs file
    /// @param powersOfTau sha256 of the file of the setup's first phase
    /// @param ceremonyDigest sha256 of the record of the second phase: contributions and beacon
    /// @param isDevelopment made by one party, who can forge proofs if it kept its secret
    struct Circuit {
        bytes32 r1csDigest;
        bytes32 powersOfTau;
        bytes32 ceremonyDigest;
        bool isDevelopment;
        address key;
    }

    event ModelRegistered(bytes32 indexed modelDigest, uint32 indexed rows, bytes32 r1csDigest, bool isDevelopment);

    error AlreadyRegistered(bytes32 modelDigest, uint32 rows);
    error UnknownModel(bytes32 modelDigest, uint32 rows);
    error WrongKeyLength(uint256 got, uint256 want);
    /// @dev delta = gamma: a setup that nobody contributed to. Anybody can forge proofs for such a key.
    error KeyWithoutContribution();
    error DevelopmentSetupRefused();

    /// @notice By the admin. A model is registered once for each number of rows that one proof covers.
    /// @param key words of the verifying key, as Groth16.sol orders them
    function register(bytes32 modelDigest, uint32 rows, Circuit calldata circuit, uint256[] calldata key) external;

    /// @dev Reverts with UnknownModel.
    function circuitOf(bytes32 modelDigest, uint32 rows) external view returns (Circuit memory);

    /// @notice The contract whose code is the key. Reverts with UnknownModel.
    function keyOf(bytes32 modelDigest, uint32 rows) external view returns (address);
}
