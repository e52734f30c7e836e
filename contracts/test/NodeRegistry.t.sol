// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Signatures} from "../src/libraries/Signatures.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";

contract NodeRegistryTest is RegistryFixture {
    function testBondByTheNodeMakesItActive() public {
        fund(node, address(registry), WORKER_BOND);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Bonded(node, WORKER, node, PAYOUT, WORKER_BOND, WORKER_BOND);
        vm.prank(node);
        registry.bond(node, WORKER, PAYOUT, WORKER_BOND);
        assertTrue(registry.isActive(node, WORKER), "active worker");
        assertTrue(!registry.isActive(node, VALIDATOR), "no validator");
        assertEq(registry.stakeOf(node), WORKER_BOND);
        assertEq(registry.payoutOf(node), PAYOUT);
        assertEq(registry.nodeOf(node).owner, node);
        assertEq(token.balanceOf(address(registry)), WORKER_BOND);
    }

    function testBondWithConsentMakesTheCallerOwner() public {
        bondAsOwner(WORKER, WORKER_BOND);
        assertEq(registry.nodeOf(node).owner, OWNER);
        assertEq(registry.payoutOf(node), PAYOUT);
    }

    function testStrangerCannotBondANodeFirst() public {
        fund(STRANGER, address(registry), WORKER_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeConsentMissing.selector, node));
        vm.prank(STRANGER);
        registry.bond(node, WORKER, STRANGER, WORKER_BOND);
    }

    function testConsentForAnotherOwnerIsRefused() public {
        bytes memory signature = consentOf(WORKER, OWNER, uint64(block.timestamp));
        fund(STRANGER, address(registry), WORKER_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NodeConsentMissing.selector, node));
        vm.prank(STRANGER);
        registry.bondWithConsent(node, WORKER, PAYOUT, WORKER_BOND, uint64(block.timestamp), signature);
    }

    function testExpiredConsentIsRefused() public {
        uint64 expiresAt = uint64(block.timestamp);
        bytes memory signature = consentOf(WORKER, OWNER, expiresAt);
        vm.warp(expiresAt + 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.ConsentExpired.selector, expiresAt));
        vm.prank(OWNER);
        registry.bondWithConsent(node, WORKER, PAYOUT, WORKER_BOND, expiresAt, signature);
    }

    function testConsentOfTheWrongLengthIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(Signatures.InvalidSignatureLength.selector, 65));
        vm.prank(OWNER);
        registry.bondWithConsent(node, WORKER, PAYOUT, WORKER_BOND, uint64(block.timestamp), new bytes(65));
    }

    function testBondBelowTheMinimumIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.BondTooSmall.selector, WORKER_BOND - 1, WORKER_BOND));
        vm.prank(node);
        registry.bond(node, WORKER, node, WORKER_BOND - 1);
    }

    function testBondWithoutRoleOrPayoutIsRefused() public {
        vm.startPrank(node);
        vm.expectRevert(INodeRegistry.InvalidRole.selector);
        registry.bond(node, INodeRegistry.Role.None, node, WORKER_BOND);
        vm.expectRevert(INodeRegistry.InvalidPayout.selector);
        registry.bond(node, WORKER, address(0), WORKER_BOND);
        vm.stopPrank();
    }

    function testSecondBondMustKeepRoleAndOwner() public {
        bondAsOwner(WORKER, WORKER_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongRole.selector, WORKER, VALIDATOR));
        vm.prank(OWNER);
        registry.bond(node, VALIDATOR, PAYOUT, VALIDATOR_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, STRANGER, OWNER));
        vm.prank(STRANGER);
        registry.bond(node, WORKER, STRANGER, 1);
    }

    function testOwnerTopsUpAndMovesThePayout() public {
        bondAsOwner(WORKER, WORKER_BOND);
        fund(OWNER, address(registry), 1);
        vm.prank(OWNER);
        registry.bond(node, WORKER, STRANGER, 1);
        assertEq(registry.stakeOf(node), WORKER_BOND + 1);
        assertEq(registry.payoutOf(node), STRANGER);
    }

    function testOwnerSetsThePayout() public {
        bondAsOwner(WORKER, WORKER_BOND);
        vm.expectEmit(address(registry));
        emit INodeRegistry.PayoutChanged(node, STRANGER);
        vm.prank(OWNER);
        registry.setPayout(node, STRANGER);
        assertEq(registry.payoutOf(node), STRANGER);
        vm.expectRevert(INodeRegistry.InvalidPayout.selector);
        vm.prank(OWNER);
        registry.setPayout(node, address(0));
    }

    function testOnlyTheOwnerSetsThePayoutOrUnbonds() public {
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.UnknownNode.selector, node));
        registry.setPayout(node, STRANGER);
        bondAsOwner(WORKER, WORKER_BOND);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, node, OWNER));
        vm.prank(node);
        registry.setPayout(node, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotOwner.selector, node, OWNER));
        vm.prank(node);
        registry.requestUnbond(node, 1);
    }

    function testPayoutOfAStrangerIsItself() public view {
        assertEq(registry.payoutOf(STRANGER), STRANGER);
    }

    function testUnbondWaitsForItsDelayThenPaysTheOwner() public {
        bondAsOwner(WORKER, WORKER_BOND);
        uint256 releaseAt = block.timestamp + WORKER_DELAY;
        vm.expectEmit(address(registry));
        emit INodeRegistry.UnbondRequested(node, WORKER_BOND, releaseAt);
        vm.prank(OWNER);
        registry.requestUnbond(node, WORKER_BOND);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Unbonding));
        vm.warp(releaseAt - 1);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.StillUnbonding.selector, releaseAt));
        registry.withdraw(node);
        vm.warp(releaseAt);
        vm.expectEmit(address(registry));
        emit INodeRegistry.Withdrawn(node, OWNER, WORKER_BOND);
        registry.withdraw(node);
        assertEq(token.balanceOf(OWNER), WORKER_BOND);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.None));
        assertEq(registry.payoutOf(node), PAYOUT);
    }

    function testValidatorsUnbondMoreSlowly() public {
        bondAsOwner(VALIDATOR, VALIDATOR_BOND);
        vm.prank(OWNER);
        registry.requestUnbond(node, 1);
        assertEq(registry.nodeOf(node).releaseAt, block.timestamp + VALIDATOR_DELAY);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Underbonded));
    }

    function testASecondRequestRestartsTheDelay() public {
        bondAsOwner(WORKER, WORKER_BOND);
        vm.startPrank(OWNER);
        registry.requestUnbond(node, 1);
        vm.warp(block.timestamp + 1 days);
        registry.requestUnbond(node, 1);
        vm.stopPrank();
        assertEq(registry.nodeOf(node).releaseAt, block.timestamp + WORKER_DELAY);
        assertEq(registry.nodeOf(node).unbonding, 2);
    }

    function testUnbondOfNothingOrTooMuchIsRefused() public {
        bondAsOwner(WORKER, WORKER_BOND);
        vm.startPrank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.AmountTooLarge.selector, 0, WORKER_BOND));
        registry.requestUnbond(node, 0);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.AmountTooLarge.selector, WORKER_BOND + 1, WORKER_BOND));
        registry.requestUnbond(node, WORKER_BOND + 1);
        vm.stopPrank();
    }

    function testWithdrawOfNothingIsRefused() public {
        vm.expectRevert(INodeRegistry.NothingToWithdraw.selector);
        registry.withdraw(node);
    }

    function testANodeThatWithdrawsAPartKeepsItsOwnerAndRole() public {
        bondAsOwner(WORKER, WORKER_BOND + 5);
        vm.prank(OWNER);
        registry.requestUnbond(node, 5);
        vm.warp(block.timestamp + WORKER_DELAY);
        registry.withdraw(node);
        assertEq(registry.nodeOf(node).owner, OWNER);
        assertTrue(registry.isActive(node, WORKER), "still a worker");
        assertEq(registry.stakeOf(node), WORKER_BOND);
    }

    function testAWithdrawnNodeMayBondInAnotherRole() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.prank(node);
        registry.requestUnbond(node, WORKER_BOND);
        vm.warp(block.timestamp + WORKER_DELAY);
        registry.withdraw(node);
        bondNode(node, VALIDATOR, VALIDATOR_BOND);
        assertTrue(registry.isActive(node, VALIDATOR), "active validator");
    }

    function testParametersAreBounded() public {
        INodeRegistry.Parameters[9] memory wrong;
        for (uint256 i = 0; i < wrong.length; ++i) {
            wrong[i] = registryParameters();
        }
        wrong[0].workerMinimum = 0;
        wrong[1].workerMinimum = 10_000_000 ether + 1;
        wrong[2].validatorMinimum = 0;
        wrong[3].validatorMinimum = 10_000_000 ether + 1;
        wrong[4].workerDelay = 0;
        wrong[5].workerDelay = 90 days + 1;
        wrong[6].validatorDelay = 0;
        wrong[7].validatorDelay = 90 days + 1;
        wrong[8].reporterBps = 3_001;
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(INodeRegistry.InvalidParameter.selector);
            registry.setParameters(wrong[i]);
        }
    }
}
