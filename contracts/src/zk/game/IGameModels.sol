// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title GameModels: integer models whose results can be disputed on the chain
/// @notice A model's layers with commitments to all their weights. Anybody who has the model can compute them again
/// (`src/zk/game/game-model.ts`) and compare. A registration never changes.
interface IGameModels {
    /// @notice out = inputs x weights + bias; where it scales, clip(out, 0, 256 * 2^shift - 1) / 2^shift.
    /// @param inputs,outputs values in one row; the outputs of a layer are the inputs of the next
    /// @param scales every layer but the last, whose sums are the model's logits
    /// @param weightsRoot tree over the commitments of the tiles, block of outputs after block, each from its first inputs on
    /// @param biasRoot tree over the blocks of the bias, hashed as sums are
    struct Layer {
        uint32 inputs;
        uint32 outputs;
        bool scales;
        uint8 shift;
        bytes32 weightsRoot;
        bytes32 biasRoot;
    }

    /// @dev Label: index of the first largest logit, int64. Score: the largest, int32.
    enum OutputKind {
        Logits,
        Label,
        Score
    }

    /// @param keepsAxis whether labels and scores have the shape [rows, 1] and not [rows]
    struct Output {
        string name;
        OutputKind kind;
        bool keepsAxis;
    }

    /// @param inputName name of the one input, bytes of the shape [rows, inputs]
    /// @param outputs in the order of their names' bytes
    struct Model {
        string inputName;
        Output[] outputs;
        Layer[] layers;
    }

    event GameModelRegistered(bytes32 indexed modelDigest, uint256 layers);

    error AlreadyRegistered(bytes32 modelDigest);
    error UnknownModel(bytes32 modelDigest);
    error InvalidLayer(uint256 index);
    error InvalidOutputs();
    error InputMismatch(bytes32 got, bytes32 receipt);
    error OutputMismatch(bytes32 got, bytes32 receipt);
    error WrongLength(uint256 got, uint256 want);
    error LogitsMismatch(uint256 output);

    /// @notice By the admin, once for each model.
    function register(bytes32 modelDigest, Model calldata model) external;

    /// @dev Reverts with UnknownModel.
    function modelOf(bytes32 modelDigest) external view returns (Model memory);

    /// @dev Reverts with UnknownModel.
    function layerCountOf(bytes32 modelDigest) external view returns (uint256);

    /// @notice From 0; reverts with UnknownModel.
    function layerOf(bytes32 modelDigest, uint256 index) external view returns (Layer memory);

    /// @notice Root of the blocks of one row of the input. Reverts unless the input's canonical bytes have the digest.
    function rootOfInput(bytes32 modelDigest, uint32 row, uint32 rows, bytes calldata input, bytes32 inputDigest)
        external
        view
        returns (bytes32);

    /// @notice Reverts unless the canonical bytes of the outputs have the digest.
    /// @param outputs data of each, in the order of their names
    function requireOutputs(bytes32 modelDigest, uint32 rows, bytes[] calldata outputs, bytes32 outputDigest)
        external
        view;

    /// @notice Root of the blocks of one row's logits. Reverts unless they give what the outputs, which it checks too, say of the row.
    function rootOfLogits(
        bytes32 modelDigest,
        uint32 row,
        uint32 rows,
        int32[] calldata logits,
        bytes[] calldata outputs,
        bytes32 outputDigest
    ) external view returns (bytes32);
}
