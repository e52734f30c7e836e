// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ISlashingManager} from "../src/interfaces/ISlashingManager.sol";
import {Evidence} from "../src/libraries/Evidence.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {DoubleSettlementFixture} from "./support/DoubleSettlementFixture.sol";

/// @notice The second batch's task is settled again by the fourth.
contract DoubleSettlementTest is DoubleSettlementFixture {
    function setUp() public override {
        super.setUp();
        settleTask("a", 1);
        settleTask("b", 2);
        settleTask("c", 3);
        settleTask("b", 4);
        bondNode(validators[0], INodeRegistry.Role.Validator, VALIDATOR_BOND);
    }

    function testAProofMarksTheLaterHeader() public {
        vm.expectEmit(address(slashing));
        emit ISlashingManager.DoubleSettlementProven(hashOf(3), keccak256("b"));
        vm.prank(STRANGER);
        prove("b", 1, 3);
        assertTrue(slashing.isFaultyHeader(hashOf(3)), "faulty");
        assertTrue(!slashing.isFaultyHeader(hashOf(1)), "the first is not");
    }

    function testWhoSignedBothLosesAllAndItsSeat() public {
        prove("b", 1, 3);
        bytes32 fault = slashing.validatorFaultIdOf("signed", hashOf(3), validators[0]);
        vm.expectEmit(address(slashing));
        emit ISlashingManager.ValidatorExpelled(fault, validators[0], VALIDATOR_BOND);
        vm.expectEmit(address(slashing));
        emit ISlashingManager.SignerSlashed(hashOf(3), validators[0], VALIDATOR_BOND);
        _slashSigner(1, 3);
        assertEq(registry.stakeOf(validators[0]), 0);
        assertEq(uint256(registry.stateOf(validators[0])), uint256(INodeRegistry.State.Disqualified));
        assertTrue(!sets.isMember(sets.epoch(), validators[0]), "no seat");
        vm.expectRevert(abi.encodeWithSelector(ISlashingManager.AlreadySlashed.selector, fault));
        this.slashSigner(1, 3);
    }

    function testASecondProofForTheSameHeaderTakesNothingFromTheFirst() public {
        settleTask("b", 5);
        prove("b", 1, 4);
        prove("b", 3, 4);
        _slashSigner(1, 4);
        assertEq(registry.stakeOf(validators[0]), 0);
    }

    function testSignersNeedAProofOfThesePair() public {
        vm.expectRevert(abi.encodeWithSelector(ISlashingManager.HeaderNotFaulty.selector, hashOf(3)));
        this.slashSigner(1, 3);
        prove("b", 1, 3);
        vm.expectRevert(abi.encodeWithSelector(ISlashingManager.HeaderNotFaulty.selector, hashOf(3)));
        this.slashSigner(0, 3);
    }

    function testBothHeadersMustBeSigned() public {
        prove("b", 1, 3);
        bytes memory first = compact(keys[0], hashOf(1));
        bytes memory second = compact(keys[0], hashOf(3));
        bytes memory foreign = compact(keys[1], hashOf(1));
        bytes memory foreignSecond = compact(keys[1], hashOf(3));
        bytes memory refusal =
            abi.encodeWithSelector(Evidence.NotSignedByValidator.selector, validators[1], validators[0]);
        vm.expectRevert(refusal);
        slashing.slashSigner(validators[0], _signed(1, foreign), _signed(3, second));
        vm.expectRevert(refusal);
        slashing.slashSigner(validators[0], _signed(1, first), _signed(3, foreignSecond));
    }

    function testThePathMustBeAChainWithTheTaskAtBothEnds() public {
        vm.expectRevert(abi.encodeWithSelector(ISlashingManager.BrokenHeaderChain.selector, 0));
        slashing.proveDoubleSettlement(new TypedData.BatchHeader[](0), settledTask("b"), settledTask("b"));
        TypedData.BatchHeader[] memory path = pathOf(1, 3);
        path[2].previousHash = 0;
        vm.expectRevert(abi.encodeWithSelector(ISlashingManager.BrokenHeaderChain.selector, 2));
        slashing.proveDoubleSettlement(path, settledTask("b"), settledTask("b"));
        _expectNoDouble(1, 2, "b", "b");
        _expectNoDouble(0, 3, "b", "b");
        _expectNoDouble(0, 1, "a", "b");
    }

    function testOnePlaceIsNoDoubleSettlement() public {
        _expectNoDouble(1, 1, "b", "b");
    }

    function slashSigner(uint256 first, uint256 second) external {
        _slashSigner(first, second);
    }

    function _slashSigner(uint256 first, uint256 second) private {
        slashing.slashSigner(
            validators[0],
            _signed(first, compact(keys[0], hashOf(first))),
            _signed(second, compact(keys[0], hashOf(second)))
        );
    }

    function _signed(uint256 index, bytes memory signature)
        private
        view
        returns (ISlashingManager.SignedHeader memory)
    {
        return ISlashingManager.SignedHeader(chain[index], signature);
    }

    function _expectNoDouble(uint256 from, uint256 to, string memory first, string memory second) private {
        TypedData.BatchHeader[] memory path = pathOf(from, to);
        vm.expectRevert(ISlashingManager.NoDoubleSettlement.selector);
        slashing.proveDoubleSettlement(path, settledTask(first), settledTask(second));
    }
}
