// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IModelRegistry} from "../../src/zk/IModelRegistry.sol";
import {IZkVerifier} from "../../src/zk/IZkVerifier.sol";
import {ModelRegistry} from "../../src/zk/ModelRegistry.sol";
import {ZkVerifier} from "../../src/zk/ZkVerifier.sol";
import {TestBase} from "../support/TestBase.sol";

/// @notice A registered model and an honest proof, from test/vectors/zk-groth16.json.
abstract contract ZkFixture is TestBase {
    ModelRegistry internal models;
    ZkVerifier internal zkVerifier;
    IZkVerifier.Statement internal honest;
    uint256[8] internal honestProof;
    uint256[] internal key;
    uint256 internal taskSignal;

    /// @dev First of all that a test deploys: the vector's proof is bound to the registry's address.
    function deployZk() internal {
        vm.chainId(31_337);
        models = ModelRegistry(deploy("ModelRegistry", abi.encode(address(this), true)));
        zkVerifier = ZkVerifier(deploy("ZkVerifier", abi.encode(models)));
        string memory json = vm.readFile("../test/vectors/zk-groth16.json");
        bytes32[] memory signals = vm.parseJsonBytes32Array(json, ".signals");
        bytes32[] memory words = vm.parseJsonBytes32Array(json, ".key");
        bytes32[] memory proof = vm.parseJsonBytes32Array(json, ".proof");
        for (uint256 i = 0; i < words.length; ++i) {
            key.push(uint256(words[i]));
        }
        for (uint256 i = 0; i < 8; ++i) {
            honestProof[i] = uint256(proof[i]);
        }
        honest = IZkVerifier.Statement({
            taskId: vm.parseJsonBytes32(json, ".task.taskId"),
            attempt: uint32(vm.parseJsonUint(json, ".task.attempt")),
            worker: vm.parseJsonAddress(json, ".task.worker"),
            modelDigest: vm.parseJsonBytes32(json, ".modelDigest"),
            rows: 1,
            inputCommitment: uint256(signals[0]),
            result: uint256(signals[1])
        });
        taskSignal = uint256(signals[2]);
        models.register(honest.modelDigest, 1, developmentCircuit(), key);
    }

    function developmentCircuit() internal pure returns (IModelRegistry.Circuit memory) {
        return IModelRegistry.Circuit(keccak256("r1cs"), keccak256("tau"), keccak256("ceremony"), true, address(0));
    }
}
