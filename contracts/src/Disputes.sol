// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Proceeds} from "./Proceeds.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {IValidatorSets} from "./interfaces/IValidatorSets.sol";
import {Evidence} from "./libraries/Evidence.sol";
import {Jury} from "./libraries/Jury.sol";
import {Leaves} from "./libraries/Leaves.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title Disputes, as IDisputes documents it
contract Disputes is IDisputes, Proceeds, AccessControl {
    using SafeERC20 for IERC20;

    bytes32 public constant GUARDIAN_ROLE = keccak256("GUARDIAN_ROLE");
    uint256 public constant MAX_BOND = 1_000_000 ether;
    uint8 public constant VERDICT_RIGHT = 1;
    uint8 public constant VERDICT_WRONG = 2;
    uint256 private constant ALL_BPS = 10_000;
    /// @dev Not the next block, whose producer may be the challenger's.
    uint256 private constant SEED_DISTANCE = 2;
    bytes32 private constant REVEALED = bytes32(type(uint256).max);

    ISettlement public immutable settlement;
    INodeRegistry public immutable registry;
    IValidatorSets public immutable validatorSets;

    Parameters private _parameters;
    mapping(bytes32 id => Dispute) private _disputes;
    mapping(bytes32 id => address[]) private _accused;
    mapping(bytes32 id => address[]) private _juries;
    mapping(bytes32 id => bytes32) private _receipts;
    /// @dev Several disputes may be about one receipt; it is punished once.
    mapping(bytes32 receiptDigest => mapping(address node => bool)) private _isPunished;
    /// @dev Zero before the commitment, REVEALED after the verdict.
    mapping(bytes32 id => mapping(address juror => bytes32)) private _commitments;

    constructor(
        IERC20 token_,
        ISettlement settlement_,
        INodeRegistry registry_,
        IValidatorSets validatorSets_,
        address admin,
        address guardian,
        Parameters memory parameters_
    ) Proceeds(token_) {
        settlement = settlement_;
        registry = registry_;
        validatorSets = validatorSets_;
        _setParameters(parameters_);
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(GUARDIAN_ROLE, guardian);
    }

    /// @inheritdoc IDisputes
    function setParameters(Parameters calldata parameters_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setParameters(parameters_);
    }

    /// @inheritdoc IDisputes
    function open(
        TypedData.Receipt calldata receipt,
        bytes calldata workerSignature,
        uint64 epoch,
        Evidence.SignedVote[] calldata approvals
    ) external returns (bytes32 id) {
        _requireRecent(epoch);
        bytes32 domain = settlement.domainSeparator();
        bytes32 receiptDigest = Evidence.requireSignedByWorker(domain, receipt, workerSignature);
        address[] memory accused = _accuse(receipt, receiptDigest, epoch, approvals);
        id = keccak256(abi.encode(receiptDigest, msg.sender, accused));
        if (_disputes[id].state != State.None) revert AlreadyDisputed(id);
        (_accused[id], _receipts[id]) = (accused, receiptDigest);
        uint128 bond = _parameters.bond;
        Dispute storage dispute = _disputes[id];
        (dispute.challenger, dispute.worker, dispute.bond) = (msg.sender, receipt.worker, bond);
        dispute.state = State.Drawing;
        dispute.seedBlock = uint64(block.number + SEED_DISTANCE);
        emit Opened(id, receipt.taskId, receipt.attempt, receipt.worker, msg.sender);
        token.safeTransferFrom(msg.sender, address(this), bond);
    }

    /// @inheritdoc IDisputes
    function draw(bytes32 id) external {
        Dispute storage dispute = _requireState(id, State.Drawing);
        if (block.number <= dispute.seedBlock) revert SeedNotMined(dispute.seedBlock);
        bytes32 seed = blockhash(dispute.seedBlock);
        if (seed == 0) {
            dispute.seedBlock = uint64(block.number + SEED_DISTANCE);
            return;
        }
        address[] memory eligible = _eligibleFor(id, dispute);
        uint256 size = _parameters.jurySize;
        if (size <= _accused[id].length) size = _accused[id].length + 1;
        if (eligible.length < size) return _close(id, dispute, Ruling.Inconclusive);
        address[] memory jury = Jury.draw(eligible, size, keccak256(abi.encode(seed, id)));
        _juries[id] = jury;
        dispute.state = State.Committing;
        dispute.deadline = uint64(block.timestamp) + _parameters.commitSeconds;
        emit Drawn(id, jury, dispute.deadline);
    }

    /// @inheritdoc IDisputes
    function commit(bytes32 id, bytes32 commitment) external {
        Dispute storage dispute = _requireState(id, State.Committing);
        if (block.timestamp > dispute.deadline) revert TooLate(dispute.deadline);
        if (!Jury.contains(_juries[id], msg.sender)) revert NotAJuror(msg.sender);
        if (commitment == 0 || commitment == REVEALED) revert WrongCommitment(msg.sender);
        if (_commitments[id][msg.sender] != 0) revert AlreadyVoted(msg.sender);
        _commitments[id][msg.sender] = commitment;
        emit Committed(id, msg.sender);
        // Nobody is left who could learn from what is revealed.
        if (++dispute.committed == _juries[id].length) _beginReveal(dispute, block.timestamp);
    }

    /// @inheritdoc IDisputes
    function reveal(bytes32 id, uint8 verdict, bytes32 salt) external {
        Dispute storage dispute = _disputes[id];
        if (dispute.state == State.Committing && block.timestamp > dispute.deadline) {
            _beginReveal(dispute, dispute.deadline);
        }
        _requireState(id, State.Revealing);
        if (block.timestamp > dispute.deadline) revert TooLate(dispute.deadline);
        if (verdict != VERDICT_RIGHT && verdict != VERDICT_WRONG) revert InvalidVerdict(verdict);
        bytes32 commitment = _commitments[id][msg.sender];
        if (commitment == REVEALED) revert AlreadyVoted(msg.sender);
        if (commitment == 0 || commitment != keccak256(abi.encode(id, msg.sender, verdict, salt))) {
            revert WrongCommitment(msg.sender);
        }
        _commitments[id][msg.sender] = REVEALED;
        if (verdict == VERDICT_WRONG) dispute.overturn += 1;
        else dispute.uphold += 1;
        emit Revealed(id, msg.sender, verdict);
    }

    /// @inheritdoc IDisputes
    function rule(bytes32 id) external {
        Dispute storage dispute = _disputes[id];
        if (dispute.state != State.Committing) _requireState(id, State.Revealing);
        uint256 jurors = _juries[id].length;
        uint256 end = dispute.deadline;
        if (dispute.state == State.Committing) end += _parameters.revealSeconds;
        bool allRevealed = dispute.overturn + dispute.uphold == jurors;
        if (!allRevealed && block.timestamp <= end) revert TooEarly(end + 1);
        Ruling ruling = Ruling.Inconclusive;
        if (uint256(dispute.overturn) * 2 > jurors) ruling = Ruling.Overturned;
        else if (uint256(dispute.uphold) * 2 > jurors) ruling = Ruling.Upheld;
        dispute.state = State.Ruled;
        dispute.ruling = ruling;
        dispute.deadline = uint64(block.timestamp) + _parameters.vetoSeconds;
        emit Ruled(id, ruling, dispute.deadline);
    }

    /// @inheritdoc IDisputes
    function veto(bytes32 id) external onlyRole(GUARDIAN_ROLE) {
        Dispute storage dispute = _requireState(id, State.Ruled);
        if (block.timestamp > dispute.deadline) revert TooLate(dispute.deadline);
        emit Vetoed(id, msg.sender);
        _close(id, dispute, Ruling.Vetoed);
    }

    /// @inheritdoc IDisputes
    function execute(bytes32 id) external {
        Dispute storage dispute = _requireState(id, State.Ruled);
        if (block.timestamp <= dispute.deadline) revert TooEarly(uint256(dispute.deadline) + 1);
        if (dispute.ruling == Ruling.Overturned) _punish(id, dispute);
        _close(id, dispute, dispute.ruling);
    }

    /// @inheritdoc IDisputes
    function disputeOf(bytes32 id) external view returns (Dispute memory) {
        return _disputes[id];
    }

    /// @inheritdoc IDisputes
    function accusedOf(bytes32 id) external view returns (address[] memory) {
        return _accused[id];
    }

    /// @inheritdoc IDisputes
    function juryOf(bytes32 id) external view returns (address[] memory) {
        return _juries[id];
    }

    /// @inheritdoc IDisputes
    function parameters() external view returns (Parameters memory) {
        return _parameters;
    }

    function _setParameters(Parameters memory p) private {
        if (p.bond == 0 || p.bond > MAX_BOND || p.jurySize < 2 || p.jurySize > 32) revert InvalidParameter();
        if (p.commitSeconds > 7 days || p.revealSeconds > 7 days || p.vetoSeconds > 14 days) revert InvalidParameter();
        if (p.commitSeconds == 0 || p.revealSeconds == 0 || p.evidenceSeconds > 60 days) revert InvalidParameter();
        if (p.workerBps == 0 || p.workerBps > 5_000) revert InvalidParameter();
        _parameters = p;
        emit ParametersChanged(p);
    }

    /// @return accused who approved, each with its signed vote
    function _accuse(
        TypedData.Receipt calldata receipt,
        bytes32 receiptDigest,
        uint64 epoch,
        Evidence.SignedVote[] calldata approvals
    ) private view returns (address[] memory accused) {
        if (approvals.length == 0) revert NobodyAccused();
        accused = new address[](approvals.length);
        bytes32 domain = settlement.domainSeparator();
        address previous = address(0);
        for (uint256 i = 0; i < approvals.length; ++i) {
            address validator = approvals[i].validator;
            if (validator <= previous) revert NotAscending(previous, validator);
            if (!validatorSets.isMember(epoch, validator)) revert NotAValidator(validator, epoch);
            Evidence.requireVote(domain, receipt, receiptDigest, Leaves.VERDICT_ACCEPT, approvals[i]);
            accused[i] = validator;
            previous = validator;
        }
    }

    /// @param from end of the time to commit
    function _beginReveal(Dispute storage dispute, uint256 from) private {
        dispute.state = State.Revealing;
        dispute.deadline = uint64(from) + _parameters.revealSeconds;
    }

    /// @dev The bond goes back, or is burnt where the jury found nothing wrong.
    function _close(bytes32 id, Dispute storage dispute, Ruling ruling) private {
        dispute.state = State.Closed;
        dispute.ruling = ruling;
        if (ruling == Ruling.Upheld) _burnLater(dispute.bond);
        else _owe(dispute.challenger, dispute.bond);
        emit Executed(id, ruling);
    }

    /// @dev A stake that is gone already does not keep the others from being taken.
    function _punish(bytes32 id, Dispute storage dispute) private {
        address[] memory accused = _accused[id];
        bool isJudge = validatorSets.isMember(validatorSets.epoch(), dispute.challenger);
        address reporter = isJudge ? address(0) : dispute.challenger;
        for (uint256 i = 0; i < accused.length; ++i) {
            _slash(accused[i], INodeRegistry.Role.Validator, ALL_BPS, id, reporter);
        }
        validatorSets.remove(accused);
        _slash(dispute.worker, INodeRegistry.Role.Worker, _parameters.workerBps, id, reporter);
    }

    function _slash(address node, INodeRegistry.Role role, uint256 bps, bytes32 id, address reporter) private {
        bool isGone = registry.nodeOf(node).role != role || registry.stakeOf(node) * bps < ALL_BPS;
        if (isGone || _isPunished[_receipts[id]][node]) return;
        _isPunished[_receipts[id]][node] = true;
        registry.slash(node, role, bps, id, reporter);
    }

    /// @dev Members of the current set that are bonded, not accused, and share no owner with the worker, an accused or the
    /// challenger.
    function _eligibleFor(bytes32 id, Dispute storage dispute) private view returns (address[] memory eligible) {
        address[] memory members = validatorSets.validatorsOf(validatorSets.epoch());
        address[] memory accused = _accused[id];
        eligible = new address[](members.length);
        uint256 count = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            address owner = registry.nodeOf(members[i]).owner;
            bool isOut = !registry.isActive(members[i], INodeRegistry.Role.Validator) || owner == dispute.challenger
                || members[i] == dispute.challenger || owner == registry.nodeOf(dispute.worker).owner;
            for (uint256 j = 0; j < accused.length && !isOut; ++j) {
                isOut = members[i] == accused[j] || owner == registry.nodeOf(accused[j]).owner;
            }
            if (!isOut) eligible[count++] = members[i];
        }
        assembly ("memory-safe") {
            mstore(eligible, count)
        }
    }

    function _requireRecent(uint64 epoch) private view {
        uint256 retiredAt = validatorSets.retiredAt(epoch);
        if (retiredAt != 0 && block.timestamp > retiredAt + _parameters.evidenceSeconds) {
            revert EvidenceTooOld(epoch, retiredAt);
        }
    }

    function _requireState(bytes32 id, State wanted) private view returns (Dispute storage dispute) {
        dispute = _disputes[id];
        if (dispute.state != wanted) revert WrongState(dispute.state, wanted);
    }
}
