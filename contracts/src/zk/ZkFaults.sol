// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {IValidatorSets} from "../interfaces/IValidatorSets.sol";
import {Evidence} from "../libraries/Evidence.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {IZkVerifier} from "./IZkVerifier.sol";

/// @title ZkFaults: a validator that endorsed a false statement loses everything
/// @notice Objective: the chain checks the proof that the validator signed for. Holds the slasher's role in NodeRegistry and the
/// remover's in ValidatorSets. Nobody earns by a report; all that is slashed is burnt.
contract ZkFaults {
    /// @notice What a validator signs who has checked a proof, under the protocol's domain.
    /// @param statementHash keccak256 of the ABI encoding of IZkVerifier.Statement
    /// @param proofHash keccak256 of the proof's eight words
    struct ProofEndorsement {
        bytes32 statementHash;
        bytes32 proofHash;
        address validator;
    }

    bytes32 public constant ENDORSEMENT_TYPEHASH =
        keccak256("ProofEndorsement(bytes32 statementHash,bytes32 proofHash,address validator)");
    uint256 private constant ALL_BPS = 10_000;

    IZkVerifier public immutable verifier;
    ISettlement public immutable settlement;
    INodeRegistry public immutable registry;
    IValidatorSets public immutable validatorSets;

    mapping(bytes32 faultId => bool) public isSlashed;

    event BadProofProven(bytes32 indexed taskId, address indexed validator, uint256 amount);

    error ProofIsValid(bytes32 taskId);
    error AlreadySlashed(bytes32 faultId);

    constructor(
        IZkVerifier verifier_,
        ISettlement settlement_,
        INodeRegistry registry_,
        IValidatorSets validatorSets_
    ) {
        verifier = verifier_;
        settlement = settlement_;
        registry = registry_;
        validatorSets = validatorSets_;
    }

    /// @notice Shows that the validator endorsed a proof that does not verify. Anybody may.
    /// @param signature the validator's, over the endorsement of this statement and proof
    function proveBadGroth16(
        address validator,
        IZkVerifier.Statement calldata statement,
        uint256[8] calldata proof,
        bytes calldata signature
    ) external {
        bytes32 digest = endorsementDigest(statement, proof, validator);
        Evidence.requireSignedByValidator(digest, validator, signature);
        if (isSlashed[digest]) revert AlreadySlashed(digest);
        isSlashed[digest] = true;
        // A call that ran out of gas reverts as a whole: it is never taken for a bad proof.
        if (verifier.isValid(statement, proof)) revert ProofIsValid(statement.taskId);
        emit BadProofProven(statement.taskId, validator, _expel(digest, validator));
    }

    function endorsementDigest(IZkVerifier.Statement calldata statement, uint256[8] calldata proof, address validator)
        public
        view
        returns (bytes32)
    {
        bytes32 structHash = keccak256(
            abi.encode(ENDORSEMENT_TYPEHASH, keccak256(abi.encode(statement)), keccak256(abi.encode(proof)), validator)
        );
        return TypedData.digest(settlement.domainSeparator(), structHash);
    }

    /// @dev As SlashingManager does: who has nothing left is banned all the same.
    function _expel(bytes32 faultId, address validator) private returns (uint256 amount) {
        INodeRegistry.Role role = INodeRegistry.Role.Validator;
        if (registry.nodeOf(validator).role == role && registry.stakeOf(validator) > 0) {
            amount = registry.slash(validator, role, ALL_BPS, faultId, address(0));
        }
        if (registry.stateOf(validator) != INodeRegistry.State.Disqualified) registry.disqualify(validator, faultId);
        address[] memory expelled = new address[](1);
        expelled[0] = validator;
        validatorSets.remove(expelled);
    }
}
