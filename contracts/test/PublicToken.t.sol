// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IRewardDistributor} from "../src/interfaces/IRewardDistributor.sol";
import {Evidence} from "../src/libraries/Evidence.sol";
import {Leaves} from "../src/libraries/Leaves.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {PublicIfrToken} from "./mocks/PublicIfrToken.sol";
import {DisputeFixture} from "./support/DisputeFixture.sol";

/// @notice All contracts over the public IFR token: when it refuses, state rolls back; penalties take effect all the same.
contract PublicTokenTest is DisputeFixture {
    address internal constant DEAD = 0x000000000000000000000000000000000000dEaD;
    bytes internal constant PAUSED = abi.encodeWithSelector(PublicIfrToken.Paused.selector);

    function deployToken() internal override returns (address) {
        return deploy("PublicIfrToken", "");
    }

    function testASlashTakesEffectWhileTheTokenIsPaused() public {
        _pause(true);
        _slashRejected(STRANGER);
        assertEq(registry.stakeOf(worker), 9_000 ether);
        vm.expectRevert(PAUSED);
        registry.collect(STRANGER);
        vm.expectRevert(PAUSED);
        registry.burnPending();
        assertEq(registry.owedTo(STRANGER), 300 ether);
        assertEq(registry.pendingBurn(), 700 ether);
        _pause(false);
        registry.collect(STRANGER);
        registry.burnPending();
        assertEq(token.balanceOf(STRANGER), 300 ether);
        assertEq(token.balanceOf(DEAD), 700 ether);
    }

    function testASlashTakesEffectWhoeverIsBlacklisted() public {
        address[4] memory all = [worker, STRANGER, address(registry), address(slashing)];
        for (uint256 i = 0; i < all.length; ++i) {
            _blacklist(all[i], true);
        }
        _slashRejected(STRANGER);
        assertEq(registry.stakeOf(worker), 9_000 ether);
        _blacklist(address(registry), false);
        registry.collect(STRANGER);
        assertEq(token.balanceOf(STRANGER), 300 ether);
    }

    function testABondThatTheTokenRefusesLeavesNothing() public {
        fund(STRANGER, address(registry), WORKER_BOND);
        _pause(true);
        vm.expectRevert(PAUSED);
        vm.prank(STRANGER);
        registry.bond(STRANGER, INodeRegistry.Role.Worker, STRANGER, WORKER_BOND);
        assertEq(registry.stakeOf(STRANGER), 0);
        assertEq(registry.getVotes(STRANGER), 0);
        _pause(false);
        vm.prank(STRANGER);
        registry.bond(STRANGER, INodeRegistry.Role.Worker, STRANGER, WORKER_BOND);
        assertEq(registry.getVotes(STRANGER), WORKER_BOND);
    }

    function testAWithdrawalOfStakeWaitsForTheToken() public {
        vm.prank(worker);
        registry.requestUnbond(worker, WORKER_BOND);
        vm.warp(block.timestamp + WORKER_DELAY);
        _blacklist(address(registry), true);
        vm.expectRevert(abi.encodeWithSelector(PublicIfrToken.Blacklisted.selector, address(registry)));
        registry.withdraw(worker);
        assertEq(registry.stakeOf(worker), WORKER_BOND);
        _blacklist(address(registry), false);
        // Only callers are refused: a blacklisted owner is paid.
        _blacklist(worker, true);
        registry.withdraw(worker);
        assertEq(token.balanceOf(worker), WORKER_BOND);
    }

    function testAClaimThatTheTokenRefusesCanBeMadeAgain() public {
        deposit(1_000);
        settle(nextHeader(Leaves.hashBalance(worker, 300), 300));
        vm.warp(block.timestamp + CHALLENGE);
        IRewardDistributor.Claim memory entry = IRewardDistributor.Claim(worker, 300, new bytes32[](0));
        _pause(true);
        vm.expectRevert(PAUSED);
        distributor.claim(settled, entry);
        assertEq(distributor.claimedOf(worker), 0);
        assertEq(escrow.totalPaid(), 0);
        _pause(false);
        _blacklist(worker, true);
        distributor.claim(settled, entry);
        assertEq(token.balanceOf(worker), 300);
    }

    function testADepositThatTheTokenRefusesCountsNothing() public {
        fund(REQUESTER, address(escrow), 500);
        _pause(true);
        vm.expectRevert(PAUSED);
        vm.prank(REQUESTER);
        escrow.deposit(500);
        assertEq(escrow.totalDeposited(), 0);
        _pause(false);
        // The token knows no permit: the allowance decides.
        vm.prank(REQUESTER);
        escrow.depositWithPermit(500, 0, 0, 0, 0);
        assertEq(escrow.depositedOf(REQUESTER), 500);
    }

    function testAWithdrawalOfADepositWaitsForTheToken() public {
        deposit(1_000);
        vm.prank(REQUESTER);
        escrow.requestWithdrawal(400);
        vm.warp(block.timestamp + WITHDRAWAL);
        _pause(true);
        vm.expectRevert(PAUSED);
        vm.prank(REQUESTER);
        escrow.withdraw(REQUESTER);
        assertEq(escrow.withdrawalOf(REQUESTER).amount, 400);
        assertEq(escrow.totalWithdrawn(), 0);
        _pause(false);
        vm.prank(REQUESTER);
        escrow.withdraw(REQUESTER);
        assertEq(token.balanceOf(REQUESTER), 400);
    }

    function testADisputeIsExecutedWhileTheTokenIsPaused() public {
        bytes32 id = open(1);
        _pause(true);
        ruleWith(id, [WRONG, WRONG, WRONG]);
        executeLater(id);
        assertEq(registry.stakeOf(validators[0]), 0);
        assertTrue(!sets.isMember(sets.epoch(), validators[0]), "no seat");
        vm.expectRevert(PAUSED);
        disputes.collect(STRANGER);
        _pause(false);
        disputes.collect(STRANGER);
        registry.collect(STRANGER);
        assertEq(token.balanceOf(STRANGER), DISPUTE_BOND + 15_300 ether);
    }

    function testADisputeWithoutItsBondIsNotOpened() public {
        _pause(true);
        TypedData.Receipt memory receipt = receiptOf("doubted");
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory approvals = votesOf(receipt, 1, Leaves.VERDICT_ACCEPT);
        fund(STRANGER, address(disputes), DISPUTE_BOND);
        vm.expectRevert(PAUSED);
        vm.prank(STRANGER);
        disputes.open(receipt, signature, 1, approvals);
        _pause(false);
        open(1);
    }

    function testAPaymentToAnAgentThatTheTokenRefusesOwesNobody() public {
        bytes32 agent = revenue.register("salt", STRANGER);
        fund(REQUESTER, address(revenue), 1_000);
        _pause(true);
        vm.expectRevert(PAUSED);
        vm.prank(REQUESTER);
        revenue.pay(agent, 1_000);
        assertEq(revenue.owedTo(STRANGER), 0);
        assertEq(revenue.potOf(1), 0);
    }

    function _slashRejected(address reporter) private {
        TypedData.Receipt memory receipt = receiptOf("wrong");
        bytes32 fault = slashing.faultIdOf("rejected", receipt.taskId, receipt.attempt, worker);
        vm.prank(reporter);
        slashing.commitReport(keccak256(abi.encode(reporter, fault)));
        vm.warp(block.timestamp + 1);
        bytes memory signature = signReceipt(receipt);
        Evidence.SignedVote[] memory rejections = rejectionsOf(receipt, 2);
        vm.prank(reporter);
        slashing.slashRejected(receipt, signature, 1, rejections);
    }

    function _pause(bool value) private {
        PublicIfrToken(address(token)).setPaused(value);
    }

    function _blacklist(address account, bool value) private {
        PublicIfrToken(address(token)).setBlacklisted(account, value);
    }
}
