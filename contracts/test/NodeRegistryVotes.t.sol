// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";

/// @notice Governed parameters, and votes that follow the stake.
contract NodeRegistryVotesTest is RegistryFixture {
    address internal constant DELEGATE = address(0xDE);

    function testVotesFollowTheStakeOfTheOwner() public {
        bondAsOwner(WORKER, WORKER_BOND);
        assertEq(registry.getVotes(OWNER), WORKER_BOND);
        assertEq(registry.getVotes(node), 0);
        vm.prank(OWNER);
        registry.requestUnbond(node, 4_000 ether);
        assertEq(registry.getVotes(OWNER), WORKER_BOND);
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 1_000, FAULT, STRANGER);
        assertEq(registry.getVotes(OWNER), 9_000 ether);
        vm.warp(block.timestamp + WORKER_DELAY);
        registry.withdraw(node);
        assertEq(registry.getVotes(OWNER), 5_000 ether);
    }

    function testVotesAddUpOverNodesAndMayBeDelegated() public {
        bondAsOwner(WORKER, WORKER_BOND);
        fund(OWNER, address(registry), VALIDATOR_BOND);
        vm.startPrank(OWNER);
        registry.bond(OWNER, VALIDATOR, PAYOUT, VALIDATOR_BOND);
        assertEq(registry.getVotes(OWNER), WORKER_BOND + VALIDATOR_BOND);
        registry.delegate(DELEGATE);
        vm.stopPrank();
        assertEq(registry.getVotes(OWNER), 0);
        assertEq(registry.getVotes(DELEGATE), WORKER_BOND + VALIDATOR_BOND);
        fund(OWNER, address(registry), 7);
        vm.prank(OWNER);
        registry.bond(node, WORKER, PAYOUT, 7);
        assertEq(registry.getVotes(DELEGATE), WORKER_BOND + VALIDATOR_BOND + 7);
    }

    function testVotesAreThoseOfAPastSecond() public {
        uint256 before = block.timestamp;
        vm.warp(before + 10);
        bondAsOwner(WORKER, WORKER_BOND);
        vm.warp(before + 20);
        assertEq(registry.getPastVotes(OWNER, before), 0);
        assertEq(registry.getPastVotes(OWNER, before + 10), WORKER_BOND);
        assertEq(registry.clock(), block.timestamp);
        assertEq(keccak256(bytes(registry.CLOCK_MODE())), keccak256("mode=timestamp"));
    }

    function testGovernanceSetsTheParameters() public {
        bondNode(node, WORKER, WORKER_BOND);
        INodeRegistry.Parameters memory given =
            INodeRegistry.Parameters(10_000_000 ether, 10_000_000 ether, 90 days, 90 days, 3_000);
        vm.expectEmit(address(registry));
        emit INodeRegistry.ParametersChanged(given);
        registry.setParameters(given);
        assertEq(keccak256(abi.encode(registry.parameters())), keccak256(abi.encode(given)));
        assertEq(registry.minimumOf(WORKER), 10_000_000 ether);
        assertEq(uint256(registry.stateOf(node)), uint256(INodeRegistry.State.Underbonded));
        given = INodeRegistry.Parameters(1, 2, 1, 1, 0);
        registry.setParameters(given);
        assertEq(registry.minimumOf(WORKER), 1);
        assertEq(registry.minimumOf(VALIDATOR), 2);
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 1_000, FAULT, STRANGER);
        assertEq(registry.owedTo(STRANGER), 0);
    }

    function testADelayThatHasBegunKeepsItsEnd() public {
        bondNode(node, WORKER, WORKER_BOND);
        vm.prank(node);
        registry.requestUnbond(node, WORKER_BOND);
        uint256 releaseAt = block.timestamp + WORKER_DELAY;
        registry.setParameters(INodeRegistry.Parameters(WORKER_BOND, VALIDATOR_BOND, 90 days, 90 days, 3_000));
        vm.warp(releaseAt);
        registry.withdraw(node);
        assertEq(token.balanceOf(node), WORKER_BOND);
    }

    function testOnlyGovernanceSetsTheParameters() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, bytes32(0))
        );
        vm.prank(STRANGER);
        registry.setParameters(registryParameters());
    }

    function testRolesAreThoseOfTheConstructor() public view {
        assertTrue(registry.hasRole(0, address(this)), "admin");
        assertTrue(registry.hasRole(registry.SLASHER_ROLE(), address(slashing)), "slashing");
        assertTrue(registry.hasRole(registry.SLASHER_ROLE(), address(disputes)), "disputes");
        assertTrue(!registry.hasRole(registry.SLASHER_ROLE(), address(this)), "the deployer slashes nobody");
        assertTrue(!sets.hasRole(sets.REMOVER_ROLE(), address(this)), "the deployer removes nobody");
        assertTrue(!settlement.hasRole(settlement.GUARDIAN_ROLE(), address(this)), "the deployer pauses nothing");
    }
}
