// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {IGameModels} from "./IGameModels.sol";
import {Statements} from "./Statements.sol";
import {Tiles} from "./Tiles.sol";

/// @title GameModels, as IGameModels documents it
contract GameModels is IGameModels, AccessControl {
    /// @notice Bounds on how long a game can be: 6 halvings of the layers, 12 of the blocks and 12 of the tiles of one block.
    uint256 public constant MAX_LAYERS = 64;
    uint256 public constant MAX_VALUES = 31 * 4096;
    /// @notice Logits are shown in one transaction.
    uint256 public constant MAX_CLASSES = 2048;
    uint256 private constant MAX_SHIFT = 23;

    mapping(bytes32 modelDigest => Model) private _models;

    constructor(address admin) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    /// @inheritdoc IGameModels
    function register(bytes32 modelDigest, Model calldata model) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (_models[modelDigest].layers.length > 0) revert AlreadyRegistered(modelDigest);
        _requireChain(model.layers);
        if (model.outputs.length == 0 || model.outputs.length > 8) revert InvalidOutputs();
        Model storage record = _models[modelDigest];
        record.inputName = model.inputName;
        for (uint256 i = 0; i < model.outputs.length; ++i) {
            record.outputs.push(model.outputs[i]);
        }
        for (uint256 i = 0; i < model.layers.length; ++i) {
            record.layers.push(model.layers[i]);
        }
        emit GameModelRegistered(modelDigest, model.layers.length);
    }

    /// @inheritdoc IGameModels
    function modelOf(bytes32 modelDigest) public view returns (Model memory model) {
        model = _models[modelDigest];
        if (model.layers.length == 0) revert UnknownModel(modelDigest);
    }

    /// @inheritdoc IGameModels
    function layerCountOf(bytes32 modelDigest) public view returns (uint256 count) {
        count = _models[modelDigest].layers.length;
        if (count == 0) revert UnknownModel(modelDigest);
    }

    /// @inheritdoc IGameModels
    function layerOf(bytes32 modelDigest, uint256 index) external view returns (Layer memory) {
        layerCountOf(modelDigest);
        return _models[modelDigest].layers[index];
    }

    /// @inheritdoc IGameModels
    function rootOfInput(bytes32 modelDigest, uint32 row, uint32 rows, bytes calldata input, bytes32 inputDigest)
        external
        view
        returns (bytes32)
    {
        Model memory model = modelOf(modelDigest);
        Statements.requireInput(model, rows, input, inputDigest);
        uint256 size = model.layers[0].inputs;
        return Tiles.rootOfBytes(input[row * size:(row + 1) * size]);
    }

    /// @inheritdoc IGameModels
    function requireOutputs(bytes32 modelDigest, uint32 rows, bytes[] calldata outputs, bytes32 outputDigest)
        external
        view
    {
        Statements.requireOutputs(modelOf(modelDigest), rows, outputs, outputDigest);
    }

    /// @inheritdoc IGameModels
    function rootOfLogits(
        bytes32 modelDigest,
        uint32 row,
        uint32 rows,
        int32[] calldata logits,
        bytes[] calldata outputs,
        bytes32 outputDigest
    ) external view returns (bytes32) {
        Model memory model = modelOf(modelDigest);
        uint256 classes = model.layers[model.layers.length - 1].outputs;
        if (logits.length != classes) revert WrongLength(logits.length, classes);
        Statements.requireOutputs(model, rows, outputs, outputDigest);
        Statements.requireLogits(model.outputs, row, logits, outputs);
        return Tiles.rootOfSums(logits);
    }

    /// @dev Each layer takes what the one before it gives, and all but the last give bytes.
    function _requireChain(Layer[] calldata layers) private pure {
        if (layers.length == 0 || layers.length > MAX_LAYERS) revert InvalidLayer(layers.length);
        uint256 last = layers.length - 1;
        for (uint256 i = 0; i <= last; ++i) {
            Layer calldata layer = layers[i];
            uint256 most = i == last ? MAX_CLASSES : MAX_VALUES;
            bool isSized = layer.inputs > 0 && layer.inputs <= MAX_VALUES && layer.outputs > 0 && layer.outputs <= most;
            bool follows = i == 0 || layers[i - 1].outputs == layer.inputs;
            bool isScaled = layer.scales == (i < last) && layer.shift <= MAX_SHIFT;
            if (!isSized || !follows || !isScaled) revert InvalidLayer(i);
        }
    }
}
