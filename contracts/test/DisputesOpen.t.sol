// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {Evidence} from "../src/libraries/Evidence.sol";
import {Leaves} from "../src/libraries/Leaves.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {DisputeFixture} from "./support/DisputeFixture.sol";

contract DisputesOpenTest is DisputeFixture {
    function testOpeningTakesTheBondAndNamesTheAccused() public {
        TypedData.Receipt memory receipt = receiptOf("doubted");
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory approvals = votesOf(receipt, 2, Leaves.VERDICT_ACCEPT);
        address[] memory accused = new address[](2);
        (accused[0], accused[1]) = (validators[0], validators[1]);
        bytes32 id = keccak256(abi.encode(digestOf(receipt), STRANGER, accused));
        fund(STRANGER, address(disputes), DISPUTE_BOND);
        vm.expectEmit(address(disputes));
        emit IDisputes.Opened(id, receipt.taskId, receipt.attempt, worker, STRANGER);
        vm.prank(STRANGER);
        assertEq(disputes.open(receipt, signature, 1, approvals), id);
        assertEq(token.balanceOf(address(disputes)), DISPUTE_BOND);
        assertEq(keccak256(abi.encode(disputes.accusedOf(id))), keccak256(abi.encode(accused)));
        IDisputes.Dispute memory dispute = disputes.disputeOf(id);
        assertEq(dispute.challenger, STRANGER);
        assertEq(dispute.worker, worker);
        assertEq(dispute.bond, DISPUTE_BOND);
        assertEq(dispute.seedBlock, block.number + 2);
        assertEq(uint256(dispute.state), uint256(IDisputes.State.Drawing));
    }

    function testEachChallengerOncePerAccused() public {
        bytes32 id = open(1);
        TypedData.Receipt memory receipt = receiptOf("doubted");
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory approvals = votesOf(receipt, 1, Leaves.VERDICT_ACCEPT);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.AlreadyDisputed.selector, id));
        vm.prank(STRANGER);
        disputes.open(receipt, signature, 1, approvals);
        open(2);
    }

    function testAShamDisputeShieldsNothing() public {
        bytes32 sham = openBy(worker, receiptOf("doubted"), 1);
        ruleWith(sham, [RIGHT, RIGHT, RIGHT]);
        executeLater(sham);
        bytes32 id = open(1);
        ruleWith(id, [WRONG, WRONG, WRONG]);
        executeLater(id);
        assertEq(registry.stakeOf(validators[0]), 0);
    }

    function testSomebodyMustBeAccused() public {
        _expectRefused(0, 1, abi.encodeWithSelector(IDisputes.NobodyAccused.selector));
    }

    function testApprovalsAreInOrderOfMembersAndSigned() public {
        TypedData.Receipt memory receipt = receiptOf("doubted");
        Evidence.SignedVote[] memory approvals = votesOf(receipt, 2, Leaves.VERDICT_ACCEPT);
        approvals[1] = approvals[0];
        _expectRefused(
            approvals, 1, abi.encodeWithSelector(IDisputes.NotAscending.selector, validators[0], validators[0])
        );
        approvals = votesOf(receipt, 1, Leaves.VERDICT_ACCEPT);
        approvals[0].validator = STRANGER;
        _expectRefused(approvals, 1, abi.encodeWithSelector(IDisputes.NotAValidator.selector, STRANGER, 1));
        approvals = votesOf(receipt, 1, Leaves.VERDICT_REJECT);
        _expectRefused(approvals, 1, abi.encodeWithSelector(Evidence.InvalidVoteProof.selector, validators[0]));
    }

    function testTheReceiptMustBeTheWorkers() public {
        TypedData.Receipt memory receipt = receiptOf("doubted");
        bytes memory forged = compact(0x1234, digestOf(receipt));
        Evidence.SignedVote[] memory approvals = votesOf(receipt, 1, Leaves.VERDICT_ACCEPT);
        vm.expectRevert(abi.encodeWithSelector(Evidence.NotSignedByWorker.selector, vm.addr(0x1234), worker));
        disputes.open(receipt, forged, 1, approvals);
    }

    function testARetiredEpochCanBeDisputedForAWhile() public {
        sets.rotate(validators);
        uint256 retiredAt = block.timestamp;
        vm.warp(retiredAt + EVIDENCE + 1);
        _expectRefused(1, 1, abi.encodeWithSelector(IDisputes.EvidenceTooOld.selector, 1, retiredAt));
        vm.warp(retiredAt + EVIDENCE);
        TypedData.Receipt memory receipt = receiptOf("doubted");
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory approvals = votesOf(receipt, 1, Leaves.VERDICT_ACCEPT);
        fund(STRANGER, address(disputes), DISPUTE_BOND);
        vm.prank(STRANGER);
        disputes.open(receipt, signature, 1, approvals);
    }

    function testParametersAreBounded() public {
        IDisputes.Parameters[12] memory wrong;
        for (uint256 i = 0; i < wrong.length; ++i) {
            wrong[i] = disputeParameters();
        }
        wrong[0].bond = 0;
        wrong[1].bond = 1_000_000 ether + 1;
        wrong[2].jurySize = 1;
        wrong[3].jurySize = 33;
        wrong[4].commitSeconds = 0;
        wrong[5].commitSeconds = 7 days + 1;
        wrong[6].revealSeconds = 0;
        wrong[7].revealSeconds = 7 days + 1;
        wrong[8].vetoSeconds = 14 days + 1;
        wrong[9].evidenceSeconds = 60 days + 1;
        wrong[10].workerBps = 0;
        wrong[11].workerBps = 5_001;
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(IDisputes.InvalidParameter.selector);
            disputes.setParameters(wrong[i]);
        }
    }

    function testGovernanceSetsTheParameters() public {
        IDisputes.Parameters memory given =
            IDisputes.Parameters(1_000_000 ether, 32, 7 days, 7 days, 14 days, 60 days, 5_000);
        vm.expectEmit(address(disputes));
        emit IDisputes.ParametersChanged(given);
        disputes.setParameters(given);
        assertEq(keccak256(abi.encode(disputes.parameters())), keccak256(abi.encode(given)));
        disputes.setParameters(IDisputes.Parameters(1, 2, 1, 1, 0, 0, 1));
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, bytes32(0))
        );
        vm.prank(STRANGER);
        disputes.setParameters(given);
    }

    function _expectRefused(uint256 approvers, uint64 epoch, bytes memory refusal) private {
        _expectRefused(votesOf(receiptOf("doubted"), approvers, Leaves.VERDICT_ACCEPT), epoch, refusal);
    }

    function _expectRefused(Evidence.SignedVote[] memory approvals, uint64 epoch, bytes memory refusal) private {
        TypedData.Receipt memory receipt = receiptOf("doubted");
        bytes memory signature = signReceipt(receipt);
        vm.expectRevert(refusal);
        disputes.open(receipt, signature, epoch, approvals);
    }
}
