// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {ISlashingManager} from "./interfaces/ISlashingManager.sol";
import {IValidatorSets} from "./interfaces/IValidatorSets.sol";
import {Leaves} from "./libraries/Leaves.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title SlashingManager, as ISlashingManager documents it
contract SlashingManager is ISlashingManager {
    bytes32 public constant REJECTED = "rejected";
    bytes32 public constant CONTRADICTION = "contradiction";
    uint256 private constant ALL_BPS = 10_000;

    ISettlement public immutable settlement;
    INodeRegistry public immutable registry;
    IValidatorSets public immutable validatorSets;
    uint8 public immutable rejectQuorum;
    uint16 public immutable rejectedBps;
    uint64 public immutable evidenceSeconds;

    mapping(bytes32 faultId => bool) public isSlashed;

    constructor(
        ISettlement settlement_,
        INodeRegistry registry_,
        IValidatorSets validatorSets_,
        Parameters memory parameters
    ) {
        if (parameters.rejectQuorum < 2 || parameters.rejectQuorum > 64) {
            revert InvalidParameter();
        }
        if (parameters.rejectedBps == 0 || parameters.rejectedBps > 5_000) revert InvalidParameter();
        if (parameters.evidenceSeconds > 60 days) revert InvalidParameter();
        settlement = settlement_;
        registry = registry_;
        validatorSets = validatorSets_;
        rejectQuorum = parameters.rejectQuorum;
        rejectedBps = parameters.rejectedBps;
        evidenceSeconds = parameters.evidenceSeconds;
    }

    /// @inheritdoc ISlashingManager
    function slashRejected(
        TypedData.Receipt calldata receipt,
        bytes calldata workerSignature,
        uint64 epoch,
        Rejection[] calldata rejections
    ) external {
        if (rejections.length < rejectQuorum) revert TooFewRejections(rejections.length, rejectQuorum);
        _requireRecent(epoch);
        bytes32 domain = settlement.domainSeparator();
        bytes32 receiptDigest = _requireSignedByWorker(domain, receipt, workerSignature);
        address previous = address(0);
        for (uint256 i = 0; i < rejections.length; ++i) {
            address validator = rejections[i].validator;
            if (validator <= previous) revert NotAscending(previous, validator);
            if (!validatorSets.isMember(epoch, validator)) revert NotAValidator(validator, epoch);
            _requireRejects(domain, receipt, receiptDigest, rejections[i]);
            previous = validator;
        }
        bytes32 faultId = _markOnce(REJECTED, receipt);
        uint256 amount =
            registry.slash(receipt.worker, INodeRegistry.Role.Worker, rejectedBps, faultId, _reporterOrNone(epoch));
        emit RejectedSlashed(receipt.taskId, receipt.attempt, receipt.worker, amount);
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
        _requireSignedByWorker(domain, receiptA, signatureA);
        _requireSignedByWorker(domain, receiptB, signatureB);
        bytes32 faultId = _markOnce(CONTRADICTION, receiptA);
        address worker = receiptA.worker;
        uint256 amount = _slashAll(worker, faultId);
        if (registry.stateOf(worker) != INodeRegistry.State.Disqualified) registry.disqualify(worker, faultId);
        emit ContradictionProven(receiptA.taskId, receiptA.attempt, worker, amount);
    }

    /// @inheritdoc ISlashingManager
    function faultIdOf(bytes32 kind, bytes32 taskId, uint32 attempt, address worker) public pure returns (bytes32) {
        return keccak256(abi.encode(kind, taskId, attempt, worker));
    }

    function _markOnce(bytes32 kind, TypedData.Receipt calldata receipt) private returns (bytes32 faultId) {
        faultId = faultIdOf(kind, receipt.taskId, receipt.attempt, receipt.worker);
        if (isSlashed[faultId]) revert AlreadySlashed(faultId);
        isSlashed[faultId] = true;
    }

    /// @dev A worker that has nothing left is banned all the same.
    function _slashAll(address worker, bytes32 faultId) private returns (uint256) {
        if (registry.nodeOf(worker).role != INodeRegistry.Role.Worker || registry.stakeOf(worker) == 0) return 0;
        address reporter = _reporterOrNone(validatorSets.epoch());
        return registry.slash(worker, INodeRegistry.Role.Worker, ALL_BPS, faultId, reporter);
    }

    /// @dev A validator judges, so it must not earn by the judgement.
    function _reporterOrNone(uint64 epoch) private view returns (address) {
        return validatorSets.isMember(epoch, msg.sender) ? address(0) : msg.sender;
    }

    /// @dev Validators that left long ago have no stake that would make them tell the truth.
    function _requireRecent(uint64 epoch) private view {
        uint256 retiredAt = validatorSets.retiredAt(epoch);
        if (retiredAt != 0 && block.timestamp > retiredAt + evidenceSeconds) revert EvidenceTooOld(epoch, retiredAt);
    }

    function _requireSignedByWorker(bytes32 domain, TypedData.Receipt calldata receipt, bytes calldata signature)
        private
        pure
        returns (bytes32 digest)
    {
        digest = TypedData.digest(domain, TypedData.hash(receipt));
        address signer = Signatures.recover(digest, signature);
        if (signer != receipt.worker) revert NotSignedByWorker(signer, receipt.worker);
    }

    function _requireRejects(
        bytes32 domain,
        TypedData.Receipt calldata receipt,
        bytes32 receiptDigest,
        Rejection calldata rejection
    ) private pure {
        TypedData.Attestation memory attestation = TypedData.Attestation(
            rejection.validationId, rejection.votesRoot, rejection.validator
        );
        bytes32 digest = TypedData.digest(domain, TypedData.hash(attestation));
        address signer = Signatures.recover(digest, rejection.signature);
        if (signer != rejection.validator) revert NotSignedByValidator(signer, rejection.validator);
        Leaves.Vote memory vote =
            Leaves.Vote(receipt.taskId, receipt.attempt, receiptDigest, Leaves.VERDICT_REJECT, rejection.outputDigest);
        if (!MerkleProof.verifyCalldata(rejection.proof, rejection.votesRoot, Leaves.hash(vote))) {
            revert InvalidVoteProof(rejection.validator);
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
