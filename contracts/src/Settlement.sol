// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {ISettlement} from "./interfaces/ISettlement.sol";
import {ITaskEscrow} from "./interfaces/ITaskEscrow.sol";
import {IValidatorSets} from "./interfaces/IValidatorSets.sol";
import {Leaves} from "./libraries/Leaves.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title Settlement, as ISettlement documents it
contract Settlement is ISettlement, AccessControl, EIP712 {
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");
    uint256 public constant PAUSE_SECONDS = 72 hours;
    uint64 public constant CHECKPOINT_INTERVAL = 256;

    IValidatorSets public immutable validatorSets;
    ITaskEscrow public immutable escrow;

    /// @dev What each settlement reads and writes beside the two hashes, in one slot.
    struct Head {
        uint64 sequence;
        uint64 pausedUntil;
        uint128 settledWei;
    }

    Head private _head;
    bytes32 private _headerHash;
    bytes32 private _balanceRoot;
    mapping(uint64 sequence => bytes32) private _checkpoints;

    constructor(IValidatorSets validatorSets_, ITaskEscrow escrow_, address admin, address guardian)
        EIP712("Inferium", "1")
    {
        validatorSets = validatorSets_;
        escrow = escrow_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(GUARDIAN_ROLE, guardian);
    }

    /// @inheritdoc ISettlement
    function settle(TypedData.BatchHeader calldata header, uint256 bitmap, bytes calldata signatures) external {
        Head memory head = _head;
        if (block.timestamp < head.pausedUntil) revert IsPaused(head.pausedUntil);
        if (header.sequence != head.sequence + 1) revert WrongSequence(header.sequence, head.sequence + 1);
        if (header.previousHash != _headerHash) revert WrongPreviousHash(header.previousHash, _headerHash);
        _checkTotals(header, head.settledWei);
        bytes32 digest = hashHeader(header);
        validatorSets.verifyLive(digest, header.epoch, bitmap, signatures);

        // The cast is safe: the total is at most what was ever deposited, and 128 bits are a trillion times the supply.
        _head = Head(header.sequence, head.pausedUntil, uint128(header.settledWei));
        _headerHash = digest;
        _balanceRoot = header.balanceRoot;
        if (header.sequence % CHECKPOINT_INTERVAL == 0) _checkpoints[header.sequence] = digest;
        emit Settled(header.sequence, digest, header.taskCount, header.settledWei);
    }

    /// @inheritdoc ISettlement
    function pause() external onlyRole(GUARDIAN_ROLE) {
        uint256 last = _head.pausedUntil;
        uint256 allowedAt = last == 0 ? 0 : last + PAUSE_SECONDS;
        if (block.timestamp < allowedAt) revert PauseTooSoon(allowedAt);
        _head.pausedUntil = uint64(block.timestamp + PAUSE_SECONDS);
        emit Paused(msg.sender, _head.pausedUntil);
    }

    /// @inheritdoc ISettlement
    function unpause() external onlyRole(GUARDIAN_ROLE) {
        if (block.timestamp < _head.pausedUntil) _head.pausedUntil = uint64(block.timestamp);
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc ISettlement
    function verifyTask(TypedData.BatchHeader[] calldata path, Leaves.Task calldata task, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        if (path.length == 0) revert BrokenHeaderChain(0);
        bytes32 last = hashHeader(path[0]);
        for (uint256 i = 1; i < path.length; ++i) {
            if (path[i].previousHash != last) revert BrokenHeaderChain(i);
            last = hashHeader(path[i]);
        }
        uint64 sequence = path[path.length - 1].sequence;
        if (last != _headerHash && last != _checkpoints[sequence]) revert HeaderNotSettled(last);
        return MerkleProof.verifyCalldata(proof, path[0].taskRoot, Leaves.hash(task));
    }

    /// @inheritdoc ISettlement
    function lastBatch() external view returns (uint64 sequence, bytes32 headerHash, uint256 settledWei) {
        return (_head.sequence, _headerHash, _head.settledWei);
    }

    /// @inheritdoc ISettlement
    function claimState() external view returns (bytes32 balanceRoot, uint256 settledWei) {
        Head memory head = _head;
        if (block.timestamp < head.pausedUntil) revert IsPaused(head.pausedUntil);
        return (_balanceRoot, head.settledWei);
    }

    /// @inheritdoc ISettlement
    function checkpointOf(uint64 sequence) external view returns (bytes32) {
        return _checkpoints[sequence];
    }

    /// @inheritdoc ISettlement
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @inheritdoc ISettlement
    function pausedUntil() external view returns (uint256) {
        return _head.pausedUntil;
    }

    /// @inheritdoc ISettlement
    function hashHeader(TypedData.BatchHeader calldata header) public view returns (bytes32) {
        return TypedData.digest(_domainSeparatorV4(), TypedData.hash(header));
    }

    function _checkTotals(TypedData.BatchHeader calldata header, uint256 settledBefore) private view {
        if (header.taskCount == 0) revert EmptyBatch();
        if (header.settledWei < settledBefore) revert SettledDecreased(header.settledWei, settledBefore);
        uint256 deposits = escrow.totalDeposited();
        if (header.settledWei > deposits) revert SettledExceedsDeposits(header.settledWei, deposits);
    }
}
