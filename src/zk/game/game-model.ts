/**
 * An integer model as dispute games see it: layers cut into tiles, and commitments to all weights and biases. Whoever has the model
 * computes the same and compares it with what GameModels holds. What cannot be disputed is refused by name. Pure.
 */
import { type Digest, sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { readIntegerNetwork } from "../network/from-onnx.ts";
import type { DenseLayer, NetworkOutput } from "../network/integer-network.ts";
import { readOnnxGraph } from "../onnx/read-graph.ts";
import { asDenseLayers } from "./as-dense.ts";
import { BlockTree, hashSums, toWord } from "./block-tree.ts";
import { commitTileWeights, type TileWeights, tileSize } from "./tile.ts";

export interface GameLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Undefined for the last layer, whose sums are the logits. */
  readonly shift: number | undefined;
  /** Blocks of 31 inputs: tiles that make up one block of outputs. */
  readonly tiles: number;
  /** Blocks of 31 outputs. */
  readonly blocks: number;
  readonly biases: readonly Int32Array[];
  readonly biasTree: BlockTree;
  /** Commitments of the tiles, block after block. */
  readonly commitments: readonly bigint[];
  readonly weightsTree: BlockTree;
  weightsOf(block: number, tile: number): TileWeights;
}

export interface GameOutput extends NetworkOutput {
  /** Labels and scores of the shape [rows, 1] and not [rows]. */
  readonly keepsAxis: boolean;
}

export interface GameModel {
  readonly modelDigest: Digest;
  readonly inputName: string;
  readonly outputs: readonly GameOutput[];
  readonly layers: readonly GameLayer[];
}

/** As GameModels.sol bounds them. */
export const gameLimits = { layers: 64, values: 31 * 4096, classes: 2048, shift: 23 } as const;

/** @throws InferiumError those of readIntegerNetwork, UnsupportedLayer, ModelTooLarge */
export function readGameModel(onnx: Uint8Array): GameModel {
  const network = readIntegerNetwork(onnx);
  const ranks = new Map(readOnnxGraph(onnx).outputs.map(({ name, shape }) => [name, shape.length]));
  const dense = asDenseLayers(network.layers);
  for (const [index, layer] of dense.entries()) checkLayer(layer, index, index === dense.length - 1);
  if (dense.length > gameLimits.layers) throw tooLarge(`${dense.length} layers`, gameLimits.layers);
  const commit = createCommitments();
  return {
    modelDigest: sha256(onnx),
    inputName: network.inputName,
    outputs: network.outputs.map((output) => ({ ...output, keepsAxis: ranks.get(output.name) === 2 })),
    layers: dense.map((layer) => buildLayer(layer, commit)),
  };
}

function checkLayer({ inputs, outputs, shift }: DenseLayer, index: number, isLast: boolean): void {
  if ((shift === undefined) !== isLast) {
    throw new InferiumError(
      "UnsupportedLayer",
      `Layer ${index + 1} ${isLast ? "scales its sums, which the last one may not" : "gives no bytes"}; a dispute game halves layers of bytes. Use another verification policy for this model.`,
    );
  }
  const most = isLast ? gameLimits.classes : gameLimits.values;
  if (inputs > gameLimits.values || outputs > most) throw tooLarge(`${inputs} inputs and ${outputs} outputs`, most);
  if (shift !== undefined && shift > gameLimits.shift) throw tooLarge(`a shift of ${shift}`, gameLimits.shift);
}

function tooLarge(what: string, most: number): InferiumError {
  return new InferiumError("ModelTooLarge", `The model has ${what}; a dispute game takes at most ${most}.`);
}

/** Windows make matrices whose tiles are mostly alike: zero, or the same few weights. */
function createCommitments(): (weights: TileWeights) => bigint {
  const known = new Map<string, bigint>();
  return (weights) => {
    const text = weights.join();
    const commitment = known.get(text) ?? commitTileWeights(weights);
    known.set(text, commitment);
    return commitment;
  };
}

function buildLayer(layer: DenseLayer, commit: (weights: TileWeights) => bigint): GameLayer {
  const { inputs, outputs, shift } = layer;
  const [tiles, blocks] = [Math.ceil(inputs / tileSize), Math.ceil(outputs / tileSize)];
  const weightsOf = (block: number, tile: number) => cutTile(layer, block, tile);
  const commitments = Array.from({ length: blocks * tiles }, (_, place) =>
    commit(weightsOf(Math.floor(place / tiles), place % tiles)),
  );
  const biases = Array.from({ length: blocks }, (_, block) => cutBlock(layer.bias, block));
  return {
    inputs,
    outputs,
    shift,
    tiles,
    blocks,
    biases,
    biasTree: new BlockTree(biases.map(hashSums)),
    commitments,
    weightsTree: new BlockTree(commitments.map(toWord)),
    weightsOf,
  };
}

/** Zero beyond the matrix' edges. */
function cutTile({ inputs, outputs, weights }: DenseLayer, block: number, tile: number): TileWeights {
  const cut = new Int32Array(tileSize * tileSize);
  const first = block * tileSize;
  for (let row = 0; row < tileSize && tile * tileSize + row < inputs; row++) {
    const start = (tile * tileSize + row) * outputs;
    cut.set(weights.subarray(start + first, start + Math.min(outputs, first + tileSize)), row * tileSize);
  }
  return cut;
}

export function cutBlock(values: Int32Array, block: number): Int32Array {
  const cut = new Int32Array(tileSize);
  cut.set(values.subarray(block * tileSize, (block + 1) * tileSize));
  return cut;
}

/** What GameModels.register takes. */
export function registrationOf({ inputName, outputs, layers }: GameModel) {
  const kinds = { logits: 0, label: 1, score: 2 };
  return {
    inputName,
    outputs: outputs.map(({ name, kind, keepsAxis }) => ({ name, kind: kinds[kind], keepsAxis })),
    layers: layers.map(({ inputs, outputs: size, shift, weightsTree, biasTree }) => ({
      inputs,
      outputs: size,
      scales: shift !== undefined,
      shift: shift ?? 0,
      weightsRoot: weightsTree.root,
      biasRoot: biasTree.root,
    })),
  };
}
