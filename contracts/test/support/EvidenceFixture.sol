// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {Fixture} from "./Fixture.sol";

/// @notice A bonded worker with a known key, and its signed receipts.
abstract contract EvidenceFixture is Fixture {
    uint256 internal constant WORKER_KEY = 0xBADBAD;
    bytes32 internal constant VALIDATION = keccak256("validation");
    bytes32 internal constant SIBLING = keccak256("another vote");
    address internal worker;

    function setUp() public {
        deployAll();
        worker = vm.addr(WORKER_KEY);
        bondNode(worker, INodeRegistry.Role.Worker, WORKER_BOND);
    }

    function receiptOf(string memory output) internal view returns (TypedData.Receipt memory receipt) {
        receipt.taskId = keccak256("task");
        receipt.attempt = 1;
        receipt.worker = worker;
        receipt.modelDigest = keccak256("model");
        receipt.outputDigest = keccak256(bytes(output));
        receipt.runtime = "onnxruntime/1.27.0 cpu";
        (receipt.startedAtMs, receipt.endedAtMs) = (1, 2);
    }

    function digestOf(TypedData.Receipt memory receipt) internal view returns (bytes32) {
        return TypedData.digest(settlement.domainSeparator(), TypedData.hash(receipt));
    }

    function signReceipt(TypedData.Receipt memory receipt) internal view returns (bytes memory) {
        return compact(WORKER_KEY, digestOf(receipt));
    }
}
