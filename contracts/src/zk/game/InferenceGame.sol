// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Proceeds} from "../../Proceeds.sol";
import {INodeRegistry} from "../../interfaces/INodeRegistry.sol";
import {ISettlement} from "../../interfaces/ISettlement.sol";
import {Evidence} from "../../libraries/Evidence.sol";
import {TypedData} from "../../libraries/TypedData.sol";
import {IGameModels} from "./IGameModels.sol";
import {IInferenceGame} from "./IInferenceGame.sol";
import {ITileVerifier} from "./ITileVerifier.sol";
import {Tiles} from "./Tiles.sol";

/// @title InferenceGame, as IInferenceGame documents it
/// @notice Holds the slasher's role in NodeRegistry.
contract InferenceGame is IInferenceGame, Proceeds, AccessControl {
    using SafeERC20 for IERC20;

    /// @dev Claim, open and prove; a proposal and an answer for each halving: 6 of layers, 12 of blocks, 12 of tiles.
    uint256 public constant MAX_MOVES = 3 + 2 * (6 + 12 + 12);
    uint256 public constant MAX_BOND = 1_000_000 ether;

    ISettlement public immutable settlement;
    INodeRegistry public immutable registry;
    IGameModels public immutable models;
    ITileVerifier public immutable verifier;

    Parameters private _parameters;
    mapping(bytes32 id => Game) private _games;
    /// @inheritdoc IInferenceGame
    mapping(bytes32 receiptDigest => bool) public isRefuted;

    constructor(
        IERC20 token_,
        ISettlement settlement_,
        INodeRegistry registry_,
        IGameModels models_,
        ITileVerifier verifier_,
        address admin,
        Parameters memory parameters_
    ) Proceeds(token_) {
        settlement = settlement_;
        registry = registry_;
        models = models_;
        verifier = verifier_;
        _setParameters(parameters_, registry_);
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IInferenceGame
    function setParameters(Parameters calldata parameters_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setParameters(parameters_, registry);
    }

    /// @inheritdoc IInferenceGame
    function open(Opening calldata opening) external returns (bytes32 id) {
        TypedData.Receipt calldata receipt = opening.receipt;
        bytes32 digest = Evidence.requireSignedByWorker(settlement.domainSeparator(), receipt, opening.workerSignature);
        if (isRefuted[digest]) revert ReceiptIsRefuted(digest);
        if (opening.row >= opening.rows) revert InvalidRow(opening.row, opening.rows);
        if (registry.stakeOf(receipt.worker) == 0) revert WorkerHasNoStake(receipt.worker);
        id = keccak256(abi.encode(digest, opening.row, msg.sender));
        Game storage game = _games[id];
        if (game.stage != Stage.None) revert AlreadyOpened(id);
        (game.challenger, game.worker) = (msg.sender, receipt.worker);
        (game.row, game.rows, game.bond) = (opening.row, opening.rows, _parameters.bond);
        (game.receiptDigest, game.modelDigest, game.outputDigest) = (digest, receipt.modelDigest, receipt.outputDigest);
        game.agreed = _rootOfInput(opening);
        emit GameOpened(id, digest, receipt.worker, msg.sender, opening.row);
        _pass(id, game, Stage.Claiming, false);
        token.safeTransferFrom(msg.sender, address(this), game.bond);
    }

    /// @inheritdoc IInferenceGame
    function claim(bytes32 id, int32[] calldata logits, bytes[] calldata outputs) external {
        Game storage game = _requireDefender(id, Stage.Claiming);
        game.denied = models.rootOfLogits(game.modelDigest, game.row, game.rows, logits, outputs, game.outputDigest);
        game.high = uint8(models.layerCountOf(game.modelDigest));
        if (game.high > 1) return _pass(id, game, Stage.Layers, false);
        _enterBlocks(id, game);
    }

    /// @inheritdoc IInferenceGame
    function propose(bytes32 id, bytes32 first, bytes32 second) external {
        Game storage game = _games[id];
        Stage stage = game.stage;
        // Layers, Blocks and Sums; any other stage is refused for not being Layers.
        if (stage != Stage.Blocks && stage != Stage.Sums) stage = Stage.Layers;
        _requireDefender(id, stage);
        if (first == 0) revert NothingProposed();
        if (stage == Stage.Blocks) {
            bytes32 parent = Tiles.hashNode(first, second);
            if (parent != game.denied) revert NotTheChildren(parent, game.denied);
        }
        (game.first, game.second) = (first, second);
        _pass(id, game, stage, true);
    }

    /// @inheritdoc IInferenceGame
    function answer(bytes32 id, bool inSecondHalf) external {
        Game storage game = _games[id];
        _requireRunning(game, game.challenger, true);
        if (game.stage == Stage.Layers) return _halveLayers(id, game, inSecondHalf);
        if (game.stage == Stage.Blocks) return _halveBlocks(id, game, inSecondHalf);
        _halveSums(id, game, inSecondHalf);
    }

    /// @inheritdoc IInferenceGame
    function openBlock(bytes32 id, int32[31] calldata sums) external {
        Game storage game = _requireDefender(id, Stage.Opening);
        IGameModels.Layer memory layer = models.layerOf(game.modelDigest, game.high - 1);
        bytes32 hash = Tiles.hashSums(sums);
        bytes32 got = layer.scales ? Tiles.hashBlock(Tiles.requantise(sums, layer.shift)) : hash;
        if (got != game.denied) revert SumsMismatch(got, game.denied);
        game.denied = hash;
        game.sumHigh = uint32(Tiles.countBlocks(layer.inputs));
        _pass(id, game, game.sumHigh > 1 ? Stage.Sums : Stage.Proving, false);
    }

    /// @inheritdoc IInferenceGame
    function prove(bytes32 id, TileEvidence calldata evidence) external {
        Game storage game = _requireDefender(id, Stage.Proving);
        IGameModels.Layer memory layer = models.layerOf(game.modelDigest, game.high - 1);
        _requireBefore(game, layer, evidence);
        _requireOperands(game, layer, evidence);
        bytes32 sums = Tiles.hashSums(Tiles.add(evidence.sumsBefore, evidence.sums));
        if (sums != game.denied) revert SumsMismatch(sums, game.denied);
        // A call that ran out of gas reverts as a whole: a good proof is never taken for a bad one.
        if (!verifier.isValid(evidence.weights, evidence.block31, evidence.sums, evidence.proof)) {
            revert InvalidTileProof(id);
        }
        _close(id, game, Outcome.Upheld);
    }

    /// @inheritdoc IInferenceGame
    function timeOut(bytes32 id) external {
        Game storage game = _games[id];
        if (game.stage == Stage.None || game.stage == Stage.Closed) revert WrongStage(game.stage, Stage.Claiming);
        if (block.timestamp <= game.deadline) revert TooEarly(game.deadline);
        _close(id, game, game.isChallengersTurn ? Outcome.Upheld : Outcome.Refuted);
    }

    /// @inheritdoc IInferenceGame
    function gameOf(bytes32 id) external view returns (Game memory) {
        return _games[id];
    }

    /// @inheritdoc IInferenceGame
    function parameters() external view returns (Parameters memory) {
        return _parameters;
    }

    function _setParameters(Parameters memory p, INodeRegistry registry_) private {
        if (p.bond == 0 || p.bond > MAX_BOND || p.workerBps == 0 || p.workerBps > 10_000) revert InvalidParameter();
        if (p.defenderBps > 5_000 || p.moveSeconds == 0) revert InvalidParameter();
        // A worker that unbonds when a game opens still has its stake there when the game ends.
        if (p.moveSeconds * MAX_MOVES >= registry_.parameters().workerDelay) revert InvalidParameter();
        _parameters = p;
        emit ParametersChanged(p);
    }

    /// @dev Both parties agree on the input since nobody has to be believed: its root is computed here.
    function _rootOfInput(Opening calldata opening) private view returns (bytes32 root) {
        TypedData.Receipt calldata receipt = opening.receipt;
        (bytes32 model, uint32 rows) = (receipt.modelDigest, opening.rows);
        root = models.rootOfInput(model, opening.row, rows, opening.input, receipt.inputDigest);
        // Whoever challenges has seen what was said, and the defender can show it in one transaction too.
        models.requireOutputs(model, rows, opening.outputs, receipt.outputDigest);
    }

    function _halveLayers(bytes32 id, Game storage game, bool inSecondHalf) private {
        uint8 middle = (game.low + game.high) / 2;
        if (inSecondHalf) (game.low, game.agreed) = (middle, game.first);
        else (game.high, game.denied) = (middle, game.first);
        if (game.high - game.low > 1) return _pass(id, game, Stage.Layers, false);
        _enterBlocks(id, game);
    }

    function _halveBlocks(bytes32 id, Game storage game, bool inSecondHalf) private {
        game.denied = inSecondHalf ? game.second : game.first;
        game.index = 2 * game.index + (inSecondHalf ? 1 : 0);
        game.level -= 1;
        _pass(id, game, game.level > 0 ? Stage.Blocks : Stage.Opening, false);
    }

    function _halveSums(bytes32 id, Game storage game, bool inSecondHalf) private {
        uint32 middle = (game.sumLow + game.sumHigh) / 2;
        if (inSecondHalf) (game.sumLow, game.agreedSums) = (middle, game.first);
        else (game.sumHigh, game.denied) = (middle, game.first);
        _pass(id, game, game.sumHigh - game.sumLow > 1 ? Stage.Sums : Stage.Proving, false);
    }

    function _enterBlocks(bytes32 id, Game storage game) private {
        uint256 blocks = Tiles.countBlocks(models.layerOf(game.modelDigest, game.high - 1).outputs);
        game.level = uint8(Tiles.depthOf(blocks));
        _pass(id, game, game.level > 0 ? Stage.Blocks : Stage.Opening, false);
    }

    /// @dev The turn goes over, and the clock starts anew.
    function _pass(bytes32 id, Game storage game, Stage stage, bool isChallengersTurn) private {
        game.stage = stage;
        game.isChallengersTurn = isChallengersTurn;
        game.deadline = uint64(block.timestamp) + _parameters.moveSeconds;
        emit Moved(id, msg.sender, stage, isChallengersTurn, game.deadline);
    }

    /// @dev Others may have refuted the same receipt meanwhile: it is punished once, and each bond goes where its game says.
    function _close(bytes32 id, Game storage game, Outcome outcome) private {
        (game.stage, game.outcome) = (Stage.Closed, outcome);
        emit GameClosed(id, game.receiptDigest, outcome);
        if (outcome == Outcome.Upheld) {
            uint256 share = uint256(game.bond) * _parameters.defenderBps / 10_000;
            _owe(registry.payoutOf(game.worker), share);
            _burnLater(game.bond - share);
            return;
        }
        _owe(game.challenger, game.bond);
        if (isRefuted[game.receiptDigest]) return;
        isRefuted[game.receiptDigest] = true;
        emit ReceiptRefuted(game.receiptDigest, game.worker, _slashWorker(game));
    }

    /// @dev A stake that is gone already does not keep the receipt from being refuted.
    function _slashWorker(Game storage game) private returns (uint256) {
        INodeRegistry.Role role = INodeRegistry.Role.Worker;
        uint256 bps = _parameters.workerBps;
        address worker = game.worker;
        if (registry.nodeOf(worker).role != role || registry.stakeOf(worker) * bps < 10_000) return 0;
        return registry.slash(worker, role, bps, game.receiptDigest, game.challenger);
    }

    /// @dev What both agree on before the tile: the bias, which the registration fixes, or sums that the challenger agreed to.
    function _requireBefore(Game storage game, IGameModels.Layer memory layer, TileEvidence calldata evidence)
        private
        view
    {
        bytes32 before = Tiles.hashSums(evidence.sumsBefore);
        if (game.sumLow > 0) {
            if (before != game.agreedSums) revert SumsMismatch(before, game.agreedSums);
            return;
        }
        uint256 blocks = Tiles.countBlocks(layer.outputs);
        if (!Tiles.isLeaf(layer.biasRoot, before, game.index, blocks, evidence.biasProof)) {
            revert BiasMismatch(game.index);
        }
    }

    function _requireOperands(Game storage game, IGameModels.Layer memory layer, TileEvidence calldata evidence)
        private
        view
    {
        uint256 tiles = Tiles.countBlocks(layer.inputs);
        bytes32 leaf = Tiles.hashBlock(evidence.block31);
        if (!Tiles.isLeaf(game.agreed, leaf, game.sumLow, tiles, evidence.blockProof)) {
            revert BlockMismatch(game.sumLow);
        }
        uint256 place = game.index * tiles + game.sumLow;
        uint256 places = Tiles.countBlocks(layer.outputs) * tiles;
        if (!Tiles.isLeaf(layer.weightsRoot, bytes32(evidence.weights), place, places, evidence.weightsProof)) {
            revert WeightsMismatch(place);
        }
    }

    function _requireDefender(bytes32 id, Stage wanted) private view returns (Game storage game) {
        game = _games[id];
        if (game.stage != wanted) revert WrongStage(game.stage, wanted);
        _requireRunning(game, game.worker, false);
    }

    function _requireRunning(Game storage game, address mover, bool isChallengersTurn) private view {
        if (game.stage == Stage.None || game.stage == Stage.Closed) revert WrongStage(game.stage, Stage.Layers);
        if (msg.sender != mover || game.isChallengersTurn != isChallengersTurn) {
            revert NotYourTurn(msg.sender, game.isChallengersTurn ? game.challenger : game.worker);
        }
        if (block.timestamp > game.deadline) revert TooLate(game.deadline);
    }
}
