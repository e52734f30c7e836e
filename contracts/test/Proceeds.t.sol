// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProceeds} from "../src/interfaces/IProceeds.sol";
import {RegistryFixture} from "./support/RegistryFixture.sol";

/// @notice What slashes take, as NodeRegistry keeps it.
contract ProceedsTest is RegistryFixture {
    function testAnybodyCollectsForWhomItIsOwed() public {
        _slash();
        vm.expectEmit(address(registry));
        emit IProceeds.Collected(STRANGER, 300 ether);
        registry.collect(STRANGER);
        assertEq(token.balanceOf(STRANGER), 300 ether);
        assertEq(registry.owedTo(STRANGER), 0);
        vm.expectRevert(abi.encodeWithSelector(IProceeds.NothingOwed.selector, STRANGER));
        registry.collect(STRANGER);
    }

    function testWhatIsPendingIsBurntOnce() public {
        _slash();
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(registry));
        emit IProceeds.Burnt(700 ether);
        registry.burnPending();
        assertEq(token.totalSupply(), supply - 700 ether);
        assertEq(registry.pendingBurn(), 0);
        vm.expectRevert(IProceeds.NothingToBurn.selector);
        registry.burnPending();
    }

    function testWhatIsOwedAddsUp() public {
        _slash();
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 1_000, FAULT, STRANGER);
        assertEq(registry.owedTo(STRANGER), 570 ether);
        assertEq(registry.pendingBurn(), 1_330 ether);
    }

    function testNoStakeIsPaidOut() public {
        _slash();
        registry.collect(STRANGER);
        registry.burnPending();
        assertEq(token.balanceOf(address(registry)), registry.stakeOf(node));
    }

    function _slash() private {
        bondNode(node, WORKER, WORKER_BOND);
        vm.prank(address(slashing));
        registry.slash(node, WORKER, 1_000, FAULT, STRANGER);
    }
}
