// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title The messages that workers and validators sign, as EIP-712 structs
/// @notice One domain for all of them: name "Inferium", version "1", the chain's id, the address of Settlement.
/// `src/protocol/typed-data.ts` declares the same types; `test/vectors/chain-eip712.json` ties the two together.
library TypedData {
    /// @notice That a worker has taken an attempt at a task and will answer, with a receipt or by handing it back, in time.
    struct Claim {
        bytes32 taskId;
        uint32 attempt;
        address worker;
        uint64 deadlineMs;
    }

    /// @notice What a worker claims to have computed for one attempt at a task.
    struct Receipt {
        bytes32 taskId;
        uint32 attempt;
        address worker;
        bytes32 modelDigest;
        bytes32 imageDigest;
        bytes32 codeDigest;
        bytes32 inputDigest;
        bytes32 outputDigest;
        string runtime;
        uint64 startedAtMs;
        uint64 endedAtMs;
    }

    /// @notice A validator's votes on the receipts of one Validation, as the root of their leaves.
    struct Attestation {
        bytes32 validationId;
        bytes32 votesRoot;
        address validator;
    }

    /// @notice One batch of settled tasks. Its EIP-712 digest is the header hash.
    /// @param previousHash header hash of `sequence - 1`, zero for the first batch
    /// @param epoch validator set whose quorum signs
    /// @param settledWei cumulative total credited since the first batch, in base units of the token
    struct BatchHeader {
        uint64 sequence;
        bytes32 previousHash;
        uint64 epoch;
        bytes32 taskRoot;
        bytes32 balanceRoot;
        uint32 taskCount;
        uint256 settledWei;
        uint64 createdAt;
    }

    bytes32 internal constant CLAIM_TYPEHASH =
        keccak256("Claim(bytes32 taskId,uint32 attempt,address worker,uint64 deadlineMs)");
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 taskId,uint32 attempt,address worker,bytes32 modelDigest,bytes32 imageDigest,bytes32 codeDigest,bytes32 inputDigest,bytes32 outputDigest,string runtime,uint64 startedAtMs,uint64 endedAtMs)"
    );
    bytes32 internal constant ATTESTATION_TYPEHASH =
        keccak256("Attestation(bytes32 validationId,bytes32 votesRoot,address validator)");
    bytes32 internal constant BATCH_HEADER_TYPEHASH = keccak256(
        "BatchHeader(uint64 sequence,bytes32 previousHash,uint64 epoch,bytes32 taskRoot,bytes32 balanceRoot,uint32 taskCount,uint256 settledWei,uint64 createdAt)"
    );

    function hash(Claim memory claim) internal pure returns (bytes32) {
        return keccak256(abi.encode(CLAIM_TYPEHASH, claim.taskId, claim.attempt, claim.worker, claim.deadlineMs));
    }

    function hash(Receipt memory receipt) internal pure returns (bytes32) {
        // Two halves, since the compiler's stack does not reach twelve fields at once.
        return keccak256(
            bytes.concat(
                abi.encode(
                    RECEIPT_TYPEHASH,
                    receipt.taskId,
                    receipt.attempt,
                    receipt.worker,
                    receipt.modelDigest,
                    receipt.imageDigest,
                    receipt.codeDigest
                ),
                abi.encode(
                    receipt.inputDigest,
                    receipt.outputDigest,
                    keccak256(bytes(receipt.runtime)),
                    receipt.startedAtMs,
                    receipt.endedAtMs
                )
            )
        );
    }

    function hash(Attestation memory attestation) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(ATTESTATION_TYPEHASH, attestation.validationId, attestation.votesRoot, attestation.validator)
        );
    }

    function hash(BatchHeader calldata header) internal pure returns (bytes32 result) {
        bytes32 typeHash = BATCH_HEADER_TYPEHASH;
        // A struct of static fields is encoded as its words, in order: eight words of calldata behind the type's hash. A field
        // with bits above its width hashes to something that nobody signed.
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, typeHash)
            calldatacopy(add(buffer, 0x20), header, 0x100)
            result := keccak256(buffer, 0x120)
        }
    }

    /// @notice The digest that is signed: struct hash under a domain.
    function digest(bytes32 domainSeparator, bytes32 structHash) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domainSeparator, structHash);
    }
}
