// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../src/interfaces/ISettlement.sol";
import {ISlashingManager} from "../src/interfaces/ISlashingManager.sol";
import {Leaves} from "../src/libraries/Leaves.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {DoubleSettlementFixture} from "./support/DoubleSettlementFixture.sol";

contract RollBackFirstTest is DoubleSettlementFixture {
    function testTheFirstBatchMayFallToo() public {
        Leaves.Task memory first = taskOf("a");
        Leaves.Task memory second = taskOf("a");
        second.attempt = 2;
        (bytes32 a, bytes32 b) = (Leaves.hash(first), Leaves.hash(second));
        TypedData.BatchHeader memory header = nextHeader(keccak256("balances"), 10);
        header.taskRoot = a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
        settle(header);
        chain.push(header);
        bytes32[] memory toFirst = new bytes32[](1);
        bytes32[] memory toSecond = new bytes32[](1);
        (toFirst[0], toSecond[0]) = (b, a);
        slashing.proveDoubleSettlement(
            pathOf(0, 0), ISlashingManager.SettledTask(first, toFirst), ISlashingManager.SettledTask(second, toSecond)
        );
        TypedData.BatchHeader memory none;
        vm.expectEmit(address(settlement));
        emit ISettlement.RolledBack(0, 0, 1);
        settlement.rollBack(none, pathOf(0, 0));
        (uint64 sequence, bytes32 last, uint256 settledWei) = settlement.lastBatch();
        assertEq(sequence, 0);
        assertEq(last, 0);
        assertEq(settledWei, 0);
        vm.warp(block.timestamp + CHALLENGE);
        assertEq(settlement.finalHeader(), 0);
        _checkANewFirstBatch();
    }

    function _checkANewFirstBatch() private {
        settleTask("b", 5);
        (, bytes32 last,) = settlement.lastBatch();
        vm.warp(block.timestamp + CHALLENGE - 1);
        assertEq(settlement.finalHeader(), 0);
        settleTask("c", 6);
        vm.warp(block.timestamp + 1);
        assertEq(settlement.finalHeader(), last);
    }
}
