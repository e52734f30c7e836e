// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../../src/libraries/Evidence.sol";
import {Leaves} from "../../src/libraries/Leaves.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {Fixture} from "./Fixture.sol";

/// @notice A bonded worker with a known key, and its signed receipts.
abstract contract EvidenceFixture is Fixture {
    uint256 internal constant WORKER_KEY = 0xBADBAD;
    bytes32 internal constant VALIDATION = keccak256("validation");
    bytes32 internal constant SIBLING = keccak256("another vote");
    address internal worker;

    function setUp() public virtual {
        deployAll();
        worker = vm.addr(WORKER_KEY);
        bondNode(worker, INodeRegistry.Role.Worker, WORKER_BOND);
    }

    function receiptOf(string memory output) internal view returns (TypedData.Receipt memory receipt) {
        receipt.taskId = keccak256("task");
        receipt.attempt = 1;
        receipt.worker = worker;
        receipt.modelDigest = keccak256("model");
        receipt.outputDigest = keccak256(bytes(output));
        receipt.runtime = "onnxruntime/1.27.0 cpu";
        (receipt.startedAtMs, receipt.endedAtMs) = (1, 2);
    }

    function digestOf(TypedData.Receipt memory receipt) internal view returns (bytes32) {
        return TypedData.digest(settlement.domainSeparator(), TypedData.hash(receipt));
    }

    function signReceipt(TypedData.Receipt memory receipt) internal view returns (bytes memory) {
        return compact(WORKER_KEY, digestOf(receipt));
    }

    function rejectionsOf(TypedData.Receipt memory receipt, uint256 count)
        internal
        view
        returns (Evidence.SignedVote[] memory)
    {
        return votesOf(receipt, count, Leaves.VERDICT_REJECT);
    }

    /// @notice Votes of the first `count` validators.
    function votesOf(TypedData.Receipt memory receipt, uint256 count, uint8 verdict)
        internal
        view
        returns (Evidence.SignedVote[] memory votes)
    {
        votes = new Evidence.SignedVote[](count);
        for (uint256 i = 0; i < count; ++i) {
            votes[i] = voteOf(receipt, i, verdict);
        }
    }

    /// @notice One validator's vote, in a tree of two leaves: this vote and another.
    function voteOf(TypedData.Receipt memory receipt, uint256 index, uint8 verdict)
        internal
        view
        returns (Evidence.SignedVote memory vote)
    {
        vote.validationId = VALIDATION;
        vote.validator = validators[index];
        vote.outputDigest = keccak256("right");
        vote.proof = new bytes32[](1);
        vote.proof[0] = SIBLING;
        bytes32 leaf =
            Leaves.hash(Leaves.Vote(receipt.taskId, receipt.attempt, digestOf(receipt), verdict, vote.outputDigest));
        vote.votesRoot =
            leaf < SIBLING ? keccak256(bytes.concat(leaf, SIBLING)) : keccak256(bytes.concat(SIBLING, leaf));
        vote.signature = compact(keys[index], attestationOf(VALIDATION, vote.votesRoot, vote.validator));
    }

    function attestationOf(bytes32 validationId, bytes32 votesRoot, address validator) internal view returns (bytes32) {
        bytes32 structHash = TypedData.hash(TypedData.Attestation(validationId, votesRoot, validator));
        return TypedData.digest(settlement.domainSeparator(), structHash);
    }
}
