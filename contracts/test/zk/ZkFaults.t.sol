// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../../src/libraries/Evidence.sol";
import {IZkVerifier} from "../../src/zk/IZkVerifier.sol";
import {ZkFaults} from "../../src/zk/ZkFaults.sol";
import {Fixture} from "../support/Fixture.sol";
import {ZkFixture} from "./ZkFixture.sol";

contract ZkFaultsTest is Fixture, ZkFixture {
    ZkFaults internal faults;
    address internal liar;
    uint256 internal liarKey;

    function setUp() public {
        deployZk();
        deployAll();
        faults = ZkFaults(deploy("ZkFaults", abi.encode(zkVerifier, settlement, registry, sets)));
        registry.grantRole(registry.SLASHER_ROLE(), address(faults));
        sets.grantRole(sets.REMOVER_ROLE(), address(faults));
        (liar, liarKey) = (validators[2], keys[2]);
        bondNode(liar, INodeRegistry.Role.Validator, VALIDATOR_BOND);
    }

    function test_whoEndorsedAFalseStatementLosesEverything() public {
        IZkVerifier.Statement memory forged = honest;
        forged.result += 1;
        bytes memory signature = compact(liarKey, faults.endorsementDigest(forged, honestProof, liar));
        faults.proveBadGroth16(liar, forged, honestProof, signature);
        assertEq(registry.stakeOf(liar), 0);
        assertTrue(registry.stateOf(liar) == INodeRegistry.State.Disqualified, "disqualified");
        assertTrue(!sets.isMember(sets.epoch(), liar), "removed");
    }

    function test_whoEndorsedATrueStatementKeepsEverything() public {
        bytes memory signature = compact(liarKey, faults.endorsementDigest(honest, honestProof, liar));
        vm.expectRevert(abi.encodeWithSelector(ZkFaults.ProofIsValid.selector, honest.taskId));
        faults.proveBadGroth16(liar, honest, honestProof, signature);
        assertEq(registry.stakeOf(liar), VALIDATOR_BOND);
    }

    function test_nobodyIsSlashedForWhatItDidNotSign() public {
        IZkVerifier.Statement memory forged = honest;
        forged.result += 1;
        bytes memory signature = compact(liarKey, faults.endorsementDigest(honest, honestProof, liar));
        vm.expectPartialRevert(Evidence.NotSignedByValidator.selector);
        faults.proveBadGroth16(liar, forged, honestProof, signature);
    }

    function test_withTooLittleGasNobodyIsSlashed() public {
        bytes memory signature = compact(liarKey, faults.endorsementDigest(honest, honestProof, liar));
        bytes memory call = abi.encodeCall(faults.proveBadGroth16, (liar, honest, honestProof, signature));
        for (uint256 gasLimit = 50_000; gasLimit < 500_000; gasLimit += 10_000) {
            (bool ok,) = address(faults).call{gas: gasLimit}(call);
            assertTrue(!ok, "a true statement is no fault");
        }
        assertEq(registry.stakeOf(liar), VALIDATOR_BOND);
    }

    function test_whoHasNothingLeftIsBannedAllTheSame() public {
        IZkVerifier.Statement memory forged = honest;
        forged.result += 1;
        address poor = validators[4];
        bytes memory signature = compact(keys[4], faults.endorsementDigest(forged, honestProof, poor));
        vm.expectEmit(address(faults));
        emit ZkFaults.BadProofProven(forged.taskId, poor, 0);
        faults.proveBadGroth16(poor, forged, honestProof, signature);
        assertTrue(registry.stateOf(poor) == INodeRegistry.State.Disqualified, "disqualified");
        assertTrue(!sets.isMember(sets.epoch(), poor), "removed");
    }

    function test_whoIsBannedAlreadyIsGuiltyOfTheNextOneToo() public {
        for (uint256 lie = 1; lie <= 2; ++lie) {
            IZkVerifier.Statement memory forged = honest;
            forged.result += lie;
            bytes32 digest = faults.endorsementDigest(forged, honestProof, liar);
            faults.proveBadGroth16(liar, forged, honestProof, compact(liarKey, digest));
            assertTrue(faults.isSlashed(digest), "marked");
        }
        assertEq(registry.stakeOf(liar), 0);
    }

    function test_aWorkerOfThatKeyKeepsItsBond() public {
        // Endorsements are validators' words: one that bonded as a worker meanwhile loses its right to come back alone.
        IZkVerifier.Statement memory forged = honest;
        forged.result += 1;
        bondNode(validators[5], INodeRegistry.Role.Worker, WORKER_BOND);
        bytes memory signature = compact(keys[5], faults.endorsementDigest(forged, honestProof, validators[5]));
        faults.proveBadGroth16(validators[5], forged, honestProof, signature);
        assertEq(registry.stakeOf(validators[5]), WORKER_BOND);
        assertTrue(registry.stateOf(validators[5]) == INodeRegistry.State.Disqualified, "banned");
    }

    function test_slashedOnceForOneEndorsement() public {
        IZkVerifier.Statement memory forged = honest;
        forged.result += 1;
        bytes32 digest = faults.endorsementDigest(forged, honestProof, liar);
        faults.proveBadGroth16(liar, forged, honestProof, compact(liarKey, digest));
        vm.expectRevert(abi.encodeWithSelector(ZkFaults.AlreadySlashed.selector, digest));
        faults.proveBadGroth16(liar, forged, honestProof, compact(liarKey, digest));
    }
}
