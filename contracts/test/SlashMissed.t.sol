// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {ISlashingManager} from "../src/interfaces/ISlashingManager.sol";
import {Evidence} from "../src/libraries/Evidence.sol";
import {Leaves} from "../src/libraries/Leaves.sol";
import {Signatures} from "../src/libraries/Signatures.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {EvidenceFixture} from "./support/EvidenceFixture.sol";

/// @notice A worker that signed a claim and let its deadline pass, as a quorum says by signing the batch that holds the claim.
contract SlashMissedTest is EvidenceFixture {
    bytes32 internal constant TASK_LEAF = keccak256("a task that was settled in the same batch");
    TypedData.BatchHeader[] internal path;
    bytes32[] internal proof;

    function setUp() public override {
        super.setUp();
        deposit(1_000);
        proof.push(TASK_LEAF);
        _settleMissed(_missed());
    }

    function testAMissedDeadlineCostsAHundredthAndNobodyEarnsByIt() public {
        Leaves.Missed memory missed = _missed();
        bytes memory signature = _sign(WORKER_KEY, missed);
        bytes32 faultId = slashing.faultIdOf("missed", missed.taskId, 1, worker);
        vm.prank(STRANGER);
        slashing.commitReport(keccak256(abi.encode(STRANGER, faultId)));
        vm.warp(block.timestamp + 1);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Slashed(worker, faultId, address(0), 100 ether, 0, 100 ether);
        vm.expectEmit(address(slashing));
        emit ISlashingManager.MissedSlashed(missed.taskId, 1, worker, 100 ether);
        vm.prank(STRANGER);
        slashing.slashMissed(path, missed, proof, signature);
        assertEq(registry.stakeOf(worker), 9_900 ether);
        assertEq(registry.owedTo(STRANGER), 0);
        assertTrue(slashing.isSlashed(faultId), "marked");
        assertTrue(registry.stateOf(worker) == INodeRegistry.State.Underbonded, "to be topped up, not banned");
    }

    function testALaterBatchOnTopChangesNothing() public {
        settle(nextHeader(keccak256("balances"), 2));
        path.push(settled);
        _slash(_missed());
        assertEq(registry.stakeOf(worker), 9_900 ether);
    }

    function testOncePerAttempt() public {
        Leaves.Missed memory missed = _missed();
        _slash(missed);
        bytes32 faultId = slashing.faultIdOf("missed", missed.taskId, 1, worker);
        _expectRefused(missed, WORKER_KEY, abi.encodeWithSelector(ISlashingManager.AlreadySlashed.selector, faultId));
        missed.attempt = 2;
        delete path;
        _settleMissed(missed);
        _slash(missed);
        assertEq(registry.stakeOf(worker), 9_801 ether);
    }

    function testAClaimThatNoQuorumSaysWasMissedIsNoFault() public {
        Leaves.Missed memory other = _missed();
        other.attempt = 2;
        _expectRefused(other, WORKER_KEY, abi.encodeWithSelector(ISlashingManager.NotInBatch.selector, other.taskId, 2));
        other = _missed();
        other.deadlineMs += 1;
        _expectRefused(other, WORKER_KEY, abi.encodeWithSelector(ISlashingManager.NotInBatch.selector, other.taskId, 1));
        other = _missed();
        other.worker = STRANGER;
        _expectRefused(other, WORKER_KEY, abi.encodeWithSelector(ISlashingManager.NotInBatch.selector, other.taskId, 1));
    }

    function testAQuorumAloneCannotSayIt() public {
        // The validators name a worker that never signed the claim.
        _expectRefused(
            _missed(), 0x1234, abi.encodeWithSelector(Evidence.NotSignedByWorker.selector, vm.addr(0x1234), worker)
        );
        vm.expectRevert(abi.encodeWithSelector(Signatures.InvalidSignatureLength.selector, 0));
        slashing.slashMissed(path, _missed(), proof, "");
    }

    function testAHeaderThatIsNotSettledProvesNothing() public {
        TypedData.BatchHeader memory forged = path[0];
        forged.createdAt += 1;
        path[0] = forged;
        bytes32 hash = settlement.hashHeader(forged);
        _expectRefused(_missed(), WORKER_KEY, abi.encodeWithSelector(ISettlement.HeaderNotSettled.selector, hash));
        delete path;
        _expectRefused(_missed(), WORKER_KEY, abi.encodeWithSelector(ISettlement.BrokenHeaderChain.selector, 0));
    }

    function testATasksLeafIsNoMissedClaim() public pure {
        Leaves.Missed memory missed = Leaves.Missed(keccak256("task"), 1, address(1), 2);
        Leaves.Task memory task = Leaves.Task(keccak256("task"), 1, bytes32(0), address(1), address(0), 2, 0);
        assertTrue(Leaves.hash(missed) != Leaves.hash(task), "two leaves");
    }

    function _missed() private view returns (Leaves.Missed memory) {
        return Leaves.Missed(keccak256("task"), 1, worker, 1_799_999_000_000);
    }

    function _settleMissed(Leaves.Missed memory missed) private {
        TypedData.BatchHeader memory header = nextHeader(keccak256("balances"), 1);
        bytes32 leaf = Leaves.hash(missed);
        header.taskRoot =
            leaf < TASK_LEAF ? keccak256(bytes.concat(leaf, TASK_LEAF)) : keccak256(bytes.concat(TASK_LEAF, leaf));
        settle(header);
        path.push(header);
    }

    function _sign(uint256 key, Leaves.Missed memory missed) private view returns (bytes memory) {
        bytes32 hash = TypedData.hash(TypedData.Claim(missed.taskId, missed.attempt, missed.worker, missed.deadlineMs));
        return compact(key, TypedData.digest(settlement.domainSeparator(), hash));
    }

    function _slash(Leaves.Missed memory missed) private {
        slashing.slashMissed(path, missed, proof, _sign(WORKER_KEY, missed));
    }

    function _expectRefused(Leaves.Missed memory missed, uint256 key, bytes memory refusal) private {
        bytes memory signature = _sign(key, missed);
        vm.expectRevert(refusal);
        slashing.slashMissed(path, missed, proof, signature);
    }
}
