// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IDisputes} from "../src/interfaces/IDisputes.sol";
import {DisputeFixture} from "./support/DisputeFixture.sol";

/// @notice What each ruling does.
contract DisputesRulingTest is DisputeFixture {
    function testTheLastUnitOfAStakeIsTakenToo() public {
        vm.prank(validators[0]);
        registry.requestUnbond(validators[0], VALIDATOR_BOND - 1);
        vm.warp(block.timestamp + VALIDATOR_DELAY);
        registry.withdraw(validators[0]);
        bytes32 id = open(1);
        ruleWith(id, [WRONG, WRONG, WRONG]);
        executeLater(id);
        assertEq(registry.stakeOf(validators[0]), 0);
    }

    function testOverturnedTakesTheStakeTheSeatAndAPartOfTheWorkers() public {
        bytes32 id = open(1);
        ruleWith(id, [WRONG, RIGHT, WRONG]);
        assertEq(uint256(disputes.disputeOf(id).ruling), uint256(IDisputes.Ruling.Overturned));
        vm.warp(block.timestamp + 2 days + 1);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Slashed(validators[0], id, STRANGER, VALIDATOR_BOND, 15_000 ether, 35_000 ether);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Slashed(worker, id, STRANGER, 1_000 ether, 300 ether, 700 ether);
        vm.expectEmit(address(disputes));
        emit IDisputes.Executed(id, IDisputes.Ruling.Overturned);
        disputes.execute(id);
        assertTrue(!sets.isMember(sets.epoch(), validators[0]), "no seat");
        assertTrue(!registry.nodeOf(validators[0]).disqualified, "a wrong judgement is no fraud");
        assertEq(disputes.owedTo(STRANGER), DISPUTE_BOND);
        assertEq(registry.owedTo(STRANGER), 15_300 ether);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.WrongState.selector, IDisputes.State.Closed, IDisputes.State.Ruled)
        );
        disputes.execute(id);
    }

    function testUpheldBurnsTheBond() public {
        bytes32 id = open(1);
        ruleWith(id, [RIGHT, RIGHT, WRONG]);
        executeLater(id);
        assertEq(uint256(disputes.disputeOf(id).ruling), uint256(IDisputes.Ruling.Upheld));
        assertEq(disputes.pendingBurn(), DISPUTE_BOND);
        assertEq(disputes.owedTo(STRANGER), 0);
        assertEq(registry.stakeOf(validators[0]), VALIDATOR_BOND);
        assertEq(registry.stakeOf(worker), WORKER_BOND);
    }

    function testMoreThanHalfOfTheWholeJuryDecides() public {
        bytes32 id = open(1);
        ruleWith(id, [WRONG, 0, RIGHT]);
        executeLater(id);
        assertEq(uint256(disputes.disputeOf(id).ruling), uint256(IDisputes.Ruling.Inconclusive));
        assertEq(disputes.owedTo(STRANGER), DISPUTE_BOND);
        assertEq(registry.stakeOf(validators[0]), VALIDATOR_BOND);
    }

    function testHalfIsNoMajority() public {
        bytes32 id = open(3);
        address[] memory jury = draw(id);
        _vote(id, jury, 2);
        assertEq(uint256(disputes.disputeOf(id).ruling), uint256(IDisputes.Ruling.Inconclusive));
    }

    function testASilentJuryCanBeCountedWhenBothTimesAreOver() public {
        bytes32 id = open(1);
        draw(id);
        uint256 end = disputes.disputeOf(id).deadline + 12 hours;
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.TooEarly.selector, end + 1));
        disputes.rule(id);
        vm.warp(end + 1);
        vm.expectEmit(address(disputes));
        emit IDisputes.Ruled(id, IDisputes.Ruling.Inconclusive, block.timestamp + 2 days);
        disputes.rule(id);
    }

    function testACompleteJuryIsCountedAtOnce() public {
        bytes32 id = open(3);
        address[] memory jury = draw(id);
        _commitAll(id, jury, 4);
        for (uint256 i = 0; i < 3; ++i) {
            revealAs(jury[i], id, RIGHT);
        }
        uint256 end = disputes.disputeOf(id).deadline;
        vm.expectRevert(abi.encodeWithSelector(IDisputes.TooEarly.selector, end + 1));
        disputes.rule(id);
        revealAs(jury[3], id, RIGHT);
        disputes.rule(id);
        assertEq(uint256(disputes.disputeOf(id).ruling), uint256(IDisputes.Ruling.Upheld));
        assertEq(disputes.disputeOf(id).deadline, block.timestamp + 2 days);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.WrongState.selector, IDisputes.State.Ruled, IDisputes.State.Revealing)
        );
        disputes.rule(id);
    }

    function testTheGuardianVetoesUntilTheLastSecond() public {
        bytes32 id = open(1);
        ruleWith(id, [WRONG, WRONG, WRONG]);
        uint256 deadline = disputes.disputeOf(id).deadline;
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.TooEarly.selector, deadline + 1));
        disputes.execute(id);
        vm.expectEmit(address(disputes));
        emit IDisputes.Vetoed(id, GUARDIAN);
        vm.prank(GUARDIAN);
        disputes.veto(id);
        assertEq(uint256(disputes.disputeOf(id).ruling), uint256(IDisputes.Ruling.Vetoed));
        assertEq(disputes.owedTo(STRANGER), DISPUTE_BOND);
        assertEq(registry.stakeOf(validators[0]), VALIDATOR_BOND);
    }

    function testAVetoIsTheGuardiansAndOfARulingAndInTime() public {
        bytes32 id = open(1);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputes.WrongState.selector, IDisputes.State.Drawing, IDisputes.State.Ruled)
        );
        vm.prank(GUARDIAN);
        disputes.veto(id);
        ruleWith(id, [WRONG, WRONG, WRONG]);
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, disputes.GUARDIAN_ROLE()
        );
        vm.expectRevert(refusal);
        vm.prank(STRANGER);
        disputes.veto(id);
        uint256 deadline = disputes.disputeOf(id).deadline;
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.TooLate.selector, deadline));
        vm.prank(GUARDIAN);
        disputes.veto(id);
    }

    function testAMemberThatDoubtsEarnsNothing() public {
        bytes32 id = openBy(validators[2], receiptOf("doubted"), 1);
        ruleWith(id, [WRONG, WRONG, WRONG]);
        executeLater(id);
        assertEq(registry.owedTo(validators[2]), 0);
        assertEq(disputes.owedTo(validators[2]), DISPUTE_BOND);
        assertEq(registry.pendingBurn(), VALIDATOR_BOND + 1_000 ether);
    }

    function testAnAccusedThatIsGoneSavesNobodyElse() public {
        bytes32 id = open(2);
        ruleWith(id, [WRONG, WRONG, WRONG]);
        vm.prank(address(slashing));
        registry.slash(validators[0], INodeRegistry.Role.Validator, 10_000, "other", STRANGER);
        executeLater(id);
        assertEq(registry.stakeOf(validators[1]), 0);
        assertEq(registry.stakeOf(worker), 9_000 ether);
    }

    function testAWorkerThatIsGoneSavesNoValidator() public {
        bytes32 id = open(1);
        vm.prank(address(slashing));
        registry.slash(worker, INodeRegistry.Role.Worker, 10_000, "other", STRANGER);
        ruleWith(id, [WRONG, WRONG, WRONG]);
        executeLater(id);
        assertEq(registry.stakeOf(validators[0]), 0);
    }

    function testANodeIsPunishedOncePerReceipt() public {
        bytes32 first = open(1);
        ruleWith(first, [WRONG, WRONG, WRONG]);
        bytes32 second = open(2);
        ruleWith(second, [WRONG, WRONG, WRONG]);
        executeLater(first);
        bondNode(validators[0], INodeRegistry.Role.Validator, VALIDATOR_BOND);
        executeLater(second);
        assertEq(registry.stakeOf(validators[0]), VALIDATOR_BOND);
        assertEq(registry.stakeOf(validators[1]), 0);
        assertEq(registry.stakeOf(worker), 9_000 ether);
    }

    function _vote(bytes32 id, address[] memory jury, uint256 wrong) private {
        _commitAll(id, jury, wrong);
        for (uint256 i = 0; i < jury.length; ++i) {
            revealAs(jury[i], id, i < wrong ? WRONG : RIGHT);
        }
        disputes.rule(id);
    }

    /// @dev The first `wrong` say wrong where that is less than all; with four of four all say right.
    function _commitAll(bytes32 id, address[] memory jury, uint256 wrong) private {
        for (uint256 i = 0; i < jury.length; ++i) {
            commitAs(jury[i], id, wrong < jury.length && i < wrong ? WRONG : RIGHT);
        }
    }
}
