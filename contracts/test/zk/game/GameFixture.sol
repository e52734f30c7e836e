// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TypedData} from "../../../src/libraries/TypedData.sol";
import {GameModels} from "../../../src/zk/game/GameModels.sol";
import {IGameModels} from "../../../src/zk/game/IGameModels.sol";
import {IInferenceGame} from "../../../src/zk/game/IInferenceGame.sol";
import {ITileVerifier} from "../../../src/zk/game/ITileVerifier.sol";
import {InferenceGame} from "../../../src/zk/game/InferenceGame.sol";
import {TileVerifier} from "../../../src/zk/game/TileVerifier.sol";
import {EvidenceFixture} from "../../support/EvidenceFixture.sol";

/// @notice A registered model, a worker's receipt for it, and what an honest defender shows, from test/vectors/inference-game.json:
/// 70 -> 40 -> 3, two rows, of which the second is challenged. The first layer has two blocks of three tiles, the second one block of
/// two. `STRANGER` challenges.
abstract contract GameFixture is EvidenceFixture {
    uint32 internal constant MOVE = 1 hours;
    uint128 internal constant GAME_BOND = 500 ether;
    uint16 internal constant WORKER_BPS = 1_000;
    uint16 internal constant DEFENDER_BPS = 3_000;
    bytes32 internal constant WRONG_HASH = keccak256("what an honest defender does not say");

    GameModels internal models;
    TileVerifier internal tiles;
    InferenceGame internal game;
    string internal json;
    bytes32 internal modelDigest;
    uint32 internal row;
    uint32 internal rows;
    bytes internal input;
    bytes[] internal outputs;
    int32[] internal logits;
    bytes32[] internal roots;
    bytes32[] internal blocks;
    bytes32[] internal partialSums;
    bytes32[] internal lastPartialSums;

    function setUp() public virtual override {
        super.setUp();
        json = vm.readFile("../test/vectors/inference-game.json");
        _readVector();
        models = GameModels(deploy("GameModels", abi.encode(address(this))));
        tiles = TileVerifier(deploy("TileVerifier", abi.encode(_unsigned(".key"), _setup(true), true)));
        game = InferenceGame(
            deploy(
                "InferenceGame", abi.encode(token, settlement, registry, models, tiles, address(this), gameParameters())
            )
        );
        registry.grantRole(registry.SLASHER_ROLE(), address(game));
        models.register(modelDigest, aModel());
    }

    function gameParameters() internal pure returns (IInferenceGame.Parameters memory) {
        return IInferenceGame.Parameters(GAME_BOND, MOVE, WORKER_BPS, DEFENDER_BPS);
    }

    function aModel() internal view returns (IGameModels.Model memory model) {
        uint256[] memory inputSizes = _unsigned(".layerInputs");
        uint256[] memory outputSizes = _unsigned(".layerOutputs");
        uint256[] memory shifts = _unsigned(".layerShifts");
        bytes32[] memory weightsRoots = vm.parseJsonBytes32Array(json, ".weightsRoots");
        bytes32[] memory biasRoots = vm.parseJsonBytes32Array(json, ".biasRoots");
        model.inputName = "bytes";
        model.outputs = new IGameModels.Output[](3);
        model.outputs[0] = IGameModels.Output("label", IGameModels.OutputKind.Label, false);
        model.outputs[1] = IGameModels.Output("logits", IGameModels.OutputKind.Logits, false);
        model.outputs[2] = IGameModels.Output("score", IGameModels.OutputKind.Score, false);
        model.layers = new IGameModels.Layer[](2);
        for (uint256 i = 0; i < 2; ++i) {
            model.layers[i] = IGameModels.Layer(
                uint32(inputSizes[i]), uint32(outputSizes[i]), i == 0, uint8(shifts[i]), weightsRoots[i], biasRoots[i]
            );
        }
    }

    /// @notice What the worker has signed.
    function honestReceipt() internal view returns (TypedData.Receipt memory receipt) {
        receipt = receiptOf("");
        receipt.modelDigest = modelDigest;
        receipt.inputDigest = vm.parseJsonBytes32(json, ".inputDigest");
        receipt.outputDigest = vm.parseJsonBytes32(json, ".outputDigest");
    }

    function open() internal returns (bytes32) {
        return openBy(STRANGER, honestReceipt(), row);
    }

    function openBy(address challenger, TypedData.Receipt memory receipt, uint32 row_) internal returns (bytes32) {
        bytes memory signature = signReceipt(receipt);
        fund(challenger, address(game), GAME_BOND);
        vm.prank(challenger);
        return game.open(openingOf(receipt, signature, row_, rows));
    }

    function openingOf(TypedData.Receipt memory receipt, bytes memory signature, uint32 row_, uint32 rows_)
        internal
        view
        returns (IInferenceGame.Opening memory)
    {
        return IInferenceGame.Opening(receipt, signature, row_, rows_, input, outputs);
    }

    function claimHonestly(bytes32 id) internal {
        vm.prank(worker);
        game.claim(id, logits, outputs);
    }

    function propose(bytes32 id, bytes32 first, bytes32 second) internal {
        vm.prank(worker);
        game.propose(id, first, second);
    }

    function answer(bytes32 id, bool inSecondHalf) internal {
        vm.prank(STRANGER);
        game.answer(id, inSecondHalf);
    }

    /// @notice To the stage where the defender opens block 1 after the first layer.
    function toOpening() internal returns (bytes32 id) {
        id = open();
        claimHonestly(id);
        propose(id, roots[1], bytes32(0));
        answer(id, false);
        propose(id, blocks[0], blocks[1]);
        answer(id, true);
    }

    function openHonestly(bytes32 id) internal {
        int32[31] memory sums = _sums(".blockSums");
        vm.prank(worker);
        game.openBlock(id, sums);
    }

    /// @notice To the proof of the middle tile of that block.
    function toProving() internal returns (bytes32 id) {
        id = toOpening();
        openHonestly(id);
        propose(id, partialSums[1], bytes32(0));
        answer(id, true);
        propose(id, partialSums[2], bytes32(0));
        answer(id, false);
    }

    function proveAs(address mover, bytes32 id, IInferenceGame.TileEvidence memory evidence) internal {
        vm.prank(mover);
        game.prove(id, evidence);
    }

    function evidenceOf(string memory name) internal view returns (IInferenceGame.TileEvidence memory evidence) {
        evidence.sumsBefore = _sums(string.concat(name, ".sumsBefore"));
        evidence.biasProof = vm.parseJsonBytes32Array(json, string.concat(name, ".biasProof"));
        evidence.block31 = uint256(vm.parseJsonBytes32(json, string.concat(name, ".block31")));
        evidence.blockProof = vm.parseJsonBytes32Array(json, string.concat(name, ".blockProof"));
        evidence.weights = uint256(vm.parseJsonBytes32(json, string.concat(name, ".weights")));
        evidence.weightsProof = vm.parseJsonBytes32Array(json, string.concat(name, ".weightsProof"));
        uint256[] memory sums = _unsigned(string.concat(name, ".sums"));
        uint256[] memory proof = _unsigned(string.concat(name, ".proof"));
        (evidence.sums[0], evidence.sums[1], evidence.sums[2]) = (sums[0], sums[1], sums[2]);
        for (uint256 i = 0; i < proof.length; ++i) {
            evidence.proof[i] = proof[i];
        }
    }

    function _setup(bool isDevelopment) internal pure returns (ITileVerifier.Setup memory) {
        return ITileVerifier.Setup(keccak256("r1cs"), keccak256("tau"), keccak256("ceremony"), isDevelopment);
    }

    function _sums(string memory key) internal view returns (int32[31] memory sums) {
        uint256[] memory words = _unsigned(key);
        for (uint256 i = 0; i < 31; ++i) {
            sums[i] = int32(int256(words[i]));
        }
    }

    function _unsigned(string memory key) internal view returns (uint256[] memory values) {
        bytes32[] memory words = vm.parseJsonBytes32Array(json, key);
        values = new uint256[](words.length);
        for (uint256 i = 0; i < words.length; ++i) {
            values[i] = uint256(words[i]);
        }
    }

    function _readVector() private {
        modelDigest = vm.parseJsonBytes32(json, ".modelDigest");
        (row, rows) = (uint32(vm.parseJsonUint(json, ".row")), uint32(vm.parseJsonUint(json, ".rows")));
        input = vm.parseBytes(vm.parseJsonString(json, ".input"));
        outputs.push(vm.parseBytes(vm.parseJsonString(json, ".label")));
        outputs.push(vm.parseBytes(vm.parseJsonString(json, ".logits")));
        outputs.push(vm.parseBytes(vm.parseJsonString(json, ".score")));
        uint256[] memory words = _unsigned(".rowLogits");
        for (uint256 i = 0; i < words.length; ++i) {
            logits.push(int32(int256(words[i])));
        }
        roots = vm.parseJsonBytes32Array(json, ".roots");
        blocks = vm.parseJsonBytes32Array(json, ".blocks");
        partialSums = vm.parseJsonBytes32Array(json, ".partialSums");
        lastPartialSums = vm.parseJsonBytes32Array(json, ".lastPartialSums");
    }
}
