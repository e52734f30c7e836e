// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGameModels} from "../../../src/zk/game/IGameModels.sol";
import {GameFixture} from "./GameFixture.sol";

/// @notice What may be registered, to the last value on either side of each bound, and which of equal logits is the label.
contract GameModelsTest is GameFixture {
    uint32 internal constant MOST_VALUES = 31 * 4096;
    uint32 internal constant MOST_CLASSES = 2048;

    uint256 private _count;

    function testALayerHasSizesWithinBounds() public {
        _accept(_two(MOST_VALUES, MOST_VALUES, MOST_CLASSES));
        _accept(_two(1, 1, 1));
        _refuse(_two(MOST_VALUES + 1, 2, 2), 0);
        _refuse(_two(0, 2, 2), 0);
        _refuse(_two(2, MOST_VALUES + 1, 2), 0);
        _refuse(_two(2, 0, 2), 0);
        _refuse(_two(2, 2, MOST_CLASSES + 1), 1);
        _refuse(_two(2, 2, 0), 1);
    }

    function testALayerTakesWhatTheOneBeforeItGives() public {
        IGameModels.Model memory model = _two(2, 3, 2);
        model.layers[1].inputs = 4;
        _refuse(model, 1);
    }

    function testAllLayersButTheLastScale() public {
        IGameModels.Model memory model = _two(2, 3, 2);
        model.layers[0].scales = false;
        _refuse(model, 0);
        model.layers[0].scales = true;
        model.layers[1].scales = true;
        _refuse(model, 1);
    }

    function testAShiftIsWithinItsBound() public {
        IGameModels.Model memory model = _two(2, 3, 2);
        model.layers[0].shift = 23;
        _accept(model);
        model.layers[0].shift = 24;
        _refuse(model, 0);
    }

    function testAModelHasOneToSixtyFourLayers() public {
        _accept(_chain(64));
        _refuse(_chain(65), 65);
        _refuse(_chain(0), 0);
    }

    function testAModelHasOneToEightOutputs() public {
        IGameModels.Model memory model = _two(2, 3, 2);
        model.outputs = new IGameModels.Output[](8);
        _accept(model);
        model.outputs = new IGameModels.Output[](9);
        vm.expectRevert(IGameModels.InvalidOutputs.selector);
        models.register(bytes32(++_count), model);
        model.outputs = new IGameModels.Output[](0);
        vm.expectRevert(IGameModels.InvalidOutputs.selector);
        models.register(bytes32(++_count), model);
    }

    function testOfEqualLogitsTheFirstIsTheLabel() public {
        bytes32 digest = _accept(_two(1, 1, 2));
        int32[] memory equal = new int32[](2);
        (equal[0], equal[1]) = (5, 5);
        bytes[] memory said = new bytes[](1);
        said[0] = hex"0000000000000000";
        models.rootOfLogits(digest, 0, 1, equal, said, _digestOf(said[0]));
        said[0] = hex"0100000000000000";
        bytes32 outputDigest = _digestOf(said[0]);
        vm.expectRevert(abi.encodeWithSelector(IGameModels.LogitsMismatch.selector, 0));
        models.rootOfLogits(digest, 0, 1, equal, said, outputDigest);
    }

    function _accept(IGameModels.Model memory model) private returns (bytes32 digest) {
        digest = bytes32(++_count);
        models.register(digest, model);
        assertEq(models.layerCountOf(digest), model.layers.length);
    }

    function _refuse(IGameModels.Model memory model, uint256 index) private {
        vm.expectRevert(abi.encodeWithSelector(IGameModels.InvalidLayer.selector, index));
        models.register(bytes32(++_count), model);
    }

    /// @dev inputs -> between -> classes, with a label for its output.
    function _two(uint32 inputs, uint32 between, uint32 classes) private pure returns (IGameModels.Model memory model) {
        model = _chain(2);
        (model.layers[0].inputs, model.layers[0].outputs) = (inputs, between);
        (model.layers[1].inputs, model.layers[1].outputs) = (between, classes);
    }

    function _chain(uint256 layers) private pure returns (IGameModels.Model memory model) {
        model.inputName = "bytes";
        model.outputs = new IGameModels.Output[](1);
        model.outputs[0] = IGameModels.Output("label", IGameModels.OutputKind.Label, false);
        model.layers = new IGameModels.Layer[](layers);
        for (uint256 i = 0; i < layers; ++i) {
            model.layers[i] = IGameModels.Layer(1, 1, i + 1 < layers, 0, 0, 0);
        }
    }

    /// @dev Of the canonical bytes of one int64 tensor "label" with one element.
    function _digestOf(bytes memory label) private pure returns (bytes32) {
        return sha256(
            bytes.concat(
                "inferium/tensors/v1",
                hex"0100000000000000",
                hex"0500000000000000",
                "label",
                hex"0500000000000000",
                "int64",
                hex"0100000000000000",
                hex"0100000000000000",
                hex"0800000000000000",
                label
            )
        );
    }
}
