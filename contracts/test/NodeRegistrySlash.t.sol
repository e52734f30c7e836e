// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";

contract NodeRegistrySlashTest is RegistryFixture {
    function testSlashPaysTheReporterAndBurnsTheRest() public {
        bondNode(node, WORKER, WORKER_BOND);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(registry));
        emit INodeRegistry.Slashed(node, FAULT, STRANGER, 1_000 ether, 300 ether, 700 ether);
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 1_000, FAULT, STRANGER);
        registry.collect(STRANGER);
        registry.burnPending();
        assertEq(token.balanceOf(STRANGER), 300 ether);
        assertEq(token.totalSupply(), supply - 700 ether);
        assertEq(registry.stakeOf(node), 9_000 ether);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Underbonded));
    }

    function testNobodyReportsItself() public {
        bondAsOwner(WORKER, WORKER_BOND);
        address[4] memory own = [address(0), node, OWNER, PAYOUT];
        for (uint256 i = 0; i < own.length; ++i) {
            uint256 before = registry.pendingBurn();
            vm.prank(address(slashing));
            uint256 amount = registry.slash(node, WORKER, 1_000, FAULT, own[i]);
            assertEq(registry.pendingBurn(), before + amount);
            assertEq(registry.owedTo(own[i]), 0);
        }
    }

    function testUnbondingStakeIsSlashable() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.prank(node);
        registry.requestUnbond(node, 9_500 ether);
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 1_000, FAULT, STRANGER);
        assertEq(registry.nodeOf(node).active, 0);
        assertEq(registry.nodeOf(node).unbonding, 9_000 ether);
    }

    function testSlashChecksItsArguments() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.startPrank(address(slashing));
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.InvalidBps.selector, 0));
        registry.slash(node, WORKER, 0, FAULT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.InvalidBps.selector, 10_001));
        registry.slash(node, WORKER, 10_001, FAULT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongRole.selector, WORKER, VALIDATOR));
        registry.slash(node, VALIDATOR, 1, FAULT, STRANGER);
        registry.slash(node, WORKER, 10_000, FAULT, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NothingToSlash.selector, node));
        registry.slash(node, WORKER, 10_000, FAULT, STRANGER);
        vm.stopPrank();
    }

    function testWhoLosesEverythingIsUnderbondedAndNotOnItsWayOut() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 10_000, FAULT, STRANGER);
        assertEq(registry.stakeOf(node), 0);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Underbonded));
    }

    function testOnlyTheSlasherSlashesAndDisqualifies() public {
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, registry.SLASHER_ROLE()
        );
        vm.startPrank(STRANGER);
        vm.expectRevert(refusal);
        registry.slash(node, WORKER, 1, FAULT, STRANGER);
        vm.expectRevert(refusal);
        registry.disqualify(node, FAULT);
        vm.stopPrank();
    }

    function testDisqualificationIsForEver() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Disqualified(node, FAULT);
        vm.prank(address(slashing));
        registry.disqualify(node, FAULT);
        assertTrue(!registry.isActive(node, WORKER), "not active");
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeIsDisqualified.selector, node));
        vm.prank(address(slashing));
        registry.disqualify(node, FAULT);
        vm.startPrank(node);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeIsDisqualified.selector, node));
        registry.bond(node, WORKER, node, WORKER_BOND);
        registry.requestUnbond(node, WORKER_BOND);
        vm.warp(block.timestamp + WORKER_DELAY);
        registry.withdraw(node);
        vm.stopPrank();
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Disqualified));
    }

    function testFuzzSlashTakesExactlyItsShare(uint256 active, uint256 unbonding, uint256 bps) public {
        active = bound(active, WORKER_BOND, 10_000_000 ether);
        unbonding = bound(unbonding, 1, active);
        bps = bound(bps, 1, 10_000);
        bondNode(node, WORKER, active);
        vm.prank(node);
        registry.requestUnbond(node, unbonding);
        vm.prank(address(slashing));
        uint256 amount = registry.slash(node, WORKER, bps, FAULT, STRANGER);
        assertEq(amount, active * bps / 10_000);
        assertEq(registry.stakeOf(node), active - amount);
        assertEq(token.balanceOf(address(registry)), active);
        assertEq(registry.pendingBurn() + registry.owedTo(STRANGER), amount);
        assertTrue(registry.owedTo(STRANGER) <= amount * 3 / 10, "reporter gets at most 30 %");
    }
}
