// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TypedData} from "../libraries/TypedData.sol";

/// @title ZkVerifier: checks that a model gave a result, and for which task
/// @notice Computes the public signal of the task itself and takes the key from ModelRegistry, so that a proof for another task, worker,
/// attempt or model, or one made on another chain, does not verify.
interface IZkVerifier {
    /// @param inputCommitment Poseidon hash of the salted input
    /// @param result outputs of all rows, packed
    struct Statement {
        bytes32 taskId;
        uint32 attempt;
        address worker;
        bytes32 modelDigest;
        uint32 rows;
        uint256 inputCommitment;
        uint256 result;
    }

    event InferenceProven(
        bytes32 indexed taskId,
        bytes32 indexed modelDigest,
        address indexed worker,
        uint256 inputCommitment,
        uint256 result
    );

    error InvalidProof(bytes32 taskId);
    error AlreadyProven(bytes32 taskId);
    error AnotherTask(bytes32 got, bytes32 want);
    error AnotherAttempt(uint32 got, uint32 want);
    error AnotherWorker(address got, address want);
    error AnotherModel(bytes32 got, bytes32 want);

    /// @notice Reverts with InvalidProof, UnknownModel, SignalNotInField or NotEnoughGas; never gives false.
    /// @param proof A, B with imaginary parts first, C
    function verify(Statement calldata statement, uint256[8] calldata proof) external view;

    /// @notice Verifies and keeps that the task is proven. Once for a task: proofs can be re-randomised by anybody, so that a proof's hash
    /// tells nothing.
    function record(Statement calldata statement, uint256[8] calldata proof) external;

    /// @notice Verifies a proof for the very work that the receipt tells of. A statement about something else is refused by the name of
    /// what differs; one that was relabelled to fit shows nothing, and its proof is invalid.
    function verifyFor(TypedData.Receipt calldata receipt, Statement calldata statement, uint256[8] calldata proof)
        external
        view;

    /// @notice The same without reverting for a bad proof, for whoever judges a claim that it was good.
    function isValid(Statement calldata statement, uint256[8] calldata proof) external view returns (bool);

    /// @notice keccak256(abi.encode(chainId, registry, taskId, worker, attempt)) without its last byte: the field holds no 256 bits.
    function taskSignalOf(bytes32 taskId, address worker, uint32 attempt) external view returns (uint256);

    /// @notice Hash of the statement that was proven for the task; zero where none was.
    function provenOf(bytes32 taskId) external view returns (bytes32);
}
