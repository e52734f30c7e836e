// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Finality} from "./Finality.sol";
import {IFaultRegistry} from "./interfaces/IFaultRegistry.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {ITaskEscrow} from "./interfaces/ITaskEscrow.sol";
import {IValidatorSets} from "./interfaces/IValidatorSets.sol";
import {Certificates} from "./libraries/Certificates.sol";
import {Leaves} from "./libraries/Leaves.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title Settlement, as ISettlement documents it
/// @notice A settlement writes two slots, the head and the header's hash, and reads a third: what ValidatorSets tells when an
/// epoch begins and the escrow when it is asked, so that neither is called for an ordinary batch.
contract Settlement is Finality, EIP712 {
    using SafeCast for uint256;

    uint64 public constant CHECKPOINT_INTERVAL = 256;

    IValidatorSets public immutable validatorSets;
    IFaultRegistry public immutable faults;

    /// @dev What ValidatorSets and TaskEscrow have told, in one slot: asking both at each settlement would cost as much as two
    /// signatures. `coveredUnits` is a lower bound of the deposits that are held.
    struct Told {
        uint32 epoch;
        uint64 coveredUnits;
        address store;
    }

    /// @dev 2 ** 32 base units: so little is no loss, and 64 bits of it are more than any token's supply.
    uint256 private constant COVERED_UNIT_BITS = 32;

    Told private _told;
    mapping(uint64 sequence => bytes32) private _checkpoints;

    constructor(
        IValidatorSets validatorSets_,
        ITaskEscrow escrow_,
        IFaultRegistry faults_,
        address admin,
        address guardian,
        uint24 challengeSeconds_
    ) Finality(escrow_, admin, guardian, challengeSeconds_) EIP712("Inferium", "1") {
        validatorSets = validatorSets_;
        faults = faults_;
        uint64 epoch = validatorSets_.epoch();
        (_told.epoch, _told.store) = (uint256(epoch).toUint32(), validatorSets_.liveStoreOf(epoch));
    }

    /// @inheritdoc ISettlement
    function settle(TypedData.BatchHeader calldata header, uint256 bitmap, bytes calldata signatures) external {
        Head memory head = _head;
        bytes32 last = _headHash;
        if (block.timestamp < head.pausedUntil) revert IsPaused(head.pausedUntil);
        if (header.sequence != uint256(head.sequence) + 1) revert WrongSequence(header.sequence, head.sequence + 1);
        if (header.previousHash != last) revert WrongPreviousHash(header.previousHash, last);
        Told memory told = _told;
        _checkTotals(header, head.settledWei, uint256(told.coveredUnits) << COVERED_UNIT_BITS);
        bytes32 digest = hashHeader(header);
        address store = header.epoch == told.epoch ? told.store : validatorSets.liveStoreOf(header.epoch);
        Certificates.verify(digest, store, bitmap, signatures);

        _advanceFinality(head, last, digest);
        head.sequence += 1;
        head.settledAt = uint32(block.timestamp);
        head.settledWei = header.settledWei.toUint104();
        _head = head;
        _headHash = digest;
        if (header.sequence % CHECKPOINT_INTERVAL == 0) _checkpoints[header.sequence] = digest;
        emit Settled(header.sequence, digest);
    }

    /// @inheritdoc ISettlement
    function rollBack(TypedData.BatchHeader calldata parent, TypedData.BatchHeader[] calldata path) external {
        if (path.length == 0) revert BrokenHeaderChain(0);
        bytes32 faulty = hashHeader(path[0]);
        if (!faults.isFaultyHeader(faulty)) revert HeaderNotFaulty(faulty);
        Head memory head = _head;
        bytes32 finalHash = _finalOf(head);
        bytes32 candidate = _candidateHash;
        bool losesCandidate = false;
        bool isSignedAgain = false;
        bytes32 last = path[0].previousHash;
        for (uint256 i = 0; i < path.length; ++i) {
            if (path[i].previousHash != last) revert BrokenHeaderChain(i);
            if (validatorSets.isLive(path[i].epoch)) isSignedAgain = true;
            last = hashHeader(path[i]);
            if (last == finalHash) revert HeaderIsFinal(last);
            if (last == candidate) losesCandidate = true;
            if (path[i].sequence % CHECKPOINT_INTERVAL == 0) delete _checkpoints[path[i].sequence];
        }
        if (last != _headHash) revert HeaderNotSettled(last);
        _restore(head, parent, path[0].previousHash, losesCandidate);
        emit RolledBack(head.sequence, path[0].previousHash, path.length);
        // Who signs these numbers again in the same epoch would be found to equivocate.
        if (isSignedAgain) validatorSets.renew();
    }

    /// @inheritdoc ISettlement
    function followEpoch(uint64 epoch, address store) external {
        if (msg.sender != address(validatorSets)) revert NotValidatorSets(msg.sender);
        (_told.epoch, _told.store) = (uint256(epoch).toUint32(), store);
    }

    /// @inheritdoc ISettlement
    function uncover() external {
        if (msg.sender != address(escrow)) revert NotEscrow(msg.sender);
        _told.coveredUnits = 0;
    }

    /// @inheritdoc ISettlement
    function verifyTask(TypedData.BatchHeader[] calldata path, Leaves.Task calldata task, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        requireSettled(path);
        return MerkleProof.verifyCalldata(proof, path[0].taskRoot, Leaves.hash(task));
    }

    /// @inheritdoc ISettlement
    function requireSettled(TypedData.BatchHeader[] calldata path) public view {
        if (path.length == 0) revert BrokenHeaderChain(0);
        bytes32 last = hashHeader(path[0]);
        for (uint256 i = 1; i < path.length; ++i) {
            if (path[i].previousHash != last) revert BrokenHeaderChain(i);
            last = hashHeader(path[i]);
        }
        uint64 sequence = path[path.length - 1].sequence;
        if (last != _headHash && last != _checkpoints[sequence]) revert HeaderNotSettled(last);
    }

    /// @inheritdoc ISettlement
    function requireFinal(TypedData.BatchHeader calldata header) external view {
        Head memory head = _head;
        if (block.timestamp < head.pausedUntil) revert IsPaused(head.pausedUntil);
        bytes32 given = hashHeader(header);
        bytes32 finalHash = _finalOf(head);
        if (given != finalHash) revert HeaderNotFinal(given, finalHash);
    }

    /// @inheritdoc ISettlement
    function lastBatch() external view returns (uint64 sequence, bytes32 headerHash, uint256 settledWei) {
        return (_head.sequence, _headHash, _head.settledWei);
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
    function hashHeader(TypedData.BatchHeader calldata header) public view returns (bytes32) {
        return TypedData.digest(_domainSeparatorV4(), TypedData.hash(header));
    }

    /// @dev Back to `parent`, which is the header before the faulty one, or nothing where that was the first.
    function _restore(Head memory head, TypedData.BatchHeader calldata parent, bytes32 parentHash, bool losesCandidate)
        private
    {
        bool isFirst = parentHash == 0;
        if (!isFirst && hashHeader(parent) != parentHash) revert WrongPreviousHash(hashHeader(parent), parentHash);
        head.sequence = isFirst ? 0 : uint256(parent.sequence).toUint32();
        head.settledWei = isFirst ? 0 : parent.settledWei.toUint104();
        head.settledAt = uint32(block.timestamp);
        if (losesCandidate) {
            _candidateHash = parentHash;
            head.candidateAt = isFirst ? 0 : uint32(block.timestamp);
        }
        _head = head;
        _headHash = parentHash;
    }

    /// @dev The escrow is asked where what it told before does not cover the batch, and its answer kept.
    function _checkTotals(TypedData.BatchHeader calldata header, uint256 settledBefore, uint256 covered) private {
        if (header.taskCount == 0) revert EmptyBatch();
        if (header.settledWei < settledBefore) revert SettledDecreased(header.settledWei, settledBefore);
        if (header.settledWei <= covered) return;
        uint256 held = escrow.totalHeld();
        if (header.settledWei > held) revert SettledExceedsDeposits(header.settledWei, held);
        uint256 units = held >> COVERED_UNIT_BITS;
        _told.coveredUnits = units > type(uint64).max ? type(uint64).max : uint64(units);
    }
}
