// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {IValidatorSets} from "../src/interfaces/IValidatorSets.sol";
import {Leaves} from "../src/libraries/Leaves.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {Fixture} from "./support/Fixture.sol";

contract SettlementTest is Fixture {
    bytes32 internal constant ROOT = keccak256("balances");

    function setUp() public {
        deployAll();
        deposit(1_000);
    }

    function testSettlesTheFirstAndTheNextBatch() public {
        TypedData.BatchHeader memory header = nextHeader(ROOT, 400);
        bytes32 digest = settlement.hashHeader(header);
        bytes memory signatures = certify(digest, 0x1f);
        vm.expectEmit(address(settlement));
        emit ISettlement.Settled(1, digest);
        vm.prank(STRANGER);
        settlement.settle(header, 0x1f, signatures);
        (uint64 sequence, bytes32 headerHash, uint256 settledWei) = settlement.lastBatch();
        assertEq(sequence, 1);
        assertEq(headerHash, digest);
        assertEq(settledWei, 400);
        settle(nextHeader(ROOT, 400));
        settle(nextHeader(ROOT, 1_000));
        (sequence,,) = settlement.lastBatch();
        assertEq(sequence, 3);
    }

    function testTheSameBatchTwiceIsRefused() public {
        TypedData.BatchHeader memory header = nextHeader(ROOT, 1);
        settle(header);
        _expectRefused(header, abi.encodeWithSelector(ISettlement.WrongSequence.selector, 1, 2));
    }

    function testASkippedNumberIsRefused() public {
        TypedData.BatchHeader memory header = nextHeader(ROOT, 1);
        header.sequence = 2;
        _expectRefused(header, abi.encodeWithSelector(ISettlement.WrongSequence.selector, 2, 1));
    }

    function testAHeaderMustNameTheOneBefore() public {
        settle(nextHeader(ROOT, 1));
        TypedData.BatchHeader memory header = nextHeader(ROOT, 1);
        bytes32 last = header.previousHash;
        header.previousHash = bytes32(uint256(1));
        _expectRefused(
            header, abi.encodeWithSelector(ISettlement.WrongPreviousHash.selector, bytes32(uint256(1)), last)
        );
    }

    function testTotalsMayNotFallNorExceedTheDeposits() public {
        settle(nextHeader(ROOT, 500));
        _expectRefused(nextHeader(ROOT, 499), abi.encodeWithSelector(ISettlement.SettledDecreased.selector, 499, 500));
        _expectRefused(
            nextHeader(ROOT, 1_001), abi.encodeWithSelector(ISettlement.SettledExceedsDeposits.selector, 1_001, 1_000)
        );
    }

    function testAnEmptyBatchIsRefused() public {
        TypedData.BatchHeader memory header = nextHeader(ROOT, 1);
        header.taskCount = 0;
        _expectRefused(header, abi.encodeWithSelector(ISettlement.EmptyBatch.selector));
    }

    function testWithoutACertificateNothingSettles() public {
        TypedData.BatchHeader memory header = nextHeader(ROOT, 1);
        bytes memory signatures = certify(settlement.hashHeader(header), 0x0f);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.QuorumNotReached.selector, 4, 5));
        settlement.settle(header, 0x0f, signatures);
    }

    function testAFieldChangedAfterSigningIsRefused() public {
        TypedData.BatchHeader memory header = nextHeader(ROOT, 1);
        bytes memory signatures = certify(settlement.hashHeader(header), 0x1f);
        header.balanceRoot = keccak256("forged");
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.InvalidSignature.selector, 0));
        settlement.settle(header, 0x1f, signatures);
    }

    function testACertificateDoesNotCrossChains() public {
        TypedData.BatchHeader memory header = nextHeader(ROOT, 1);
        bytes memory signatures = certify(settlement.hashHeader(header), 0x1f);
        vm.chainId(2);
        vm.expectRevert(abi.encodeWithSelector(IValidatorSets.InvalidSignature.selector, 0));
        settlement.settle(header, 0x1f, signatures);
    }

    function testAnUnknownEpochIsRefused() public {
        TypedData.BatchHeader memory header = nextHeader(ROOT, 1);
        header.epoch = 2;
        _expectRefused(header, abi.encodeWithSelector(IValidatorSets.EpochRetired.selector, 2, 1));
    }

    function testAPauseStopsSettlingAndClaimingAndEndsByItself() public {
        uint256 until = block.timestamp + 72 hours;
        vm.expectEmit(address(settlement));
        emit ISettlement.Paused(GUARDIAN, until);
        vm.prank(GUARDIAN);
        settlement.pause();
        assertEq(settlement.pausedUntil(), until);
        _expectRefused(nextHeader(ROOT, 1), abi.encodeWithSelector(ISettlement.IsPaused.selector, until));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.IsPaused.selector, until));
        settlement.requireFinal(settled);
        vm.warp(until);
        settle(nextHeader(ROOT, 1));
        assertEq(settlement.pausedUntil(), until);
    }

    function testAGuardianCannotPauseForEver() public {
        uint256 until = block.timestamp + 72 hours;
        vm.startPrank(GUARDIAN);
        settlement.pause();
        uint256 allowedAt = until + 72 hours + WITHDRAWAL;
        vm.warp(allowedAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.PauseTooSoon.selector, allowedAt));
        settlement.pause();
        vm.warp(allowedAt);
        settlement.pause();
        vm.stopPrank();
    }

    function testAGuardianEndsAPauseEarly() public {
        vm.startPrank(GUARDIAN);
        settlement.pause();
        vm.expectEmit(address(settlement));
        emit ISettlement.Unpaused(GUARDIAN);
        settlement.unpause();
        vm.stopPrank();
        settle(nextHeader(ROOT, 1));
    }

    function testOnlyTheGuardianPauses() public {
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), settlement.GUARDIAN_ROLE()
        );
        vm.expectRevert(refusal);
        settlement.pause();
        vm.expectRevert(refusal);
        settlement.unpause();
    }

    function testVerifiesATaskThroughLaterBatches() public {
        Leaves.Task memory task = Leaves.Task(keccak256("t"), 1, keccak256("r"), STRANGER, REQUESTER, 5, 0);
        bytes32 sibling = keccak256("sibling");
        bytes memory words = abi.encode(task.taskId, 1, task.receiptDigest, STRANGER, REQUESTER, 5, bytes32(0));
        bytes32 leaf = keccak256(bytes.concat(keccak256(words)));
        TypedData.BatchHeader[] memory path = new TypedData.BatchHeader[](2);
        path[0] = nextHeader(ROOT, 1);
        path[0].taskRoot =
            leaf < sibling ? keccak256(bytes.concat(leaf, sibling)) : keccak256(bytes.concat(sibling, leaf));
        settle(path[0]);
        path[1] = nextHeader(ROOT, 2);
        settle(path[1]);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = sibling;
        assertTrue(settlement.verifyTask(path, task, proof), "in the batch");
        task.rewardWei = 6;
        assertTrue(!settlement.verifyTask(path, task, proof), "tampered");
        task.rewardWei = 5;
        task.statementHash = keccak256("proven");
        assertTrue(!settlement.verifyTask(path, task, proof), "re-executed, not proven");
        path[1].previousHash = ROOT;
        vm.expectRevert(abi.encodeWithSelector(ISettlement.BrokenHeaderChain.selector, 1));
        settlement.verifyTask(path, task, proof);
    }

    function testVerifyTaskNeedsASettledHeader() public {
        Leaves.Task memory task;
        TypedData.BatchHeader[] memory path = new TypedData.BatchHeader[](1);
        path[0] = nextHeader(ROOT, 1);
        bytes32 digest = settlement.hashHeader(path[0]);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.HeaderNotSettled.selector, digest));
        settlement.verifyTask(path, task, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.BrokenHeaderChain.selector, 0));
        settlement.verifyTask(new TypedData.BatchHeader[](0), task, new bytes32[](0));
    }

    function testEvery256thHeaderIsKept() public {
        TypedData.BatchHeader[] memory path = new TypedData.BatchHeader[](1);
        for (uint256 i = 0; i < 256; ++i) {
            path[0] = nextHeader(ROOT, 1);
            settle(path[0]);
        }
        (, bytes32 last,) = settlement.lastBatch();
        assertEq(settlement.checkpointOf(256), last);
        assertEq(settlement.checkpointOf(255), 0);
        settle(nextHeader(ROOT, 1));
        Leaves.Task memory task;
        assertTrue(!settlement.verifyTask(path, task, new bytes32[](0)), "header found, task not in it");
    }

    function testFuzzSettledNeverFalls(uint256 first, uint256 second) public {
        first = bound(first, 0, 1_000);
        second = bound(second, 0, 2_000);
        settle(nextHeader(ROOT, first));
        TypedData.BatchHeader memory header = nextHeader(ROOT, second);
        if (second < first) {
            _expectRefused(header, abi.encodeWithSelector(ISettlement.SettledDecreased.selector, second, first));
        } else if (second > 1_000) {
            _expectRefused(header, abi.encodeWithSelector(ISettlement.SettledExceedsDeposits.selector, second, 1_000));
        } else {
            settle(header);
        }
    }

    function _expectRefused(TypedData.BatchHeader memory header, bytes memory refusal) private {
        bytes memory signatures = certify(settlement.hashHeader(header), 0x1f);
        vm.expectRevert(refusal);
        settlement.settle(header, 0x1f, signatures);
    }
}
