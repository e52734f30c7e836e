// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TypedData} from "../../libraries/TypedData.sol";

/// @title InferenceGame: who is right about an integer model's result, found out by halving
/// @notice A challenger says that a worker's signed receipt is wrong. The contract computes the root of the input's blocks and the digests
/// itself, so that both agree on where the inference begins and on what the worker said. From there one question is asked again and
/// again: where is the first thing that you do not agree on? Layer, then block of outputs, then tile. The last answer is one tile of
/// one matrix product, and the worker proves it (ITileVerifier) or has lost. docs/zk-game.md argues why whoever is right wins.
///
/// The worker (defender) proposes, the challenger answers. Each move has a deadline; who lets one pass has lost. The defender's
/// bond is its stake; the challenger's is paid in. One receipt may be challenged by many, each once for a row, so that nobody shields a
/// receipt by a sham challenge; it is punished once. A game is lost by silence, never by a proof of guilt: so it costs the worker, who could have
/// spoken, and nobody else; validators that approved answer to a jury (IDisputes).
interface IInferenceGame {
    /// @dev Claiming: the defender shows the logits. Layers, Blocks, Sums: halving. Opening: the defender shows the sums of the block.
    /// Proving: the defender proves one tile.
    enum Stage {
        None,
        Claiming,
        Layers,
        Blocks,
        Opening,
        Sums,
        Proving,
        Closed
    }

    enum Outcome {
        None,
        Refuted,
        Upheld
    }

    /// @param bond what a challenger puts up, 1 to 1,000,000 IFR
    /// @param moveSeconds for each move; all moves of the longest game must end before a worker's stake can be withdrawn
    /// @param workerBps penalty of a worker whose receipt was refuted, 1 to 10,000
    /// @param defenderBps share of a lost challenger's bond that goes to the worker, at most 5,000; the rest is burnt
    struct Parameters {
        uint128 bond;
        uint32 moveSeconds;
        uint16 workerBps;
        uint16 defenderBps;
    }

    /// @param isChallengersTurn whether the challenger answers next
    /// @param low,high layers: both agree on the activations after `low`, the challenger denies those after `high`
    /// @param level,index node of the tree of blocks after `high` that the challenger denies
    /// @param sumLow,sumHigh both agree on the sums of block `index` after so many tiles, the challenger denies those after `sumHigh`
    /// @param agreed root of the activations after `low`
    /// @param agreedSums hash of the sums after `sumLow` tiles; zero before the first, where they are the bias
    /// @param denied what the challenger denies: root, node, block or sums
    /// @param first,second what the defender proposed last
    struct Game {
        address challenger;
        uint64 deadline;
        Stage stage;
        Outcome outcome;
        bool isChallengersTurn;
        address worker;
        uint32 row;
        uint32 rows;
        uint8 low;
        uint8 high;
        uint8 level;
        uint128 bond;
        uint32 index;
        uint32 sumLow;
        uint32 sumHigh;
        bytes32 receiptDigest;
        bytes32 modelDigest;
        bytes32 outputDigest;
        bytes32 agreed;
        bytes32 agreedSums;
        bytes32 denied;
        bytes32 first;
        bytes32 second;
    }

    /// @notice What a challenger shows.
    /// @param row,rows which row of how many
    /// @param input data of the receipt's input tensor
    /// @param outputs data of its output tensors, in the order of their names
    struct Opening {
        TypedData.Receipt receipt;
        bytes workerSignature;
        uint32 row;
        uint32 rows;
        bytes input;
        bytes[] outputs;
    }

    /// @notice What a defender shows of its last tile.
    /// @param sumsBefore sums of the block before the tile; the bias before the first
    /// @param biasProof from the bias to the layer's biasRoot; empty after the first tile
    /// @param block31,blockProof the tile's input, in the tree of the agreed activations
    /// @param weights,weightsProof commitment of the tile's weights, in the layer's tree
    /// @param sums,proof what ITileVerifier checks
    struct TileEvidence {
        int32[31] sumsBefore;
        bytes32[] biasProof;
        uint256 block31;
        bytes32[] blockProof;
        uint256 weights;
        bytes32[] weightsProof;
        uint256[3] sums;
        uint256[8] proof;
    }

    event ParametersChanged(Parameters parameters);
    event GameOpened(
        bytes32 indexed id, bytes32 indexed receiptDigest, address indexed worker, address challenger, uint32 row
    );
    /// @dev The stage and whose turn it is after a move; what was proposed stands in `gameOf`.
    event Moved(bytes32 indexed id, address indexed by, Stage stage, bool isChallengersTurn, uint256 deadline);
    event GameClosed(bytes32 indexed id, bytes32 indexed receiptDigest, Outcome outcome);
    event ReceiptRefuted(bytes32 indexed receiptDigest, address indexed worker, uint256 slashed);

    error InvalidParameter();
    error AlreadyOpened(bytes32 id);
    error ReceiptIsRefuted(bytes32 receiptDigest);
    error WorkerHasNoStake(address worker);
    error InvalidRow(uint32 row, uint32 rows);
    error WrongStage(Stage actual, Stage wanted);
    error NotYourTurn(address caller, address expected);
    error TooLate(uint256 deadline);
    error TooEarly(uint256 deadline);
    error NothingProposed();
    error NotTheChildren(bytes32 got, bytes32 want);
    error SumsMismatch(bytes32 got, bytes32 want);
    error BiasMismatch(uint256 index);
    error BlockMismatch(uint256 index);
    error WeightsMismatch(uint256 index);
    error InvalidTileProof(bytes32 id);

    /// @notice Governance only, within the bounds of `Parameters`. A deadline that runs keeps its end.
    function setParameters(Parameters calldata parameters_) external;

    /// @notice Challenge one row of a receipt; pulls the bond from the caller.
    /// @return id keccak256(abi.encode(the receipt's EIP-712 digest, row, challenger))
    function open(Opening calldata opening) external returns (bytes32 id);

    /// @notice Defender, Claiming: the logits of the row, which give the outputs that the receipt names.
    /// @param outputs as in `Opening`
    function claim(bytes32 id, int32[] calldata logits, bytes[] calldata outputs) external;

    /// @notice Defender. Layers: `first` is the root of the activations halfway. Blocks: the two children of the denied node.
    /// Sums: `first` is the hash of the sums halfway.
    function propose(bytes32 id, bytes32 first, bytes32 second) external;

    /// @notice Challenger: whether what it denies lies in the second half. Layers and Sums: it agrees with what was proposed. Blocks:
    /// it denies the right child.
    function answer(bytes32 id, bool inSecondHalf) external;

    /// @notice Defender, Opening: the sums of the denied block before scaling.
    function openBlock(bytes32 id, int32[31] calldata sums) external;

    /// @notice Defender, Proving. Where this succeeds the challenger has lost.
    function prove(bytes32 id, TileEvidence calldata evidence) external;

    /// @notice Who let the deadline pass has lost. Anybody may call.
    function timeOut(bytes32 id) external;

    function gameOf(bytes32 id) external view returns (Game memory);

    function isRefuted(bytes32 receiptDigest) external view returns (bool);

    function parameters() external view returns (Parameters memory);

    /// @notice Moves of the longest game that a registered model can have.
    // solhint-disable-next-line func-name-mixedcase
    function MAX_MOVES() external view returns (uint256);
}
