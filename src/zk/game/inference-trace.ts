/**
 * One row's inference with every intermediate result that a dispute can come to: activations after each layer, their trees, and the
 * sums of a block after each of its tiles. Everything follows from `sumsAfter`. Computed where it is asked for, and kept.
 * Both players make their own. Pure.
 */
import { ZeroHash } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { BlockTree, hashBlock, hashSums } from "./block-tree.ts";
import type { GameLayer, GameModel } from "./game-model.ts";
import { computeTileSums, packBlock, tileSize } from "./tile.ts";

export class InferenceTrace {
  readonly model: GameModel;
  readonly #input: Uint8Array;
  readonly #activations = new Map<number, readonly Uint8Array[]>();
  readonly #trees = new Map<number, BlockTree>();

  /** @param input one row @throws InferiumError InvalidInput */
  constructor(model: GameModel, input: Uint8Array) {
    const size = model.layers[0]?.inputs;
    if (input.length !== size) {
      throw new InferiumError("InvalidInput", `The row has ${input.length} bytes, expected ${size}.`);
    }
    this.model = model;
    this.#input = input;
  }

  /** Number of layers: `activations` and `tree` take 0 for the input up to this for the logits. */
  get depth(): number {
    return this.model.layers.length;
  }

  /** The layer, counted from 1, that gives the activations of this number. */
  layer(number: number): GameLayer {
    const layer = this.model.layers[number - 1];
    if (layer !== undefined) return layer;
    throw new InferiumError("LayerOutOfRange", `Layer ${number} asked of a model with ${this.depth}.`);
  }

  /** Sums of a block after the bias and so many of its tiles. */
  sumsAfter(layer: number, block: number, tiles: number): Int32Array {
    const { biases, weightsOf } = this.layer(layer);
    const before = this.activations(layer - 1);
    const sums = Int32Array.from(biases[block] ?? []);
    for (let tile = 0; tile < tiles; tile++) {
      const products = computeTileSums(weightsOf(block, tile), before[tile] ?? new Uint8Array());
      products.forEach((product, index) => {
        (sums[index] as number) += product;
      });
    }
    return sums;
  }

  /** Blocks of 31 bytes after this layer; none after the last, whose sums are the logits. */
  activations(layer: number): readonly Uint8Array[] {
    const known = this.#activations.get(layer);
    if (known !== undefined) return known;
    const made = layer === 0 ? cutBytes(this.#input) : this.#computeActivations(layer);
    this.#activations.set(layer, made);
    return made;
  }

  tree(layer: number): BlockTree {
    const known = this.#trees.get(layer);
    if (known !== undefined) return known;
    const leaves =
      layer === this.depth
        ? this.#blocksOf(layer).map((block) => hashSums(this.#allSums(layer, block)))
        : this.activations(layer).map((block) => hashBlock(packBlock(block)));
    const tree = new BlockTree(leaves);
    this.#trees.set(layer, tree);
    return tree;
  }

  /** Zero hash beyond the layer's edge: nobody agrees to sums of a block that there is not. */
  hashSumsAfter(layer: number, block: number, tiles: number): string {
    return block < this.layer(layer).blocks ? hashSums(this.sumsAfter(layer, block, tiles)) : ZeroHash;
  }

  logits(): number[] {
    const sums = this.#blocksOf(this.depth).flatMap((block) => [...this.#allSums(this.depth, block)]);
    return sums.slice(0, this.layer(this.depth).outputs);
  }

  #computeActivations(layer: number): Uint8Array[] {
    const { shift = 0 } = this.layer(layer);
    return this.#blocksOf(layer).map((block) =>
      Uint8Array.from(this.#allSums(layer, block), (sum) => Math.min(255, Math.max(0, sum) >> shift)),
    );
  }

  #allSums(layer: number, block: number): Int32Array {
    return this.sumsAfter(layer, block, this.layer(layer).tiles);
  }

  #blocksOf(layer: number): number[] {
    return Array.from({ length: this.layer(layer).blocks }, (_, block) => block);
  }
}

function cutBytes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / tileSize) }, (_, block) =>
    bytes.subarray(block * tileSize, (block + 1) * tileSize),
  );
}
