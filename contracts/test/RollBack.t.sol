// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {DoubleSettlementFixture} from "./support/DoubleSettlementFixture.sol";

/// @notice Four batches; the third settles the second's task again.
contract RollBackTest is DoubleSettlementFixture {
    uint256 internal start;

    function setUp() public override {
        super.setUp();
        start = block.timestamp;
        settleTask("a", 10);
        settleTask("b", 20);
    }

    function testTakesBackTheFaultyBatchAndAllAfterIt() public {
        _settleFaulty();
        vm.expectEmit(address(settlement));
        emit ISettlement.RolledBack(2, hashOf(1), 2);
        vm.prank(STRANGER);
        settlement.rollBack(chain[1], pathOf(2, 3));
        (uint64 sequence, bytes32 last, uint256 settledWei) = settlement.lastBatch();
        assertEq(sequence, 2);
        assertEq(last, hashOf(1));
        assertEq(settledWei, 20);
        settleTask("c", 25);
        (sequence,, settledWei) = settlement.lastBatch();
        assertEq(sequence, 3);
        assertEq(settledWei, 25);
    }

    function testEndsTheEpochThatMustSignTheNumberAgain() public {
        _settleFaulty();
        settlement.rollBack(chain[1], pathOf(2, 3));
        assertEq(sets.epoch(), 2);
        assertTrue(!sets.isLive(1), "ended without grace");
        assertEq(sets.validatorsOf(2).length, VALIDATORS);
    }

    function testKeepsAnEpochThatHasNotSignedIt() public {
        _settleFaulty();
        for (uint256 i = 0; i < VALIDATORS; ++i) {
            bondNode(validators[i], INodeRegistry.Role.Validator, VALIDATOR_BOND);
        }
        sets.rotate(validators);
        vm.warp(block.timestamp + GRACE + 1);
        settlement.rollBack(chain[1], pathOf(2, 3));
        assertEq(sets.epoch(), 2);
    }

    function testNeedsAProvenFault() public {
        settleTask("b", 30);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.HeaderNotFaulty.selector, hashOf(2)));
        settlement.rollBack(chain[1], pathOf(2, 2));
        vm.expectRevert(abi.encodeWithSelector(ISettlement.BrokenHeaderChain.selector, 0));
        settlement.rollBack(chain[1], new TypedData.BatchHeader[](0));
    }

    function testThePathLeadsToTheLastHeader() public {
        _settleFaulty();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.HeaderNotSettled.selector, hashOf(2)));
        settlement.rollBack(chain[1], pathOf(2, 2));
        TypedData.BatchHeader[] memory path = pathOf(2, 3);
        path[1].previousHash = 0;
        vm.expectRevert(abi.encodeWithSelector(ISettlement.BrokenHeaderChain.selector, 1));
        settlement.rollBack(chain[1], path);
    }

    function testTheParentIsTheHeaderBefore() public {
        _settleFaulty();
        vm.expectRevert(abi.encodeWithSelector(ISettlement.WrongPreviousHash.selector, hashOf(0), hashOf(1)));
        settlement.rollBack(chain[0], pathOf(2, 3));
    }

    function testAFinalHeaderStays() public {
        _settleFaulty();
        vm.warp(block.timestamp + CHALLENGE);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.HeaderIsFinal.selector, hashOf(3)));
        settlement.rollBack(chain[1], pathOf(2, 3));
    }

    function testAFaultBelowTheFinalHeaderStays() public {
        settleTask("b", 30);
        vm.warp(block.timestamp + CHALLENGE);
        settleTask("c", 40);
        prove("b", 1, 2);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.HeaderIsFinal.selector, hashOf(2)));
        settlement.rollBack(chain[1], pathOf(2, 3));
    }

    function testTheCandidateBeforeItKeepsItsTime() public {
        vm.warp(start + CHALLENGE / 2);
        _settleFaulty();
        settlement.rollBack(chain[1], pathOf(2, 3));
        vm.warp(start + CHALLENGE - 1);
        assertEq(settlement.finalHeader(), 0);
        vm.warp(start + CHALLENGE);
        assertEq(settlement.finalHeader(), hashOf(0));
        // The parent is the last header again, and must stand for a window of its own.
        vm.warp(start + CHALLENGE / 2 + CHALLENGE - 1);
        assertEq(settlement.finalHeader(), hashOf(0));
        vm.warp(start + CHALLENGE / 2 + CHALLENGE);
        assertEq(settlement.finalHeader(), hashOf(1));
    }

    function testACandidateThatFallsIsReplacedByTheParent() public {
        vm.warp(start + CHALLENGE);
        _settleFaulty();
        bytes32 parent = hashOf(1);
        uint256 at = block.timestamp + 100;
        vm.warp(at);
        settlement.rollBack(chain[1], pathOf(2, 3));
        assertEq(settlement.finalHeader(), parent);
        vm.warp(at + 10);
        settleTask("c", 25);
        (, bytes32 third,) = settlement.lastBatch();
        vm.warp(at + CHALLENGE);
        settleTask("d", 26);
        assertEq(settlement.finalHeader(), parent);
        vm.warp(at + CHALLENGE + 9);
        assertEq(settlement.finalHeader(), parent);
        vm.warp(at + CHALLENGE + 10);
        assertEq(settlement.finalHeader(), third);
    }

    function testACheckpointThatFallsIsDeleted() public {
        for (uint256 i = 2; i < 255; ++i) {
            settleTask("filler", 20);
        }
        settleTask("b", 20);
        assertEq(settlement.checkpointOf(256), hashOf(255));
        prove("filler", 253, 254);
        settlement.rollBack(chain[253], pathOf(254, 255));
        assertEq(settlement.checkpointOf(256), 0);
    }

    function _settleFaulty() private {
        settleTask("b", 30);
        settleTask("z", 40);
        prove("b", 1, 2);
    }
}
