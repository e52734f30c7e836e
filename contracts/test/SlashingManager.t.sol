// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ISlashingManager} from "../src/interfaces/ISlashingManager.sol";
import {IValidatorSets} from "../src/interfaces/IValidatorSets.sol";
import {Evidence} from "../src/libraries/Evidence.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {EvidenceFixture} from "./support/EvidenceFixture.sol";

contract SlashingManagerTest is EvidenceFixture {
    function testARejectedResultCostsATenth() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        bytes32 fault = slashing.faultIdOf("rejected", receipt.taskId, receipt.attempt, worker);
        vm.prank(STRANGER);
        slashing.commitReport(keccak256(abi.encode(STRANGER, fault)));
        vm.warp(block.timestamp + 1);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Slashed(worker, fault, STRANGER, 1_000 ether, 300 ether, 700 ether);
        vm.expectEmit(address(slashing));
        emit ISlashingManager.RejectedSlashed(receipt.taskId, receipt.attempt, worker, 1_000 ether);
        vm.prank(STRANGER);
        slashing.slashRejected(receipt, signature, 1, rejections);
        assertEq(registry.owedTo(STRANGER), 300 ether);
        assertTrue(slashing.isSlashed(fault), "marked");
    }

    function testOnceForEachAttempt() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        _slash(receipt, 2);
        bytes32 fault = slashing.faultIdOf("rejected", receipt.taskId, receipt.attempt, worker);
        _expectRefused(
            receipt, rejectionsOf(receipt, 3), abi.encodeWithSelector(ISlashingManager.AlreadySlashed.selector, fault)
        );
        receipt.attempt = 2;
        _slash(receipt, 2);
        assertEq(registry.stakeOf(worker), 8_100 ether);
    }

    function testValidatorsJudgeForNothing() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        vm.prank(validators[6]);
        slashing.slashRejected(receipt, signature, 1, rejections);
        assertEq(registry.owedTo(validators[6]), 0);
        assertEq(registry.stakeOf(worker), 9_000 ether);
    }

    function testOneRejectionIsTooFew() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        _expectRefused(
            receipt, rejectionsOf(receipt, 1), abi.encodeWithSelector(ISlashingManager.TooFewRejections.selector, 1, 2)
        );
    }

    function testTheSameValidatorCountsOnce() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        rejections[1] = rejections[0];
        _expectRefused(
            receipt,
            rejections,
            abi.encodeWithSelector(ISlashingManager.NotAscending.selector, validators[0], validators[0])
        );
    }

    function testOnlyValidatorsOfTheEpochCount() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        rejections[1].validator = address(type(uint160).max);
        _expectRefused(
            receipt,
            rejections,
            abi.encodeWithSelector(ISlashingManager.NotAValidator.selector, address(type(uint160).max), 1)
        );
    }

    function testARejectionMustBeSignedByItsValidator() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        rejections[1].signature = rejections[0].signature;
        bytes memory signature = signReceipt(receipt);
        vm.expectPartialRevert(Evidence.NotSignedByValidator.selector);
        slashing.slashRejected(receipt, signature, 1, rejections);
    }

    function testAReceiptMustBeSignedByItsWorker() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        bytes memory forged = compact(0x1234, digestOf(receipt));
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        vm.expectRevert(abi.encodeWithSelector(Evidence.NotSignedByWorker.selector, vm.addr(0x1234), worker));
        slashing.slashRejected(receipt, forged, 1, rejections);
    }

    function testAnAcceptingVoteIsNoEvidence() public {
        TypedData.Receipt memory receipt = receiptOf("right");
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        rejections[0] = voteOf(receipt, 0, 1);
        _expectRefused(receipt, rejections, abi.encodeWithSelector(Evidence.InvalidVoteProof.selector, validators[0]));
    }

    function testAVoteOnAnotherReceiptIsNoEvidence() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        Evidence.SignedVote[] memory rejections = rejectionsOf(receiptOf("other"), 2);
        _expectRefused(receipt, rejections, abi.encodeWithSelector(Evidence.InvalidVoteProof.selector, validators[0]));
    }

    function testATamperedOutputIsNoEvidence() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        rejections[1].outputDigest = keccak256("forged");
        _expectRefused(receipt, rejections, abi.encodeWithSelector(Evidence.InvalidVoteProof.selector, validators[1]));
    }

    function testARetiredEpochIsEvidenceForAWhile() public {
        bondNode(validators[0], INodeRegistry.Role.Validator, VALIDATOR_BOND);
        address[] memory next = new address[](1);
        next[0] = validators[0];
        sets.rotate(next);
        uint256 retiredAt = block.timestamp;
        vm.warp(retiredAt + EVIDENCE);
        TypedData.Receipt memory receipt = receiptOf("wrong");
        _slash(receipt, 2);
        vm.warp(retiredAt + EVIDENCE + 1);
        receipt.attempt = 2;
        _expectRefused(
            receipt,
            rejectionsOf(receipt, 2),
            abi.encodeWithSelector(ISlashingManager.EvidenceTooOld.selector, 1, retiredAt)
        );
    }

    function testAnUnknownEpochIsNoEvidence() public {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.UnknownEpoch.selector, 2));
        slashing.slashRejected(receipt, signature, 2, rejections);
    }

    function testParametersAreBounded() public {
        ISlashingManager.Parameters[7] memory wrong;
        for (uint256 i = 0; i < wrong.length; ++i) {
            wrong[i] = slashingParameters();
        }
        wrong[0].rejectQuorum = 1;
        wrong[1].rejectQuorum = 65;
        wrong[2].rejectedBps = 0;
        wrong[3].rejectedBps = 5_001;
        wrong[4].evidenceSeconds = 60 days + 1;
        wrong[5].missedBps = 0;
        wrong[6].missedBps = 501;
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(ISlashingManager.InvalidParameter.selector);
            slashing.setParameters(wrong[i]);
        }
    }

    function _slash(TypedData.Receipt memory receipt, uint256 count) private {
        slashing.slashRejected(receipt, signReceipt(receipt), 1, rejectionsOf(receipt, count));
    }

    function _expectRefused(
        TypedData.Receipt memory receipt,
        Evidence.SignedVote[] memory rejections,
        bytes memory refusal
    ) private {
        bytes memory signature = signReceipt(receipt);
        vm.expectRevert(refusal);
        slashing.slashRejected(receipt, signature, 1, rejections);
    }
}
