// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TypedData} from "../libraries/TypedData.sol";
import {Groth16} from "./Groth16.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {IZkVerifier} from "./IZkVerifier.sol";

/// @title ZkVerifier, as IZkVerifier documents it
contract ZkVerifier is IZkVerifier {
    IModelRegistry public immutable registry;

    mapping(bytes32 taskId => bytes32) public provenOf;

    constructor(IModelRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc IZkVerifier
    function record(Statement calldata statement, uint256[8] calldata proof) external {
        if (provenOf[statement.taskId] != 0) revert AlreadyProven(statement.taskId);
        verify(statement, proof);
        provenOf[statement.taskId] = keccak256(abi.encode(statement));
        emit InferenceProven(
            statement.taskId, statement.modelDigest, statement.worker, statement.inputCommitment, statement.result
        );
    }

    /// @inheritdoc IZkVerifier
    function verifyFor(TypedData.Receipt calldata receipt, Statement calldata statement, uint256[8] calldata proof)
        external
        view
    {
        if (statement.taskId != receipt.taskId) revert AnotherTask(statement.taskId, receipt.taskId);
        // Before the worker: another attempt is often another worker's.
        if (statement.attempt != receipt.attempt) revert AnotherAttempt(statement.attempt, receipt.attempt);
        if (statement.worker != receipt.worker) revert AnotherWorker(statement.worker, receipt.worker);
        if (statement.modelDigest != receipt.modelDigest) {
            revert AnotherModel(statement.modelDigest, receipt.modelDigest);
        }
        verify(statement, proof);
    }

    /// @inheritdoc IZkVerifier
    function verify(Statement calldata statement, uint256[8] calldata proof) public view {
        if (!isValid(statement, proof)) revert InvalidProof(statement.taskId);
    }

    /// @inheritdoc IZkVerifier
    function isValid(Statement calldata statement, uint256[8] calldata proof) public view returns (bool) {
        address key = registry.keyOf(statement.modelDigest, statement.rows);
        uint256 task = taskSignalOf(statement.taskId, statement.worker, statement.attempt);
        return Groth16.isValid(key, [statement.inputCommitment, statement.result, task], proof);
    }

    /// @inheritdoc IZkVerifier
    function taskSignalOf(bytes32 taskId, address worker, uint32 attempt) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(registry), taskId, worker, attempt))) >> 8;
    }
}
