// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {Leaves} from "./Leaves.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";

/// @title Signed messages as evidence
/// @notice What SlashingManager and Disputes both ask of the messages that they are shown.
library Evidence {
    /// @notice One validator's signed vote on a receipt.
    /// @param outputDigest what the validator computed itself (part of its vote's leaf)
    /// @param proof from the vote's leaf to `votesRoot`
    struct SignedVote {
        bytes32 validationId;
        bytes32 votesRoot;
        address validator;
        bytes32 outputDigest;
        bytes32[] proof;
        bytes signature;
    }

    error NotSignedByWorker(address signer, address worker);
    error NotSignedByValidator(address signer, address validator);
    error InvalidVoteProof(address validator);

    /// @return digest the EIP-712 digest of the receipt
    function requireSignedByWorker(bytes32 domain, TypedData.Receipt calldata receipt, bytes calldata signature)
        internal
        pure
        returns (bytes32 digest)
    {
        digest = TypedData.digest(domain, TypedData.hash(receipt));
        address signer = Signatures.recover(digest, signature);
        if (signer != receipt.worker) revert NotSignedByWorker(signer, receipt.worker);
    }

    /// @notice Reverts unless the worker signed that it takes this attempt.
    function requireClaim(bytes32 domain, Leaves.Missed calldata missed, bytes calldata signature) internal pure {
        TypedData.Claim memory claim = TypedData.Claim(missed.taskId, missed.attempt, missed.worker, missed.deadlineMs);
        address signer = Signatures.recover(TypedData.digest(domain, TypedData.hash(claim)), signature);
        if (signer != missed.worker) revert NotSignedByWorker(signer, missed.worker);
    }

    /// @notice Reverts unless the validator signed `verdict` on this receipt.
    function requireVote(
        bytes32 domain,
        TypedData.Receipt calldata receipt,
        bytes32 receiptDigest,
        uint8 verdict,
        SignedVote calldata vote
    ) internal pure {
        TypedData.Attestation memory attestation =
            TypedData.Attestation(vote.validationId, vote.votesRoot, vote.validator);
        requireSignedByValidator(TypedData.digest(domain, TypedData.hash(attestation)), vote.validator, vote.signature);
        Leaves.Vote memory leaf =
            Leaves.Vote(receipt.taskId, receipt.attempt, receiptDigest, verdict, vote.outputDigest);
        if (!MerkleProof.verifyCalldata(vote.proof, vote.votesRoot, Leaves.hash(leaf))) {
            revert InvalidVoteProof(vote.validator);
        }
    }

    function requireSignedByValidator(bytes32 digest, address validator, bytes calldata signature) internal pure {
        address signer = Signatures.recover(digest, signature);
        if (signer != validator) revert NotSignedByValidator(signer, validator);
    }
}
