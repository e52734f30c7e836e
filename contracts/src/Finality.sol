// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {ISettlement} from "./interfaces/ISettlement.sol";
import {ITaskEscrow} from "./interfaces/ITaskEscrow.sol";

/// @title Finality of settled headers: which one no proof of a fault can take back any more
/// @notice Followed by two hashes beside the last header's, which change at most once in a challenge window: the *candidate*, and the
/// *final* header that it becomes when the window has passed. So a batch is final between one and two windows after it was
/// settled. The guardian can stop the clock for a while; governance chooses the window.
abstract contract Finality is ISettlement, AccessControl {
    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");
    uint256 public constant PAUSE_SECONDS = 72 hours;
    uint256 public constant MAX_CHALLENGE_SECONDS = 30 days;

    ITaskEscrow public immutable escrow;
    /// @notice Smallest window that governance may choose.
    uint24 public immutable minChallengeSeconds;

    /// @dev What each settlement reads and writes beside the hash, in one slot. Seconds in 32 bits last until 2106.
    struct Head {
        uint32 sequence;
        uint32 settledAt;
        uint32 candidateAt;
        uint32 pausedUntil;
        uint24 challengeSeconds;
        uint104 settledWei;
    }

    Head internal _head;
    bytes32 internal _headHash;
    bytes32 internal _candidateHash;
    bytes32 private _finalHash;

    constructor(ITaskEscrow escrow_, address admin, address guardian, uint24 challengeSeconds_) {
        escrow = escrow_;
        // A trial's window may be seconds; then governance can go as low again, and never lower.
        minChallengeSeconds = challengeSeconds_ < 1 hours ? challengeSeconds_ : 1 hours;
        _setChallengeSeconds(challengeSeconds_);
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(GUARDIAN_ROLE, guardian);
    }

    /// @inheritdoc ISettlement
    function pause() external onlyRole(GUARDIAN_ROLE) {
        uint256 last = _head.pausedUntil;
        uint256 allowedAt = last == 0 ? 0 : last + PAUSE_SECONDS + escrow.withdrawalDelay();
        if (block.timestamp < allowedAt) revert PauseTooSoon(allowedAt);
        _keepFinality();
        _head.pausedUntil = uint32(block.timestamp + PAUSE_SECONDS);
        emit Paused(msg.sender, _head.pausedUntil);
    }

    /// @inheritdoc ISettlement
    function unpause() external onlyRole(GUARDIAN_ROLE) {
        if (block.timestamp < _head.pausedUntil) _head.pausedUntil = uint32(block.timestamp);
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc ISettlement
    function setChallengeSeconds(uint24 seconds_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setChallengeSeconds(seconds_);
    }

    /// @inheritdoc ISettlement
    function finalHeader() external view returns (bytes32) {
        return _finalOf(_head);
    }

    /// @inheritdoc ISettlement
    function candidateHeader() external view returns (bytes32) {
        return _candidateHash;
    }

    /// @inheritdoc ISettlement
    function pausedUntil() external view returns (uint256) {
        return _head.pausedUntil;
    }

    /// @inheritdoc ISettlement
    function challengeSeconds() external view returns (uint24) {
        return _head.challengeSeconds;
    }

    /// @dev The two hashes of finality, before `digest` becomes the last header. Changes `head` in memory.
    function _advanceFinality(Head memory head, bytes32 last, bytes32 digest) internal {
        if (last != 0 && _isMature(head, head.settledAt)) {
            (_finalHash, _candidateHash, head.candidateAt) = (last, digest, uint32(block.timestamp));
        } else if (head.candidateAt == 0) {
            (_candidateHash, head.candidateAt) = (digest, uint32(block.timestamp));
        } else if (_isMature(head, head.candidateAt)) {
            (_finalHash, _candidateHash, head.candidateAt) = (_candidateHash, last, head.settledAt);
        }
    }

    /// @dev Writes down what is final by now, before a change of the clock that would undo it: claims may have paid from it.
    function _keepFinality() private {
        Head memory head = _head;
        bytes32 finalHash = _finalOf(head);
        if (finalHash == _finalHash) return;
        bool isLast = finalHash == _headHash;
        _finalHash = finalHash;
        _candidateHash = isLast ? bytes32(0) : _headHash;
        _head.candidateAt = isLast ? 0 : head.settledAt;
    }

    /// @dev The newest header whose window has passed, whether or not a later settlement has written it down.
    function _finalOf(Head memory head) internal view returns (bytes32) {
        if (_isMature(head, head.settledAt)) return _headHash;
        if (head.candidateAt != 0 && _isMature(head, head.candidateAt)) return _candidateHash;
        return _finalHash;
    }

    /// @dev A pause stops the clock: what was not final before must stand for a whole window after it.
    function _isMature(Head memory head, uint32 since) private view returns (bool) {
        uint256 from = since > head.pausedUntil ? since : head.pausedUntil;
        return block.timestamp >= from + head.challengeSeconds;
    }

    function _setChallengeSeconds(uint24 seconds_) private {
        if (seconds_ < minChallengeSeconds || seconds_ > MAX_CHALLENGE_SECONDS) {
            revert InvalidChallengeSeconds(seconds_);
        }
        // What was spent must become final, and so provable, before its requester can be gone with it.
        if (uint256(seconds_) * 2 >= escrow.withdrawalDelay()) revert InvalidChallengeSeconds(seconds_);
        _keepFinality();
        _head.challengeSeconds = seconds_;
        emit ChallengeSecondsChanged(seconds_);
    }
}
