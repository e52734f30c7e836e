// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../libraries/Evidence.sol";
import {Leaves} from "../libraries/Leaves.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {IFaultRegistry} from "./IFaultRegistry.sol";

/// @title Slashing on evidence
/// @notice Every fault here is objective: the signed messages are the evidence and the contract checks all of it.
/// Anybody may report. A reporter gets its share only where it had committed to the fault in an earlier block, so that
/// copying a report from the mempool earns nothing; it never goes to a validator of the epoch, since those are the judges.
/// Signatures are 64 bytes (EIP-2098), under the domain of Settlement.
interface ISlashingManager is IFaultRegistry {
    /// @param rejectQuorum how many validators must have rejected, at least 2 and at most 64: the majority of a panel
    /// @param rejectedBps penalty for a rejected result, 1 to 5,000
    /// @param missedBps penalty for a claim whose deadline the worker let pass, 1 to 500
    /// @param evidenceSeconds for how long after its epoch ended a validator's rejection counts; at most 60 days
    struct Parameters {
        uint8 rejectQuorum;
        uint16 rejectedBps;
        uint16 missedBps;
        uint64 evidenceSeconds;
    }

    /// @notice A header with one validator's signature of it.
    struct SignedHeader {
        TypedData.BatchHeader header;
        bytes signature;
    }

    /// @notice A task's place in a batch. The proof leads to the batch's task root.
    struct SettledTask {
        Leaves.Task task;
        bytes32[] proof;
    }

    event ParametersChanged(Parameters parameters);
    event ReportCommitted(address indexed reporter, bytes32 indexed commitment);
    event RejectedSlashed(bytes32 indexed taskId, uint32 attempt, address indexed worker, uint256 amount);
    event MissedSlashed(bytes32 indexed taskId, uint32 attempt, address indexed worker, uint256 amount);
    event ContradictionProven(bytes32 indexed taskId, uint32 attempt, address indexed worker, uint256 amount);
    event ValidatorExpelled(bytes32 indexed faultId, address indexed validator, uint256 amount);
    event DoubleSettlementProven(bytes32 indexed headerHash, bytes32 indexed taskId);
    event SignerSlashed(bytes32 indexed headerHash, address indexed validator, uint256 amount);

    error InvalidParameter();
    error TooFewRejections(uint256 given, uint256 wanted);
    error NotAscending(address previous, address next);
    error NotAValidator(address validator, uint64 epoch);
    error EvidenceTooOld(uint64 epoch, uint256 retiredAt);
    error AlreadySlashed(bytes32 faultId);
    error SameReceipt();
    error NotInBatch(bytes32 taskId, uint32 attempt);
    error NoContradiction();
    error NoEquivocation();
    error NoDoubleSettlement();
    error BrokenHeaderChain(uint256 index);
    error HeaderNotFaulty(bytes32 headerHash);

    /// @notice Governance only, within the bounds of `Parameters`.
    function setParameters(Parameters calldata parameters_) external;

    /// @notice Announce a report, to be made in a later block within a day.
    /// @param commitment keccak256(abi.encode(reporter, faultId))
    function commitReport(bytes32 commitment) external;

    /// @notice Slash the worker whose signed receipt enough validators of `epoch` rejected. Once per task, attempt and
    /// worker.
    /// @param rejections in strictly ascending order of validator
    function slashRejected(
        TypedData.Receipt calldata receipt,
        bytes calldata workerSignature,
        uint64 epoch,
        Evidence.SignedVote[] calldata rejections
    ) external;

    /// @notice Slash the worker that signed a claim and let its deadline pass: neither a receipt nor the work handed back. That
    /// nothing came is no message that anybody could show; so a quorum of validators says it, by signing a batch with the claim
    /// as a leaf. Once per task, attempt and worker. Nobody earns by it.
    /// @param path headers from the one with the leaf on, see ISettlement.requireSettled
    /// @param proof from the leaf to the task root of `path[0]`
    /// @param signature the worker's, of TypedData.Claim with the fields of `missed`
    function slashMissed(
        TypedData.BatchHeader[] calldata path,
        Leaves.Missed calldata missed,
        bytes32[] calldata proof,
        bytes calldata signature
    ) external;

    /// @notice Slash all and disqualify the worker that signed two receipts for one attempt which differ in what they
    /// claim about the work (any digest or the runtime). Times alone are no contradiction. Once per task, attempt and worker.
    function proveContradiction(
        TypedData.Receipt calldata receiptA,
        bytes calldata signatureA,
        TypedData.Receipt calldata receiptB,
        bytes calldata signatureB
    ) external;

    /// @notice Slash all of a validator that signed two different headers of one sequence number in one epoch, disqualify it
    /// and take it out of the set.
    function proveHeaderEquivocation(address validator, SignedHeader calldata a, SignedHeader calldata b) external;

    /// @notice As `proveHeaderEquivocation`, for two attestations of one Validation with different votes.
    function proveVoteEquivocation(
        address validator,
        bytes32 validationId,
        bytes32 votesRootA,
        bytes calldata signatureA,
        bytes32 votesRootB,
        bytes calldata signatureB
    ) external;

    /// @notice Prove that a header settles a task that it or an ancestor of it settles already; then the header may be rolled
    /// back (ISettlement) and its signers slashed (`slashSigner`).
    /// @param path from the header with the first settlement to the one with the second, each the parent of the next; a
    /// single header where the task stands in it twice, as two leaves
    function proveDoubleSettlement(
        TypedData.BatchHeader[] calldata path,
        SettledTask calldata first,
        SettledTask calldata second
    ) external;

    /// @notice Slash all of a validator that signed both headers of a proven double settlement, disqualify it and take it out
    /// of the set. Who signed the second alone may not have known of the first.
    /// @param first,second the first and the last header of the proven path; the same where that was a single one
    function slashSigner(address validator, SignedHeader calldata first, SignedHeader calldata second) external;

    /// @notice Identifies a fault: keccak256(abi.encode(kind, taskId, attempt, worker)), kind "rejected", "missed"
    /// or "contradiction".
    function faultIdOf(bytes32 kind, bytes32 taskId, uint32 attempt, address worker) external pure returns (bytes32);

    /// @notice Identifies a validator's fault: keccak256(abi.encode(kind, subject, validator)), kind "headers" (subject:
    /// keccak256(abi.encode(epoch, sequence))), "votes" (the Validation's id) or "signed" (the header's hash).
    function validatorFaultIdOf(bytes32 kind, bytes32 subject, address validator) external pure returns (bytes32);

    function isSlashed(bytes32 faultId) external view returns (bool);

    function parameters() external view returns (Parameters memory);
}
