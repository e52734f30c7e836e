// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../libraries/Leaves.sol";
import {TypedData} from "../libraries/TypedData.sol";

/// @title Settlement by signed root
/// @notice A batch of task results is settled by its header alone, signed by a quorum of validators. Everything else is
/// proven against the roots in it: rewards against the balance root of the newest *final* batch, tasks against their task
/// root. Headers form a chain: `sequence` grows by one and `previousHash` names the one before. A header is final once it
/// or a later one has stood for the challenge window; until then a proven fault rolls it back.
interface ISettlement {
    /// @dev The rest of the header is in the transaction's calldata.
    event Settled(uint64 indexed sequence, bytes32 indexed headerHash);
    event Paused(address indexed guardian, uint256 until);
    event Unpaused(address indexed guardian);
    event ChallengeSecondsChanged(uint24 challengeSeconds);
    /// @param sequence of the batch that is the last one again; zero where none is left
    event RolledBack(uint64 indexed sequence, bytes32 headerHash, uint256 batches);

    error IsPaused(uint256 until);
    error PauseTooSoon(uint256 allowedAt);
    error WrongSequence(uint64 given, uint64 wanted);
    error WrongPreviousHash(bytes32 given, bytes32 wanted);
    error EmptyBatch();
    error SettledDecreased(uint256 given, uint256 before);
    error SettledExceedsDeposits(uint256 given, uint256 deposits);
    error BrokenHeaderChain(uint256 index);
    error HeaderNotSettled(bytes32 headerHash);
    error HeaderNotFinal(bytes32 given, bytes32 finalHeader);
    error HeaderIsFinal(bytes32 headerHash);
    error HeaderNotFaulty(bytes32 headerHash);
    error InvalidChallengeSeconds(uint256 given);
    error NotValidatorSets(address caller);
    error NotEscrow(address caller);

    /// @notice Settle the next batch. Anybody may call; the certificate decides.
    /// @param bitmap,signatures certificate of the header's epoch: see IValidatorSets
    function settle(TypedData.BatchHeader calldata header, uint256 bitmap, bytes calldata signatures) external;

    /// @notice Undo a batch that is proven faulty (see IFaultRegistry) and all that follow, while it is not final. Anybody
    /// may call. The next batch takes the sequence number again, under another epoch: where the headers' epoch is still live,
    /// it ends here, so that signing the number again is no equivocation.
    /// @param parent header before the faulty one; ignored where that was the first
    /// @param path the faulty header and its successors up to the last one
    function rollBack(TypedData.BatchHeader calldata parent, TypedData.BatchHeader[] calldata path) external;

    /// @notice Stop settling, claiming and withdrawing for 72 hours. Again only 72 hours and a withdrawal's delay (which is
    /// longer than two challenge windows) after the last pause ended, so that a guardian can gain time and never freeze the
    /// money. What is final stays final.
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

    /// @notice Reverts unless all headers of `path` are settled: each the parent of the next, up to the last settled one or to
    /// one whose sequence is a multiple of 256.
    function requireSettled(TypedData.BatchHeader[] calldata path) external view;

    /// @notice An epoch has begun. ValidatorSets only.
    /// @param store account whose code holds the epoch's set
    function followEpoch(uint64 epoch, address store) external;

    /// @notice Deposits have left, so that what is covered is to be asked again. TaskEscrow only.
    function uncover() external;

    /// @notice The last settled batch; zeros before the first.
    function lastBatch() external view returns (uint64 sequence, bytes32 headerHash, uint256 settledWei);

    /// @notice Reverts unless `header` is the newest final one. Reverts while paused. A pause also stops the clock: what was
    /// not final before it must stand for a whole window after it.
    function requireFinal(TypedData.BatchHeader calldata header) external view;

    /// @notice Hash of the newest final header; zero before there is one.
    function finalHeader() external view returns (bytes32);

    /// @notice Hash of the header that becomes the final one next; zero where there is none. Whoever keeps headers and their
    /// trees for claims must keep those of this one, however many batches come before it is final.
    function candidateHeader() external view returns (bytes32);

    /// @notice Header hash of a settled batch whose sequence is a multiple of 256; zero otherwise.
    function checkpointOf(uint64 sequence) external view returns (bytes32);

    /// @notice The digest that validators sign, which is also the header's hash.
    function hashHeader(TypedData.BatchHeader calldata header) external view returns (bytes32);

    /// @notice The EIP-712 domain of all messages of the protocol.
    function domainSeparator() external view returns (bytes32);

    function pausedUntil() external view returns (uint256);

    /// @notice How long a batch can be challenged, in seconds.
    function challengeSeconds() external view returns (uint24);

    /// @notice Governance only; between `minChallengeSeconds` and 30 days, and less than half of a withdrawal's delay.
    function setChallengeSeconds(uint24 seconds_) external;
}
