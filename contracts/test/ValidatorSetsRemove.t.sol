// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IValidatorSets} from "../src/interfaces/IValidatorSets.sol";
import {Fixture} from "./support/Fixture.sol";

/// @notice Expulsion and renewal: epochs that begin at once and without grace.
contract ValidatorSetsRemoveTest is Fixture {
    function setUp() public {
        deployAll();
    }

    function testAnExpelledMemberIsGoneAtOnce() public {
        address[] memory rest = new address[](VALIDATORS - 2);
        for (uint256 i = 0; i < rest.length; ++i) {
            rest[i] = validators[i < 1 ? i : i + 2];
        }
        vm.expectEmit(address(sets));
        emit IValidatorSets.Rotated(2, rest);
        assertEq(_remove(_pair(1, 2)), 2);
        assertTrue(!sets.isMember(2, validators[1]) && !sets.isMember(2, validators[2]), "gone");
        assertTrue(sets.isMember(1, validators[1]), "the past stays");
        assertEq(sets.quorumOf(2), 4);
        assertTrue(sets.isLive(2) && !sets.isLive(1), "no grace");
        assertEq(sets.retiredAt(1), block.timestamp);
    }

    function testWhoIsNoMemberChangesNothing() public {
        address[] memory strangers = new address[](1);
        strangers[0] = STRANGER;
        assertEq(_remove(strangers), 1);
        assertEq(sets.epoch(), 1);
    }

    function testSomebodyIsLeft() public {
        assertEq(_remove(validators), 1);
        assertEq(sets.validatorsOf(1).length, VALIDATORS);
        address[] memory allButOne = new address[](VALIDATORS - 1);
        for (uint256 i = 0; i < allButOne.length; ++i) {
            allButOne[i] = validators[i];
        }
        assertEq(_remove(allButOne), 2);
        assertEq(sets.validatorsOf(2)[0], validators[VALIDATORS - 1]);
        assertEq(sets.quorumOf(2), 1);
    }

    function testGraceEndsForAnEpochWithAnExpelledMember() public {
        _rotateTo(_pair(0, 1));
        assertTrue(sets.isLive(1), "in grace");
        address[] memory strangers = new address[](1);
        strangers[0] = STRANGER;
        _remove(strangers);
        assertTrue(sets.isLive(1), "a stranger ends no grace");
        vm.warp(block.timestamp + GRACE);
        assertEq(_remove(_pair(5, 6)), 2);
        assertTrue(!sets.isLive(1), "ended");
        assertTrue(sets.isLive(2), "the current one stays");
    }

    function testGraceThatIsOverMattersNoMore() public {
        _rotateTo(_pair(0, 1));
        vm.warp(block.timestamp + GRACE + 1);
        assertEq(_remove(_pair(5, 6)), 2);
        assertEq(sets.epoch(), 2);
    }

    function testARenewedEpochHasTheSameMembers() public {
        vm.expectEmit(address(sets));
        emit IValidatorSets.Rotated(2, validators);
        vm.prank(address(settlement));
        assertEq(sets.renew(), 2);
        assertTrue(sets.isLive(2) && !sets.isLive(1), "no grace");
    }

    function testOnlyJudgesRemoveAndRenew() public {
        bytes memory refusal = abi.encodeWithSelector(
            IAccessControl.AccessControlUnauthorizedAccount.selector, address(this), sets.REMOVER_ROLE()
        );
        vm.expectRevert(refusal);
        sets.remove(validators);
        vm.expectRevert(refusal);
        sets.renew();
    }

    function testOnlyTheCurrentEpochAndTheOneInGraceAreLive() public {
        assertTrue(sets.isLive(1) && !sets.isLive(0) && !sets.isLive(2), "the current one");
        _rotateTo(_pair(0, 1));
        vm.warp(block.timestamp + GRACE);
        assertTrue(sets.isLive(1) && sets.isLive(2) && !sets.isLive(3), "the last second of grace");
        vm.warp(block.timestamp + 1);
        assertTrue(!sets.isLive(1), "over");
    }

    function _remove(address[] memory expelled) private returns (uint64) {
        vm.prank(address(slashing));
        return sets.remove(expelled);
    }

    function _rotateTo(address[] memory next) private {
        for (uint256 i = 0; i < next.length; ++i) {
            bondNode(next[i], INodeRegistry.Role.Validator, VALIDATOR_BOND);
        }
        sets.rotate(next);
    }

    function _pair(uint256 a, uint256 b) private view returns (address[] memory pair) {
        pair = new address[](2);
        (pair[0], pair[1]) = (validators[a], validators[b]);
    }
}
