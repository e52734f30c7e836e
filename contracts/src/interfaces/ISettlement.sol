// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../libraries/Leaves.sol";
import {TypedData} from "../libraries/TypedData.sol";

/// @title Settlement by signed root
/// @notice A batch of task results is settled by its header alone, signed by a quorum of validators. Everything else is
/// proven against the roots in it: rewards against the balance root of the last batch, tasks against their task root.
/// Headers form a chain: `sequence` grows by one and `previousHash` names the one before.
interface ISettlement {
    event Settled(uint64 indexed sequence, bytes32 indexed headerHash, uint32 taskCount, uint256 settledWei);
    event Paused(address indexed guardian, uint256 until);
    event Unpaused(address indexed guardian);

    error IsPaused(uint256 until);
    error PauseTooSoon(uint256 allowedAt);
    error WrongSequence(uint64 given, uint64 wanted);
    error WrongPreviousHash(bytes32 given, bytes32 wanted);
    error EmptyBatch();
    error SettledDecreased(uint256 given, uint256 before);
    error SettledExceedsDeposits(uint256 given, uint256 deposits);
    error BrokenHeaderChain(uint256 index);
    error HeaderNotSettled(bytes32 headerHash);

    /// @notice Settle the next batch. Anybody may call; the certificate decides.
    /// @param bitmap,signatures certificate of the header's epoch: see IValidatorSets
    function settle(TypedData.BatchHeader calldata header, uint256 bitmap, bytes calldata signatures) external;

    /// @notice Stop settling and claiming for 72 hours. Again only 72 hours after the last pause ended, so that a
    /// guardian can gain time and never freeze the money.
    function pause() external;

    /// @notice End a pause early.
    function unpause() external;

    /// @notice Whether a task is in a settled batch.
    /// @param path the header of the task's batch, then its successors, up to the last settled one or to one whose
    /// sequence is a multiple of 256 (see `checkpointOf`)
    /// @param proof from the task's leaf to the task root of `path[0]`
    function verifyTask(TypedData.BatchHeader[] calldata path, Leaves.Task calldata task, bytes32[] calldata proof)
        external
        view
        returns (bool);

    /// @notice The last settled batch; zeros before the first.
    function lastBatch() external view returns (uint64 sequence, bytes32 headerHash, uint256 settledWei);

    /// @notice Root of cumulative balances of the last batch, and its total. Reverts while paused.
    function claimState() external view returns (bytes32 balanceRoot, uint256 settledWei);

    /// @notice Header hash of a settled batch whose sequence is a multiple of 256; zero otherwise.
    function checkpointOf(uint64 sequence) external view returns (bytes32);

    /// @notice The digest that validators sign, which is also the header's hash.
    function hashHeader(TypedData.BatchHeader calldata header) external view returns (bytes32);

    /// @notice The EIP-712 domain of all messages of the protocol.
    function domainSeparator() external view returns (bytes32);

    function pausedUntil() external view returns (uint256);
}
