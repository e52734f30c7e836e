// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ISlashingManager} from "../src/interfaces/ISlashingManager.sol";
import {Evidence} from "../src/libraries/Evidence.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {EvidenceFixture} from "./support/EvidenceFixture.sol";

contract ContradictionTest is EvidenceFixture {
    function testAContradictionCostsAllAndBans() public {
        TypedData.Receipt memory a = receiptOf("one");
        TypedData.Receipt memory b = receiptOf("two");
        bytes memory signatureA = signReceipt(a);
        bytes memory signatureB = signReceipt(b);
        bytes32 fault = slashing.faultIdOf("contradiction", a.taskId, a.attempt, worker);
        vm.prank(STRANGER);
        slashing.commitReport(keccak256(abi.encode(STRANGER, fault)));
        vm.warp(block.timestamp + 1);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Disqualified(worker, fault);
        vm.expectEmit(address(slashing));
        emit ISlashingManager.ContradictionProven(a.taskId, a.attempt, worker, WORKER_BOND);
        vm.prank(STRANGER);
        slashing.proveContradiction(a, signatureA, b, signatureB);
        assertEq(registry.stakeOf(worker), 0);
        assertEq(registry.owedTo(STRANGER), 3_000 ether);
        assertEq(uint256(registry.stateOf(worker)), uint256(INodeRegistry.State.Disqualified));
        vm.expectRevert(abi.encodeWithSelector(ISlashingManager.AlreadySlashed.selector, fault));
        slashing.proveContradiction(b, signatureB, a, signatureA);
    }

    function testASecondContradictionOfABannedWorkerIsRecorded() public {
        _contradict(1);
        _contradict(2);
        assertTrue(slashing.isSlashed(slashing.faultIdOf("contradiction", keccak256("task"), 2, worker)), "recorded");
    }

    function testOtherTimesAreNoContradiction() public {
        TypedData.Receipt memory a = receiptOf("one");
        TypedData.Receipt memory b = receiptOf("one");
        b.startedAtMs = 7;
        b.endedAtMs = 8;
        _expectNoContradiction(a, b, ISlashingManager.SameReceipt.selector);
    }

    function testOtherAttemptsTasksOrWorkersAreNoContradiction() public {
        TypedData.Receipt memory a = receiptOf("one");
        TypedData.Receipt memory b = receiptOf("two");
        b.attempt = 2;
        _expectNoContradiction(a, b, ISlashingManager.NoContradiction.selector);
        b = receiptOf("two");
        b.taskId = keccak256("another");
        _expectNoContradiction(a, b, ISlashingManager.NoContradiction.selector);
        b = receiptOf("two");
        b.worker = STRANGER;
        _expectNoContradiction(a, b, ISlashingManager.NoContradiction.selector);
    }

    function testEachDigestAndTheRuntimeContradict() public {
        for (uint256 field = 0; field < 6; ++field) {
            TypedData.Receipt memory a = receiptOf("one");
            a.attempt = uint32(field) + 10;
            TypedData.Receipt memory b = receiptOf("one");
            b.attempt = a.attempt;
            if (field == 0) b.modelDigest = SIBLING;
            if (field == 1) b.imageDigest = SIBLING;
            if (field == 2) b.codeDigest = SIBLING;
            if (field == 3) b.inputDigest = SIBLING;
            if (field == 4) b.outputDigest = SIBLING;
            if (field == 5) b.runtime = "another";
            slashing.proveContradiction(a, signReceipt(a), b, signReceipt(b));
        }
    }

    function testBothReceiptsMustBeTheWorkers() public {
        TypedData.Receipt memory a = receiptOf("one");
        TypedData.Receipt memory b = receiptOf("two");
        bytes memory genuine = signReceipt(a);
        bytes memory forged = compact(0x1234, digestOf(b));
        bytes memory refusal = abi.encodeWithSelector(Evidence.NotSignedByWorker.selector, vm.addr(0x1234), worker);
        vm.expectRevert(refusal);
        slashing.proveContradiction(a, genuine, b, forged);
        vm.expectRevert(refusal);
        slashing.proveContradiction(b, forged, a, genuine);
    }

    function _contradict(uint32 attempt) private {
        TypedData.Receipt memory a = receiptOf("one");
        TypedData.Receipt memory b = receiptOf("two");
        (a.attempt, b.attempt) = (attempt, attempt);
        slashing.proveContradiction(a, signReceipt(a), b, signReceipt(b));
    }

    function _expectNoContradiction(TypedData.Receipt memory a, TypedData.Receipt memory b, bytes4 refusal) private {
        bytes memory signatureA = signReceipt(a);
        bytes memory signatureB = signReceipt(b);
        vm.expectRevert(refusal);
        slashing.proveContradiction(a, signatureA, b, signatureB);
    }
}
