// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TypedData} from "../libraries/TypedData.sol";

/// @title Slashing on evidence
/// @notice Every fault here is objective: the signed messages are the evidence and the contract checks all of it.
/// Anybody may report. The reporter's share never goes to a validator of the epoch, since those are the judges.
/// Signatures are 64 bytes (EIP-2098), under the domain of Settlement.
interface ISlashingManager {
    /// @notice One validator's signed rejection of the receipt.
    /// @param outputDigest what the validator computed itself (part of its vote's leaf)
    /// @param proof from the vote's leaf to `votesRoot`
    struct Rejection {
        bytes32 validationId;
        bytes32 votesRoot;
        address validator;
        bytes32 outputDigest;
        bytes32[] proof;
        bytes signature;
    }

    /// @param rejectQuorum how many validators must have rejected, at least 2 and at most 64: the majority of a panel
    /// @param rejectedBps penalty for a rejected result, 1 to 5,000
    /// @param evidenceSeconds for how long after its epoch ended a validator's rejection counts; at most 60 days
    struct Parameters {
        uint8 rejectQuorum;
        uint16 rejectedBps;
        uint64 evidenceSeconds;
    }

    event RejectedSlashed(bytes32 indexed taskId, uint32 attempt, address indexed worker, uint256 amount);
    event ContradictionProven(bytes32 indexed taskId, uint32 attempt, address indexed worker, uint256 amount);

    error InvalidParameter();
    error NotSignedByWorker(address signer, address worker);
    error NotSignedByValidator(address signer, address validator);
    error TooFewRejections(uint256 given, uint256 wanted);
    error NotAscending(address previous, address next);
    error NotAValidator(address validator, uint64 epoch);
    error EvidenceTooOld(uint64 epoch, uint256 retiredAt);
    error InvalidVoteProof(address validator);
    error AlreadySlashed(bytes32 faultId);
    error SameReceipt();
    error NoContradiction();

    /// @notice Slash the worker whose signed receipt enough validators of `epoch` rejected. Once per task, attempt and
    /// worker.
    /// @param rejections in strictly ascending order of validator
    function slashRejected(
        TypedData.Receipt calldata receipt,
        bytes calldata workerSignature,
        uint64 epoch,
        Rejection[] calldata rejections
    ) external;

    /// @notice Slash all and disqualify the worker that signed two receipts for one attempt which differ in what they
    /// claim about the work (any digest or the runtime). Times alone are no contradiction. Once per task, attempt and worker.
    function proveContradiction(
        TypedData.Receipt calldata receiptA,
        bytes calldata signatureA,
        TypedData.Receipt calldata receiptB,
        bytes calldata signatureB
    ) external;

    /// @notice Identifies a fault: keccak256(abi.encode(kind, taskId, attempt, worker)), kind "rejected" or "contradiction".
    function faultIdOf(bytes32 kind, bytes32 taskId, uint32 attempt, address worker) external pure returns (bytes32);

    function isSlashed(bytes32 faultId) external view returns (bool);
}
