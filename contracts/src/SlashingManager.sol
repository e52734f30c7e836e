// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {IFaultRegistry} from "./interfaces/IFaultRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {ISlashingManager} from "./interfaces/ISlashingManager.sol";
import {IValidatorSets} from "./interfaces/IValidatorSets.sol";
import {Evidence} from "./libraries/Evidence.sol";
import {Leaves} from "./libraries/Leaves.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title SlashingManager, as ISlashingManager documents it
contract SlashingManager is ISlashingManager, AccessControl {
    bytes32 public constant REJECTED = "rejected";
    bytes32 public constant MISSED = "missed";
    bytes32 public constant CONTRADICTION = "contradiction";
    bytes32 public constant HEADERS = "headers";
    bytes32 public constant VOTES = "votes";
    bytes32 public constant SIGNED = "signed";
    uint256 public constant REPORT_SECONDS = 1 days;
    uint256 private constant ALL_BPS = 10_000;

    ISettlement public immutable settlement;
    INodeRegistry public immutable registry;
    IValidatorSets public immutable validatorSets;

    Parameters private _parameters;
    mapping(bytes32 faultId => bool) public isSlashed;
    /// @inheritdoc IFaultRegistry
    mapping(bytes32 headerHash => bool) public isFaultyHeader;
    /// @dev Whether `first` settles a task that the header settles again. Several may.
    mapping(bytes32 headerHash => mapping(bytes32 first => bool)) private _settlesAgain;
    mapping(bytes32 commitment => uint256) private _committedAt;

    constructor(
        ISettlement settlement_,
        INodeRegistry registry_,
        IValidatorSets validatorSets_,
        address admin,
        Parameters memory parameters_
    ) {
        settlement = settlement_;
        registry = registry_;
        validatorSets = validatorSets_;
        _setParameters(parameters_);
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc ISlashingManager
    function setParameters(Parameters calldata parameters_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setParameters(parameters_);
    }

    /// @inheritdoc ISlashingManager
    function commitReport(bytes32 commitment) external {
        // Kept while it counts: else anybody could push another's commitment back by repeating it.
        if (block.timestamp > _committedAt[commitment] + REPORT_SECONDS) _committedAt[commitment] = block.timestamp;
        emit ReportCommitted(msg.sender, commitment);
    }

    /// @inheritdoc ISlashingManager
    function slashRejected(
        TypedData.Receipt calldata receipt,
        bytes calldata workerSignature,
        uint64 epoch,
        Evidence.SignedVote[] calldata rejections
    ) external {
        if (rejections.length < _parameters.rejectQuorum) {
            revert TooFewRejections(rejections.length, _parameters.rejectQuorum);
        }
        _requireRecent(epoch);
        bytes32 domain = settlement.domainSeparator();
        bytes32 receiptDigest = Evidence.requireSignedByWorker(domain, receipt, workerSignature);
        address previous = address(0);
        for (uint256 i = 0; i < rejections.length; ++i) {
            address validator = rejections[i].validator;
            if (validator <= previous) revert NotAscending(previous, validator);
            if (!validatorSets.isMember(epoch, validator)) revert NotAValidator(validator, epoch);
            Evidence.requireVote(domain, receipt, receiptDigest, Leaves.VERDICT_REJECT, rejections[i]);
            previous = validator;
        }
        bytes32 faultId = _markOnce(faultIdOf(REJECTED, receipt.taskId, receipt.attempt, receipt.worker));
        address reporter = _reporterOf(faultId, epoch);
        uint256 amount =
            registry.slash(receipt.worker, INodeRegistry.Role.Worker, _parameters.rejectedBps, faultId, reporter);
        emit RejectedSlashed(receipt.taskId, receipt.attempt, receipt.worker, amount);
    }

    /// @inheritdoc ISlashingManager
    function slashMissed(
        TypedData.BatchHeader[] calldata path,
        Leaves.Missed calldata missed,
        bytes32[] calldata proof,
        bytes calldata signature
    ) external {
        settlement.requireSettled(path);
        if (!MerkleProof.verifyCalldata(proof, path[0].taskRoot, Leaves.hash(missed))) {
            revert NotInBatch(missed.taskId, missed.attempt);
        }
        Evidence.requireClaim(settlement.domainSeparator(), missed, signature);
        bytes32 faultId = _markOnce(faultIdOf(MISSED, missed.taskId, missed.attempt, missed.worker));
        // Without a reporter's share: who hides receipts must not earn by it.
        uint256 amount =
            registry.slash(missed.worker, INodeRegistry.Role.Worker, _parameters.missedBps, faultId, address(0));
        emit MissedSlashed(missed.taskId, missed.attempt, missed.worker, amount);
    }

    /// @inheritdoc ISlashingManager
    function proveContradiction(
        TypedData.Receipt calldata receiptA,
        bytes calldata signatureA,
        TypedData.Receipt calldata receiptB,
        bytes calldata signatureB
    ) external {
        bool sameAttempt = receiptA.taskId == receiptB.taskId && receiptA.attempt == receiptB.attempt
            && receiptA.worker == receiptB.worker;
        if (!sameAttempt) revert NoContradiction();
        if (_claimOf(receiptA) == _claimOf(receiptB)) revert SameReceipt();
        bytes32 domain = settlement.domainSeparator();
        Evidence.requireSignedByWorker(domain, receiptA, signatureA);
        Evidence.requireSignedByWorker(domain, receiptB, signatureB);
        address worker = receiptA.worker;
        bytes32 faultId = _markOnce(faultIdOf(CONTRADICTION, receiptA.taskId, receiptA.attempt, worker));
        uint256 amount = _ban(worker, INodeRegistry.Role.Worker, faultId);
        emit ContradictionProven(receiptA.taskId, receiptA.attempt, worker, amount);
    }

    /// @inheritdoc ISlashingManager
    function proveHeaderEquivocation(address validator, SignedHeader calldata a, SignedHeader calldata b) external {
        bytes32 hashA = settlement.hashHeader(a.header);
        bytes32 hashB = settlement.hashHeader(b.header);
        bool isOneNumber = a.header.sequence == b.header.sequence && a.header.epoch == b.header.epoch;
        if (!isOneNumber || hashA == hashB) revert NoEquivocation();
        Evidence.requireSignedByValidator(hashA, validator, a.signature);
        Evidence.requireSignedByValidator(hashB, validator, b.signature);
        bytes32 subject = keccak256(abi.encode(a.header.epoch, a.header.sequence));
        _expel(validatorFaultIdOf(HEADERS, subject, validator), validator);
    }

    /// @inheritdoc ISlashingManager
    function proveVoteEquivocation(
        address validator,
        bytes32 validationId,
        bytes32 votesRootA,
        bytes calldata signatureA,
        bytes32 votesRootB,
        bytes calldata signatureB
    ) external {
        if (votesRootA == votesRootB) revert NoEquivocation();
        Evidence.requireSignedByValidator(_attestation(validationId, votesRootA, validator), validator, signatureA);
        Evidence.requireSignedByValidator(_attestation(validationId, votesRootB, validator), validator, signatureB);
        _expel(validatorFaultIdOf(VOTES, validationId, validator), validator);
    }

    /// @inheritdoc ISlashingManager
    function proveDoubleSettlement(
        TypedData.BatchHeader[] calldata path,
        SettledTask calldata first,
        SettledTask calldata second
    ) external {
        if (path.length == 0) revert BrokenHeaderChain(0);
        bytes32 last = settlement.hashHeader(path[0]);
        for (uint256 i = 1; i < path.length; ++i) {
            if (path[i].previousHash != last) revert BrokenHeaderChain(i);
            last = settlement.hashHeader(path[i]);
        }
        // In one header the same leaf twice is the same place; only two leaves are two settlements.
        bool isOnePlace = path.length == 1 && Leaves.hash(first.task) == Leaves.hash(second.task);
        if (first.task.taskId != second.task.taskId || isOnePlace) revert NoDoubleSettlement();
        _requireIn(path[0].taskRoot, first);
        _requireIn(path[path.length - 1].taskRoot, second);
        isFaultyHeader[last] = true;
        _settlesAgain[last][settlement.hashHeader(path[0])] = true;
        emit DoubleSettlementProven(last, first.task.taskId);
    }

    /// @inheritdoc ISlashingManager
    function slashSigner(address validator, SignedHeader calldata first, SignedHeader calldata second) external {
        bytes32 headerHash = settlement.hashHeader(second.header);
        bytes32 firstHash = settlement.hashHeader(first.header);
        if (!_settlesAgain[headerHash][firstHash]) revert HeaderNotFaulty(headerHash);
        Evidence.requireSignedByValidator(firstHash, validator, first.signature);
        Evidence.requireSignedByValidator(headerHash, validator, second.signature);
        uint256 amount = _expel(validatorFaultIdOf(SIGNED, headerHash, validator), validator);
        emit SignerSlashed(headerHash, validator, amount);
    }

    /// @inheritdoc ISlashingManager
    function parameters() external view returns (Parameters memory) {
        return _parameters;
    }

    /// @inheritdoc ISlashingManager
    function faultIdOf(bytes32 kind, bytes32 taskId, uint32 attempt, address worker) public pure returns (bytes32) {
        return keccak256(abi.encode(kind, taskId, attempt, worker));
    }

    /// @inheritdoc ISlashingManager
    function validatorFaultIdOf(bytes32 kind, bytes32 subject, address validator) public pure returns (bytes32) {
        return keccak256(abi.encode(kind, subject, validator));
    }

    function _setParameters(Parameters memory p) private {
        if (p.rejectQuorum < 2 || p.rejectQuorum > 64) revert InvalidParameter();
        if (p.rejectedBps == 0 || p.rejectedBps > 5_000) revert InvalidParameter();
        if (p.missedBps == 0 || p.missedBps > 500) revert InvalidParameter();
        if (p.evidenceSeconds > 60 days) revert InvalidParameter();
        _parameters = p;
        emit ParametersChanged(p);
    }

    function _markOnce(bytes32 faultId) private returns (bytes32) {
        if (isSlashed[faultId]) revert AlreadySlashed(faultId);
        isSlashed[faultId] = true;
        return faultId;
    }

    /// @dev A validator loses everything, its seat and its right to come back.
    function _expel(bytes32 faultId, address validator) private returns (uint256 amount) {
        amount = _ban(validator, INodeRegistry.Role.Validator, _markOnce(faultId));
        address[] memory expelled = new address[](1);
        expelled[0] = validator;
        validatorSets.remove(expelled);
        emit ValidatorExpelled(faultId, validator, amount);
    }

    /// @dev Who has nothing left is banned all the same.
    function _ban(address node, INodeRegistry.Role role, bytes32 faultId) private returns (uint256 amount) {
        if (registry.nodeOf(node).role == role && registry.stakeOf(node) > 0) {
            amount = registry.slash(node, role, ALL_BPS, faultId, _reporterOf(faultId, validatorSets.epoch()));
        }
        if (registry.stateOf(node) != INodeRegistry.State.Disqualified) registry.disqualify(node, faultId);
    }

    /// @dev A validator judges, so it must not earn by the judgement; who has not committed first earns nothing either.
    function _reporterOf(bytes32 faultId, uint64 epoch) private view returns (address) {
        uint256 committedAt = _committedAt[keccak256(abi.encode(msg.sender, faultId))];
        bool isEarlier = committedAt != 0 && committedAt < block.timestamp;
        if (!isEarlier || block.timestamp > committedAt + REPORT_SECONDS) return address(0);
        return validatorSets.isMember(epoch, msg.sender) ? address(0) : msg.sender;
    }

    /// @dev Validators that left long ago have no stake that would make them tell the truth.
    function _requireRecent(uint64 epoch) private view {
        uint256 retiredAt = validatorSets.retiredAt(epoch);
        if (retiredAt != 0 && block.timestamp > retiredAt + _parameters.evidenceSeconds) {
            revert EvidenceTooOld(epoch, retiredAt);
        }
    }

    function _attestation(bytes32 validationId, bytes32 votesRoot, address validator) private view returns (bytes32) {
        TypedData.Attestation memory attestation = TypedData.Attestation(validationId, votesRoot, validator);
        return TypedData.digest(settlement.domainSeparator(), TypedData.hash(attestation));
    }

    function _requireIn(bytes32 taskRoot, SettledTask calldata settled) private pure {
        if (!MerkleProof.verifyCalldata(settled.proof, taskRoot, Leaves.hash(settled.task))) {
            revert NoDoubleSettlement();
        }
    }

    /// @dev What a receipt says about the work, without when it was done.
    function _claimOf(TypedData.Receipt calldata receipt) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                receipt.modelDigest,
                receipt.imageDigest,
                receipt.codeDigest,
                receipt.inputDigest,
                receipt.outputDigest,
                receipt.runtime
            )
        );
    }
}
