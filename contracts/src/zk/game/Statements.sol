// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGameModels} from "./IGameModels.sol";
import {Tensors} from "./Tensors.sol";

/// @title What a receipt's digests say of tensors that are shown
library Statements {
    /// @notice Reverts unless these are the bytes of the receipt's input.
    function requireInput(IGameModels.Model memory model, uint32 rows, bytes calldata input, bytes32 digest)
        internal
        pure
    {
        uint256 size = uint256(rows) * model.layers[0].inputs;
        if (input.length != size) revert IGameModels.WrongLength(input.length, size);
        uint64[] memory shape = _shape(rows, model.layers[0].inputs);
        bytes32 got =
            sha256(bytes.concat(Tensors.head(1), Tensors.encode(bytes(model.inputName), "uint8", shape, input)));
        if (got != digest) revert IGameModels.InputMismatch(got, digest);
    }

    /// @notice Reverts unless these are the data of the receipt's outputs.
    function requireOutputs(IGameModels.Model memory model, uint32 rows, bytes[] calldata outputs, bytes32 digest)
        internal
        pure
    {
        uint256 count = model.outputs.length;
        if (outputs.length != count) revert IGameModels.WrongLength(outputs.length, count);
        uint32 classes = model.layers[model.layers.length - 1].outputs;
        bytes memory encoded = Tensors.head(uint64(count));
        for (uint256 i = 0; i < count; ++i) {
            encoded = bytes.concat(encoded, _encode(model.outputs[i], rows, classes, outputs[i]));
        }
        bytes32 got = sha256(encoded);
        if (got != digest) revert IGameModels.OutputMismatch(got, digest);
    }

    /// @notice Reverts unless the logits of the row give what the outputs say of it. The lengths of `outputs` were checked.
    function requireLogits(
        IGameModels.Output[] memory kinds,
        uint256 row,
        int32[] calldata logits,
        bytes[] calldata outputs
    ) internal pure {
        uint256 label = _firstLargest(logits);
        for (uint256 i = 0; i < kinds.length; ++i) {
            bool isSame = true;
            if (kinds[i].kind == IGameModels.OutputKind.Label) {
                isSame = Tensors.int64At(outputs[i], row) == int64(uint64(label));
            } else if (kinds[i].kind == IGameModels.OutputKind.Score) {
                isSame = Tensors.int32At(outputs[i], row) == logits[label];
            } else {
                for (uint256 j = 0; j < logits.length; ++j) {
                    isSame = isSame && Tensors.int32At(outputs[i], row * logits.length + j) == logits[j];
                }
            }
            if (!isSame) revert IGameModels.LogitsMismatch(i);
        }
    }

    function _encode(IGameModels.Output memory output, uint32 rows, uint32 classes, bytes calldata data)
        private
        pure
        returns (bytes memory)
    {
        bool isLogits = output.kind == IGameModels.OutputKind.Logits;
        bool isLabel = output.kind == IGameModels.OutputKind.Label;
        uint32 columns = isLogits ? classes : 1;
        uint256 size = uint256(rows) * columns * (isLabel ? 8 : 4);
        if (data.length != size) revert IGameModels.WrongLength(data.length, size);
        uint64[] memory shape = _shape(rows, columns);
        if (!isLogits && !output.keepsAxis) {
            shape = new uint64[](1);
            shape[0] = rows;
        }
        return Tensors.encode(bytes(output.name), isLabel ? bytes("int64") : bytes("int32"), shape, data);
    }

    function _shape(uint64 rows, uint64 columns) private pure returns (uint64[] memory shape) {
        shape = new uint64[](2);
        (shape[0], shape[1]) = (rows, columns);
    }

    function _firstLargest(int32[] calldata values) private pure returns (uint256 best) {
        for (uint256 i = 1; i < values.length; ++i) {
            if (values[i] > values[best]) best = i;
        }
    }
}
