// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16} from "../../src/zk/Groth16.sol";
import {IModelRegistry} from "../../src/zk/IModelRegistry.sol";
import {IZkVerifier} from "../../src/zk/IZkVerifier.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {ModelRegistry} from "../../src/zk/ModelRegistry.sol";
import {ZkFixture} from "./ZkFixture.sol";

contract ZkVerifierTest is ZkFixture {
    function setUp() public {
        deployZk();
    }

    function test_taskSignalIsTheOneOfTheProver() public view {
        assertEq(zkVerifier.taskSignalOf(honest.taskId, honest.worker, honest.attempt), taskSignal);
    }

    function test_honestProofVerifiesWithinTheGasTarget() public view {
        zkVerifier.verify(honest, honestProof);
        uint256 before = gasleft();
        zkVerifier.verify(honest, honestProof);
        assertTrue(before - gasleft() <= 215_000, "at most 215,000 gas");
    }

    function test_anyOtherStatementIsRefused() public {
        for (uint256 change = 0; change < 5; ++change) {
            IZkVerifier.Statement memory other = honest;
            if (change == 0) other.taskId = keccak256("another task");
            if (change == 1) other.attempt += 1;
            if (change == 2) other.worker = address(0xBEEF);
            if (change == 3) other.inputCommitment += 1;
            if (change == 4) other.result += 1;
            vm.expectRevert(abi.encodeWithSelector(IZkVerifier.InvalidProof.selector, other.taskId));
            zkVerifier.verify(other, honestProof);
        }
    }

    function test_proofFromAnotherChainIsRefused() public {
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.InvalidProof.selector, honest.taskId));
        zkVerifier.verify(honest, honestProof);
    }

    function test_proofUnderTheKeyOfOtherWeightsIsRefused() public {
        // Another model's circuit: its points of the signals differ.
        uint256[] memory other = key;
        (other[16], other[17], other[18], other[19]) = (key[18], key[19], key[16], key[17]);
        bytes32 model = keccak256("other weights");
        models.register(model, 1, developmentCircuit(), other);
        IZkVerifier.Statement memory statement = honest;
        statement.modelDigest = model;
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.InvalidProof.selector, honest.taskId));
        zkVerifier.verify(statement, honestProof);
    }

    function testFuzz_changedProofIsRefused(uint256 word, uint256 change) public {
        uint256[8] memory proof = honestProof;
        uint256 changed = bound(change, 1, type(uint256).max);
        unchecked {
            proof[bound(word, 0, 7)] += changed;
        }
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.InvalidProof.selector, honest.taskId));
        zkVerifier.verify(honest, proof);
    }

    function test_proofForTheWorkOfAReceipt() public {
        TypedData.Receipt memory receipt = receiptOfHonest();
        zkVerifier.verifyFor(receipt, honest, honestProof);
        receipt.worker = address(0xBEEF);
        expectRefusal(
            abi.encodeWithSelector(IZkVerifier.AnotherWorker.selector, honest.worker, receipt.worker), receipt
        );
        receipt.attempt = 2;
        expectRefusal(abi.encodeWithSelector(IZkVerifier.AnotherAttempt.selector, honest.attempt, 2), receipt);
        receipt.taskId = keccak256("another task");
        expectRefusal(abi.encodeWithSelector(IZkVerifier.AnotherTask.selector, honest.taskId, receipt.taskId), receipt);
        receipt = receiptOfHonest();
        receipt.modelDigest = keccak256("other weights");
        expectRefusal(
            abi.encodeWithSelector(IZkVerifier.AnotherModel.selector, honest.modelDigest, receipt.modelDigest), receipt
        );
    }

    function test_statementRelabelledToFitAReceiptIsNotProven() public {
        TypedData.Receipt memory receipt = receiptOfHonest();
        receipt.attempt = 2;
        IZkVerifier.Statement memory relabelled = honest;
        relabelled.attempt = 2;
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.InvalidProof.selector, honest.taskId));
        zkVerifier.verifyFor(receipt, relabelled, honestProof);
    }

    function expectRefusal(bytes memory refusal, TypedData.Receipt memory receipt) private {
        vm.expectRevert(refusal);
        zkVerifier.verifyFor(receipt, honest, honestProof);
    }

    function receiptOfHonest() private view returns (TypedData.Receipt memory receipt) {
        receipt.taskId = honest.taskId;
        receipt.attempt = honest.attempt;
        receipt.worker = honest.worker;
        receipt.modelDigest = honest.modelDigest;
    }

    function test_signalsHaveOneNameEach() public {
        IZkVerifier.Statement memory alias_ = honest;
        alias_.result += Groth16.SCALAR_ORDER;
        vm.expectRevert(abi.encodeWithSelector(Groth16.SignalNotInField.selector, 1, alias_.result));
        zkVerifier.verify(alias_, honestProof);
    }

    function test_taskIsProvenOnce() public {
        zkVerifier.record(honest, honestProof);
        assertEq(zkVerifier.provenOf(honest.taskId), keccak256(abi.encode(honest)));
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.AlreadyProven.selector, honest.taskId));
        zkVerifier.record(honest, honestProof);
    }

    function test_proofOfAForgedResultIsNotRecorded() public {
        IZkVerifier.Statement memory forged = honest;
        forged.result += 1;
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.InvalidProof.selector, honest.taskId));
        zkVerifier.record(forged, honestProof);
        assertEq(zkVerifier.provenOf(honest.taskId), bytes32(0));
    }

    function test_tooLittleGasIsNoVerdict() public view {
        for (uint256 gasLimit = 30_000; gasLimit < 300_000; gasLimit += 5_000) {
            (bool ok, bytes memory answer) =
                address(zkVerifier).staticcall{gas: gasLimit}(abi.encodeCall(zkVerifier.isValid, (honest, honestProof)));
            assertTrue(!ok || abi.decode(answer, (bool)), "a valid proof is never called invalid");
        }
    }

    function test_withTooLittleGasItSaysSo() public {
        vm.expectPartialRevert(Groth16.NotEnoughGas.selector);
        zkVerifier.isValid{gas: 200_000}(honest, honestProof);
    }

    function test_aCoordinateHasOneName() public view {
        uint256[8] memory proof = honestProof;
        proof[1] += 21888242871839275222246405745257275088696311157297823662689037894645226208583;
        assertTrue(!zkVerifier.isValid(honest, proof), "beyond the field");
    }

    function test_theLastSignalOfTheFieldIsOne() public view {
        IZkVerifier.Statement memory other = honest;
        other.inputCommitment = Groth16.SCALAR_ORDER - 1;
        assertTrue(!zkVerifier.isValid(other, honestProof), "taken, and not proven");
    }

    function test_theSignalAtTheOrderIsNone() public {
        IZkVerifier.Statement memory other = honest;
        other.inputCommitment = Groth16.SCALAR_ORDER;
        vm.expectRevert(abi.encodeWithSelector(Groth16.SignalNotInField.selector, 0, Groth16.SCALAR_ORDER));
        zkVerifier.isValid(other, honestProof);
    }

    function test_aRegisteredModelIsKnownWithItsKey() public {
        vm.expectEmit(address(models));
        emit IModelRegistry.ModelRegistered(keccak256("model"), 4, keccak256("r1cs"), true);
        models.register(keccak256("model"), 4, developmentCircuit(), key);
        IModelRegistry.Circuit memory circuit = models.circuitOf(keccak256("model"), 4);
        assertEq(circuit.ceremonyDigest, keccak256("ceremony"));
        assertEq(circuit.key, models.keyOf(keccak256("model"), 4));
        assertEq(circuit.key.code.length, 1 + 32 * key.length);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, keccak256("model"), 5));
        models.circuitOf(keccak256("model"), 5);
    }

    function test_whatIsProvenIsTold() public {
        vm.expectEmit(address(zkVerifier));
        emit IZkVerifier.InferenceProven(
            honest.taskId, honest.modelDigest, honest.worker, honest.inputCommitment, honest.result
        );
        zkVerifier.record(honest, honestProof);
    }

    function test_unknownModelIsRefused() public {
        IZkVerifier.Statement memory other = honest;
        other.rows = 2;
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, honest.modelDigest, 2));
        zkVerifier.verify(other, honestProof);
    }

    function test_modelIsRegisteredOnce() public {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.AlreadyRegistered.selector, honest.modelDigest, 1));
        models.register(honest.modelDigest, 1, developmentCircuit(), key);
    }

    function test_keyThatNobodyContributedToIsRefused() public {
        uint256[] memory weak = key;
        for (uint256 i = 0; i < 4; ++i) {
            weak[Groth16.DELTA + i] = weak[Groth16.GAMMA + i];
        }
        vm.expectRevert(IModelRegistry.KeyWithoutContribution.selector);
        models.register(keccak256("weak"), 1, developmentCircuit(), weak);
    }

    function test_developmentSetupIsRefusedWhereItIsNotAllowed() public {
        ModelRegistry strict = ModelRegistry(deploy("ModelRegistry", abi.encode(address(this), false)));
        vm.expectRevert(IModelRegistry.DevelopmentSetupRefused.selector);
        strict.register(honest.modelDigest, 1, developmentCircuit(), key);
    }

    function test_onlyTheAdminRegisters() public {
        vm.prank(address(0xBAD));
        vm.expectPartialRevert(bytes4(keccak256("AccessControlUnauthorizedAccount(address,bytes32)")));
        models.register(keccak256("model"), 1, developmentCircuit(), key);
    }

    function test_keyOfAnotherLengthIsRefused() public {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.WrongKeyLength.selector, 2, 22));
        models.register(keccak256("model"), 1, developmentCircuit(), new uint256[](2));
    }
}
