// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {ITaskEscrow} from "../src/interfaces/ITaskEscrow.sol";
import {Leaves} from "../src/libraries/Leaves.sol";
import {Fixture} from "./support/Fixture.sol";

/// @notice A requester leaves by itself, with what is not proven to be spent.
contract EscrowWithdrawalTest is Fixture {
    function setUp() public {
        deployAll();
        deposit(1_000);
    }

    function testWhatWasNeverSpentComesBackWhole() public {
        uint256 readyAt = block.timestamp + WITHDRAWAL;
        vm.expectEmit(address(escrow));
        emit ITaskEscrow.WithdrawalRequested(REQUESTER, 600, readyAt);
        _request(600);
        assertEq(escrow.spendableOf(REQUESTER), 400);
        assertEq(escrow.withdrawalOf(REQUESTER).amount, 600);
        assertEq(escrow.withdrawalOf(REQUESTER).readyAt, readyAt);
        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.NotReady.selector, readyAt));
        _withdraw();
        vm.warp(readyAt);
        vm.expectEmit(address(escrow));
        emit ITaskEscrow.Withdrawn(REQUESTER, STRANGER, 600);
        assertEq(_withdraw(), 600);
        assertEq(token.balanceOf(STRANGER), 600);
        assertEq(escrow.totalDeposited(), 1_000);
        assertEq(escrow.withdrawnOf(REQUESTER), 600);
        assertEq(escrow.totalWithdrawn(), 600);
        assertEq(escrow.totalHeld(), 400);
        assertEq(escrow.spendableOf(REQUESTER), 400);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.NothingRequested.selector, REQUESTER));
        _withdraw();
    }

    function testASecondRequestAddsAndStartsTheWaitAnew() public {
        _request(100);
        vm.warp(block.timestamp + 1 days);
        _request(900);
        assertEq(escrow.withdrawalOf(REQUESTER).amount, 1_000);
        assertEq(escrow.withdrawalOf(REQUESTER).readyAt, block.timestamp + WITHDRAWAL);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.AmountTooLarge.selector, 1, 0));
        _request(1);
    }

    function testNothingAndTooMuchAreRefused() public {
        vm.expectRevert(ITaskEscrow.InvalidAmount.selector);
        _request(0);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.AmountTooLarge.selector, 1_001, 1_000));
        _request(1_001);
    }

    function testACancelledRequestIsSpendableAgain() public {
        _request(600);
        vm.expectEmit(address(escrow));
        emit ITaskEscrow.WithdrawalCancelled(REQUESTER, 600);
        vm.prank(REQUESTER);
        escrow.cancelWithdrawal();
        assertEq(escrow.spendableOf(REQUESTER), 1_000);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.NothingRequested.selector, REQUESTER));
        vm.prank(REQUESTER);
        escrow.cancelWithdrawal();
    }

    function testWhatIsProvenToBeSpentStays() public {
        _request(1_000);
        _settleSpent(300);
        vm.expectEmit(address(escrow));
        emit ITaskEscrow.SpentProven(REQUESTER, 300);
        _prove(300);
        assertEq(escrow.provenSpentOf(REQUESTER), 300);
        vm.warp(block.timestamp + WITHDRAWAL);
        assertEq(_withdraw(), 700);
        assertEq(token.balanceOf(address(escrow)), 300);
    }

    function testWhatWasTakenBackCountsAgainstTheNextRequest() public {
        _settleSpent(300);
        _prove(300);
        _request(400);
        vm.warp(block.timestamp + WITHDRAWAL);
        assertEq(_withdraw(), 400);
        _request(600);
        vm.warp(block.timestamp + WITHDRAWAL);
        assertEq(_withdraw(), 300);
        assertEq(escrow.spendableOf(REQUESTER), 300);
        // More proven than is left: the request is spent up, and nobody is blocked.
        fund(STRANGER, address(escrow), 1);
        vm.prank(STRANGER);
        escrow.deposit(1);
        _settleSpent(301);
        _prove(301);
        _request(300);
        vm.warp(block.timestamp + WITHDRAWAL);
        assertEq(_withdraw(), 0);
        assertEq(escrow.withdrawalOf(REQUESTER).amount, 0);
    }

    function testAProofNeedsTheLeafInAFinalHeaderAndMoreThanBefore() public {
        settle(nextHeader(Leaves.hashSpent(REQUESTER, 300), 300));
        bytes32 given = settlement.hashHeader(settled);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.HeaderNotFinal.selector, given, bytes32(0)));
        _prove(300);
        vm.warp(block.timestamp + CHALLENGE);
        bytes memory refusal = abi.encodeWithSelector(ITaskEscrow.InvalidSpentProof.selector, REQUESTER);
        vm.expectRevert(refusal);
        _prove(301);
        _prove(300);
        vm.expectRevert(refusal);
        _prove(300);
    }

    function testABalanceIsNoSpending() public {
        settle(nextHeader(Leaves.hashBalance(REQUESTER, 300), 300));
        vm.warp(block.timestamp + CHALLENGE);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.InvalidSpentProof.selector, REQUESTER));
        _prove(300);
    }

    function testAPauseStartsTheWaitAnew() public {
        _request(600);
        vm.warp(block.timestamp + 1 days);
        vm.prank(GUARDIAN);
        settlement.pause();
        uint256 readyAt = settlement.pausedUntil() + WITHDRAWAL;
        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.NotReady.selector, readyAt));
        _withdraw();
        vm.warp(readyAt);
        assertEq(_withdraw(), 600);
    }

    function testAPauseLongAgoChangesNothing() public {
        vm.prank(GUARDIAN);
        settlement.pause();
        vm.warp(settlement.pausedUntil() + 1);
        _request(600);
        vm.warp(block.timestamp + WITHDRAWAL - 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskEscrow.NotReady.selector, block.timestamp + 1));
        _withdraw();
        vm.warp(block.timestamp + 1);
        assertEq(_withdraw(), 600);
    }

    function testTheDelayIsBounded() public {
        assertNotDeployable(
            "TaskEscrow",
            abi.encode(token, distributor, settlement, uint64(90 days + 1)),
            abi.encodeWithSelector(ITaskEscrow.InvalidParameter.selector)
        );
        deploy("TaskEscrow", abi.encode(token, distributor, settlement, uint64(90 days)));
    }

    function testFuzzNobodyTakesBackMoreThanWasNotSpent(uint256 spent, uint256 first, uint256 second) public {
        spent = bound(spent, 1, 1_000);
        first = bound(first, 1, 1_000);
        _request(first);
        _settleSpent(spent);
        _prove(spent);
        vm.warp(block.timestamp + WITHDRAWAL);
        uint256 taken = _withdraw();
        uint256 left = escrow.spendableOf(REQUESTER);
        if (left > 0) {
            _request(bound(second, 1, left));
            vm.warp(block.timestamp + WITHDRAWAL);
            taken += _withdraw();
        }
        assertTrue(taken + spent <= 1_000, "taken + spent <= deposited");
        assertEq(token.balanceOf(STRANGER), taken);
    }

    function _settleSpent(uint256 amount) private {
        settle(nextHeader(Leaves.hashSpent(REQUESTER, amount), amount));
        vm.warp(block.timestamp + CHALLENGE);
    }

    function _prove(uint256 amount) private {
        escrow.proveSpent(settled, REQUESTER, amount, new bytes32[](0));
    }

    function _request(uint256 amount) private {
        vm.prank(REQUESTER);
        escrow.requestWithdrawal(amount);
    }

    function _withdraw() private returns (uint256) {
        vm.prank(REQUESTER);
        return escrow.withdraw(STRANGER);
    }
}
