// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InferiumTimelock} from "../src/InferiumTimelock.sol";
import {Fixture} from "./support/Fixture.sol";

/// @notice The bounds of the wait between a vote and its execution; Governor.t.sol goes all the way.
contract TimelockTest is Fixture {
    function testTheWaitIsBounded() public {
        InferiumTimelock timelock = _deployTimelock(2 days);
        vm.startPrank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(InferiumTimelock.InvalidDelay.selector, 1 days - 1));
        timelock.updateDelay(1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(InferiumTimelock.InvalidDelay.selector, 30 days + 1));
        timelock.updateDelay(30 days + 1);
        timelock.updateDelay(1 days);
        assertEq(timelock.getMinDelay(), 1 days);
        timelock.updateDelay(30 days);
        assertEq(timelock.getMinDelay(), 30 days);
    }

    function testATrialsWaitMayBeSeconds() public {
        InferiumTimelock timelock = _deployTimelock(10);
        assertEq(timelock.minDelay(), 10);
        vm.startPrank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(InferiumTimelock.InvalidDelay.selector, 9));
        timelock.updateDelay(9);
        timelock.updateDelay(10);
    }

    function testOnlyAVoteChangesTheWait() public {
        InferiumTimelock timelock = _deployTimelock(2 days);
        vm.expectRevert(abi.encodeWithSignature("TimelockUnauthorizedCaller(address)", address(this)));
        timelock.updateDelay(3 days);
    }

    function testNoneBeginsBeyondTheBound() public {
        assertEq(_deployTimelock(30 days).getMinDelay(), 30 days);
        assertNotDeployable(
            "InferiumTimelock",
            abi.encode(30 days + 1, new address[](0), new address[](0)),
            abi.encodeWithSelector(InferiumTimelock.InvalidDelay.selector, 30 days + 1)
        );
    }

    function _deployTimelock(uint256 delay) private returns (InferiumTimelock) {
        bytes memory arguments = abi.encode(delay, new address[](0), new address[](0));
        return InferiumTimelock(payable(deploy("InferiumTimelock", arguments)));
    }
}
