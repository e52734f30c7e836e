// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Groth16} from "../../../src/zk/Groth16.sol";
import {IModelRegistry} from "../../../src/zk/IModelRegistry.sol";
import {GameModels} from "../../../src/zk/game/GameModels.sol";
import {IGameModels} from "../../../src/zk/game/IGameModels.sol";
import {IInferenceGame} from "../../../src/zk/game/IInferenceGame.sol";
import {ITileVerifier} from "../../../src/zk/game/ITileVerifier.sol";
import {Tiles} from "../../../src/zk/game/Tiles.sol";
import {GameFixture} from "./GameFixture.sol";

/// @notice The proof of a tile, registration and parameters.
contract InferenceGameProofTest is GameFixture {
    function test_aProvenTileUpholdsTheReceipt() public {
        bytes32 id = toProving();
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".middleTile");
        vm.expectEmit(address(game));
        emit IInferenceGame.GameClosed(id, digestOf(honestReceipt()), IInferenceGame.Outcome.Upheld);
        proveAs(worker, id, evidence);
        assertEq(game.owedTo(worker), GAME_BOND * 3 / 10);
        assertEq(registry.stakeOf(worker), WORKER_BOND);
    }

    function test_theFirstTileStartsFromTheRegisteredBias() public {
        bytes32 id = toOpening();
        openHonestly(id);
        propose(id, partialSums[1], bytes32(0));
        answer(id, false);
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".firstTile");
        evidence.sumsBefore[2] += 1;
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.BiasMismatch.selector, 1));
        proveAs(worker, id, evidence);
        evidence.sumsBefore[2] -= 1;
        evidence.biasProof = new bytes32[](0);
        vm.expectRevert(abi.encodeWithSelector(Tiles.WrongProofLength.selector, 0, 1));
        proveAs(worker, id, evidence);
        proveAs(worker, id, evidenceOf(".firstTile"));
        assertTrue(game.gameOf(id).outcome == IInferenceGame.Outcome.Upheld, "upheld");
    }

    function test_sumsBeforeMustBeThoseThatTheChallengerAgreedTo() public {
        bytes32 id = toProving();
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".middleTile");
        bytes32 agreed = Tiles.hashSums(evidence.sumsBefore);
        evidence.sumsBefore[0] += 1;
        bytes32 given = Tiles.hashSums(evidence.sumsBefore);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.SumsMismatch.selector, given, agreed));
        proveAs(worker, id, evidence);
    }

    function test_inputMustStandAtItsPlaceInTheAgreedActivations() public {
        bytes32 id = toProving();
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".middleTile");
        evidence.block31 += 1;
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.BlockMismatch.selector, 1));
        proveAs(worker, id, evidence);
        // The input of another tile, with its own proof.
        IInferenceGame.TileEvidence memory other = evidenceOf(".firstTile");
        (evidence.block31, evidence.blockProof) = (other.block31, other.blockProof);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.BlockMismatch.selector, 1));
        proveAs(worker, id, evidence);
    }

    function test_weightsMustBeTheRegisteredOnesOfThisTile() public {
        bytes32 id = toProving();
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".middleTile");
        IInferenceGame.TileEvidence memory other = evidenceOf(".firstTile");
        evidence.weights = other.weights;
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.WeightsMismatch.selector, 4));
        proveAs(worker, id, evidence);
        evidence.weightsProof = other.weightsProof;
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.WeightsMismatch.selector, 4));
        proveAs(worker, id, evidence);
    }

    function test_sumsMustAddUpToWhatIsDenied() public {
        bytes32 id = toProving();
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".middleTile");
        evidence.sums[1] += 1;
        vm.expectPartialRevert(IInferenceGame.SumsMismatch.selector);
        proveAs(worker, id, evidence);
    }

    function test_aBadProofIsNoProof() public {
        bytes32 id = toProving();
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".middleTile");
        evidence.proof = evidenceOf(".firstTile").proof;
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.InvalidTileProof.selector, id));
        proveAs(worker, id, evidence);
    }

    function test_withTooLittleGasAGoodProofIsNoBadOne() public {
        bytes32 id = toProving();
        bytes memory call = abi.encodeCall(game.prove, (id, evidenceOf(".middleTile")));
        for (uint256 gasLimit = 100_000; gasLimit < 900_000; gasLimit += 50_000) {
            vm.prank(worker);
            (bool ok, bytes memory reason) = address(game).call{gas: gasLimit}(call);
            bytes4 selector = reason.length < 4 ? bytes4(0) : bytes4(reason);
            assertTrue(selector != IInferenceGame.InvalidTileProof.selector, "never taken for a bad proof");
            if (ok) return;
        }
        assertTrue(false, "no limit was enough");
    }

    /// @dev A lying defender that reaches the last move: whatever it shows, one of the checks above stops it, and time runs out.
    function test_whoCannotProveLosesByTheDeadline() public {
        bytes32 id = toOpening();
        openHonestly(id);
        propose(id, WRONG_HASH, bytes32(0));
        answer(id, false);
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".firstTile");
        vm.expectPartialRevert(IInferenceGame.SumsMismatch.selector);
        proveAs(worker, id, evidence);
        vm.warp(block.timestamp + MOVE + 1);
        game.timeOut(id);
        assertTrue(game.isRefuted(digestOf(honestReceipt())), "refuted");
    }

    /// @dev A place beyond the last block has no weights, no bias and no sums to agree on.
    function test_blocksBeyondTheEdgeProveNothing() public {
        IGameModels.Model memory model = aModel();
        model.layers[0].outputs = 93;
        model.layers[1].inputs = 93;
        bytes32 id = registerAndOpen(model);
        claimHonestly(id);
        bytes32 right = keccak256(abi.encode(blocks[0], blocks[1]));
        propose(id, keccak256(abi.encode(roots[1], right)), bytes32(0));
        answer(id, false);
        propose(id, roots[1], right);
        answer(id, true);
        propose(id, blocks[0], blocks[1]);
        answer(id, true);
        assertEq(game.gameOf(id).index, 3);
        openHonestly(id);
        propose(id, partialSums[1], bytes32(0));
        answer(id, false);
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".firstTile");
        evidence.biasProof = new bytes32[](2);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.BiasMismatch.selector, 3));
        proveAs(worker, id, evidence);
    }

    function test_aModelOfOneLayerHasNoLayersToHalve() public {
        IGameModels.Model memory model = aModel();
        IGameModels.Layer[] memory layers = new IGameModels.Layer[](1);
        layers[0] = model.layers[0];
        (layers[0].outputs, layers[0].scales) = (3, false);
        model.layers = layers;
        bytes32 id = registerAndOpen(model);
        claimHonestly(id);
        assertTrue(game.gameOf(id).stage == IInferenceGame.Stage.Opening, "one block of one layer");
    }

    function test_oneTileNeedsNoHalving() public {
        IGameModels.Model memory model = aModel();
        model.layers[0].outputs = 31;
        model.layers[1].inputs = 31;
        bytes32 id = registerAndOpen(model);
        claimHonestly(id);
        propose(id, WRONG_HASH, bytes32(0));
        answer(id, true);
        int32[31] memory sums = _sums(".lastSums");
        vm.prank(worker);
        game.openBlock(id, sums);
        assertTrue(game.gameOf(id).stage == IInferenceGame.Stage.Proving, "one tile");
    }

    function registerAndOpen(IGameModels.Model memory model) internal returns (bytes32) {
        modelDigest = keccak256(abi.encode(model));
        models.register(modelDigest, model);
        return open();
    }

    function test_modelIsRegisteredOnceAndByTheAdminAlone() public {
        IGameModels.Model memory model = aModel();
        vm.expectRevert(abi.encodeWithSelector(IGameModels.AlreadyRegistered.selector, modelDigest));
        models.register(modelDigest, model);
        vm.prank(STRANGER);
        vm.expectPartialRevert(bytes4(keccak256("AccessControlUnauthorizedAccount(address,bytes32)")));
        models.register(keccak256("mine"), model);
        vm.expectEmit(address(models));
        emit IGameModels.GameModelRegistered(keccak256("mine"), 2);
        models.register(keccak256("mine"), model);
        assertEq(models.modelOf(keccak256("mine")).layers[1].biasRoot, model.layers[1].biasRoot);
    }

    function test_unknownModelHasNoLayers() public {
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(IGameModels.UnknownModel.selector, unknown));
        models.modelOf(unknown);
        vm.expectRevert(abi.encodeWithSelector(IGameModels.UnknownModel.selector, unknown));
        models.layerOf(unknown, 0);
        vm.expectRevert(abi.encodeWithSelector(IGameModels.UnknownModel.selector, unknown));
        models.layerCountOf(unknown);
    }

    function test_layersMustFollowEachOther() public {
        for (uint256 change = 0; change < 8; ++change) {
            IGameModels.Model memory model = aModel();
            uint256 wrong = change < 4 ? 0 : 1;
            if (change == 0) model.layers[0].inputs = 0;
            if (change == 1) model.layers[0].outputs = 31 * 4096 + 1;
            if (change == 2) model.layers[0].scales = false;
            if (change == 3) model.layers[0].shift = 24;
            if (change == 4) model.layers[1].inputs = 41;
            if (change == 5) model.layers[1].outputs = 2049;
            if (change == 6) model.layers[1].scales = true;
            if (change == 7) model.layers[1].outputs = 0;
            vm.expectRevert(abi.encodeWithSelector(IGameModels.InvalidLayer.selector, wrong));
            models.register(keccak256("wrong"), model);
        }
    }

    function test_aModelHasLayersAndOutputs() public {
        IGameModels.Model memory model = aModel();
        model.outputs = new IGameModels.Output[](0);
        vm.expectRevert(IGameModels.InvalidOutputs.selector);
        models.register(keccak256("wrong"), model);
        model.outputs = new IGameModels.Output[](9);
        vm.expectRevert(IGameModels.InvalidOutputs.selector);
        models.register(keccak256("wrong"), model);
        model.layers = new IGameModels.Layer[](0);
        vm.expectRevert(abi.encodeWithSelector(IGameModels.InvalidLayer.selector, 0));
        models.register(keccak256("wrong"), model);
        model.layers = new IGameModels.Layer[](65);
        vm.expectRevert(abi.encodeWithSelector(IGameModels.InvalidLayer.selector, 65));
        models.register(keccak256("wrong"), model);
    }

    function test_parametersHaveBounds() public {
        for (uint256 change = 0; change < 7; ++change) {
            IInferenceGame.Parameters memory p = gameParameters();
            if (change == 0) p.bond = 0;
            if (change == 1) p.bond = 1_000_000 ether + 1;
            if (change == 2) p.moveSeconds = 0;
            // The longest game must end before a stake can be withdrawn.
            if (change == 3) p.moveSeconds = uint32((WORKER_DELAY - 1) / game.MAX_MOVES()) + 1;
            if (change == 4) p.workerBps = 0;
            if (change == 5) p.workerBps = 10_001;
            if (change == 6) p.defenderBps = 5_001;
            vm.expectRevert(IInferenceGame.InvalidParameter.selector);
            game.setParameters(p);
        }
        uint32 longest = uint32((WORKER_DELAY - 1) / game.MAX_MOVES());
        IInferenceGame.Parameters memory good = IInferenceGame.Parameters(1_000_000 ether, longest, 10_000, 5_000);
        vm.expectEmit(address(game));
        emit IInferenceGame.ParametersChanged(good);
        game.setParameters(good);
        assertEq(game.parameters().moveSeconds, good.moveSeconds);
        vm.prank(STRANGER);
        vm.expectPartialRevert(bytes4(keccak256("AccessControlUnauthorizedAccount(address,bytes32)")));
        game.setParameters(good);
    }

    function test_tileVerifierTellsItsSetupAndRefusesOneForDevelopmentWhereItIsNotAllowed() public {
        ITileVerifier.Setup memory setup = tiles.setup();
        assertTrue(setup.isDevelopment, "development");
        assertEq(setup.ceremonyDigest, keccak256("ceremony"));
        bytes memory refusal = abi.encodeWithSelector(IModelRegistry.DevelopmentSetupRefused.selector);
        assertNotDeployable("TileVerifier", abi.encode(_unsigned(".key"), _setup(true), false), refusal);
        uint256[] memory short = new uint256[](22);
        bytes memory length = abi.encodeWithSelector(IModelRegistry.WrongKeyLength.selector, 22, 26);
        assertNotDeployable("TileVerifier", abi.encode(short, _setup(false), false), length);
        uint256[] memory weak = _unsigned(".key");
        for (uint256 i = 0; i < 4; ++i) {
            weak[Groth16.DELTA + i] = weak[Groth16.GAMMA + i];
        }
        bytes memory uncontributed = abi.encodeWithSelector(IModelRegistry.KeyWithoutContribution.selector);
        assertNotDeployable("TileVerifier", abi.encode(weak, _setup(false), false), uncontributed);
    }

    function test_tileVerifierChecksEachSignal() public view {
        IInferenceGame.TileEvidence memory e = evidenceOf(".middleTile");
        assertTrue(tiles.isValid(e.weights, e.block31, e.sums, e.proof), "honest");
        assertTrue(!tiles.isValid(e.weights + 1, e.block31, e.sums, e.proof), "other weights");
        assertTrue(!tiles.isValid(e.weights, e.block31 + 1, e.sums, e.proof), "other input");
        for (uint256 i = 0; i < 3; ++i) {
            e.sums[i] += 1;
            assertTrue(!tiles.isValid(e.weights, e.block31, e.sums, e.proof), "other sums");
            e.sums[i] -= 1;
        }
    }
}
