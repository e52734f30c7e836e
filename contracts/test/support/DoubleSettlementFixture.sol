// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISlashingManager} from "../../src/interfaces/ISlashingManager.sol";
import {Leaves} from "../../src/libraries/Leaves.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {Fixture} from "./Fixture.sol";

/// @notice Batches of one task each, so that the task's leaf is the root.
abstract contract DoubleSettlementFixture is Fixture {
    /// @dev Headers as they were settled, in order.
    TypedData.BatchHeader[] internal chain;

    function setUp() public virtual {
        deployAll();
        deposit(1_000);
    }

    function taskOf(string memory name) internal pure returns (Leaves.Task memory task) {
        task.taskId = keccak256(bytes(name));
        task.attempt = 1;
        task.worker = address(0x1234);
        task.requester = REQUESTER;
        task.rewardWei = 5;
    }

    function settleTask(string memory name, uint256 settledWei) internal {
        TypedData.BatchHeader memory header = nextHeader(keccak256("balances"), settledWei);
        header.taskRoot = Leaves.hash(taskOf(name));
        settle(header);
        chain.push(header);
    }

    function hashOf(uint256 index) internal view returns (bytes32) {
        return settlement.hashHeader(chain[index]);
    }

    /// @notice Headers `from` to `to`, both included.
    function pathOf(uint256 from, uint256 to) internal view returns (TypedData.BatchHeader[] memory path) {
        path = new TypedData.BatchHeader[](to - from + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            path[i] = chain[from + i];
        }
    }

    function settledTask(string memory name) internal pure returns (ISlashingManager.SettledTask memory) {
        return ISlashingManager.SettledTask(taskOf(name), new bytes32[](0));
    }

    function prove(string memory name, uint256 from, uint256 to) internal {
        slashing.proveDoubleSettlement(pathOf(from, to), settledTask(name), settledTask(name));
    }
}
