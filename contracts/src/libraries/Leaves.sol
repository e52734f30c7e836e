// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Leaves of the Merkle trees
/// @notice Hashed twice, so that an inner node can never be passed off as a leaf. `src/protocol/merkle.ts` builds the
/// same; `test/vectors/chain-merkle.json` ties the two together.
library Leaves {
    /// @notice A validator's verdict on one receipt.
    /// @param verdict 1 accept, 2 reject, 3 abstain
    struct Vote {
        bytes32 taskId;
        uint32 attempt;
        bytes32 receiptDigest;
        uint8 verdict;
        bytes32 outputDigest;
    }

    /// @notice A settled task.
    /// @param statementHash of the IZkVerifier.Statement that a proof showed; zero where validators re-executed the task
    struct Task {
        bytes32 taskId;
        uint32 attempt;
        bytes32 receiptDigest;
        address worker;
        address requester;
        uint256 rewardWei;
        bytes32 statementHash;
    }

    /// @notice A claim whose worker let the deadline pass, in the tree of tasks behind the tasks of a batch.
    struct Missed {
        bytes32 taskId;
        uint32 attempt;
        address worker;
        uint64 deadlineMs;
    }

    uint8 internal constant VERDICT_ACCEPT = 1;
    uint8 internal constant VERDICT_REJECT = 2;

    function hash(Vote memory vote) internal pure returns (bytes32) {
        return _twice(abi.encode(vote.taskId, vote.attempt, vote.receiptDigest, vote.verdict, vote.outputDigest));
    }

    function hash(Task memory task) internal pure returns (bytes32) {
        return _twice(abi.encode(task));
    }

    /// @notice Shorter than a task's leaf, so that neither can pass for the other.
    function hash(Missed memory missed) internal pure returns (bytes32) {
        return _twice(abi.encode(bytes32("missed"), missed.taskId, missed.attempt, missed.worker, missed.deadlineMs));
    }

    /// @notice What an account has earned since the first batch.
    function hashBalance(address account, uint256 cumulativeWei) internal pure returns (bytes32) {
        return _twice(abi.encode(account, cumulativeWei));
    }

    /// @notice What a requester has spent since the first batch. In the tree of balances; longer than a balance's leaf, so
    /// that neither can pass for the other.
    function hashSpent(address requester, uint256 cumulativeWei) internal pure returns (bytes32) {
        return _twice(abi.encode(bytes32("spent"), requester, cumulativeWei));
    }

    function _twice(bytes memory encoded) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(encoded)));
    }
}
