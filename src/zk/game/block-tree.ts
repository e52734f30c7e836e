/**
 * Trees of a fixed depth for a number of leaves, missing ones zero: places are numbers, and nothing can be shown at another place than
 * its own. `contracts/src/zk/game/Tiles.sol` checks the same. Pure.
 */
import { concat, keccak256, toBeHex, ZeroHash } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { tileSize } from "./tile.ts";

export class BlockTree {
  readonly leafCount: number;
  /** Leaves first; each level half as long as the one before. */
  readonly #levels: readonly (readonly string[])[];

  constructor(leaves: readonly string[]) {
    if (leaves.length === 0)
      throw new InferiumError("EmptyTree", "A tree of blocks needs at least one leaf, got none.");
    this.leafCount = leaves.length;
    const levels = [padToPowerOfTwo(leaves)];
    for (let level = levels[0] ?? []; level.length > 1; level = levels.at(-1) ?? []) levels.push(hashLevel(level));
    this.#levels = levels;
  }

  get depth(): number {
    return this.#levels.length - 1;
  }

  get root(): string {
    return this.node(this.depth, 0);
  }

  /** @param level 0 for leaves @throws InferiumError LeafOutOfRange */
  node(level: number, index: number): string {
    const node = this.#levels[level]?.[index];
    if (node !== undefined) return node;
    throw new InferiumError(
      "LeafOutOfRange",
      `Node ${index} of level ${level} asked of a tree with ${this.leafCount} leaves.`,
    );
  }

  /** Siblings from the leaf upwards. @throws InferiumError LeafOutOfRange */
  proof(index: number): string[] {
    return Array.from({ length: this.depth }, (_, level) => this.node(level, (index >> level) ^ 1));
  }
}

function padToPowerOfTwo(leaves: readonly string[]): string[] {
  const size = 2 ** Math.ceil(Math.log2(leaves.length));
  return [...leaves, ...new Array<string>(size - leaves.length).fill(ZeroHash)];
}

function hashLevel(level: readonly string[]): string[] {
  return Array.from({ length: level.length / 2 }, (_, index) =>
    keccak256(concat([level[2 * index] ?? "", level[2 * index + 1] ?? ""])),
  );
}

export function toWord(value: bigint): string {
  return toBeHex(value, 32);
}

/** Of 31 bytes as packBlock gives them. */
export function hashBlock(block: bigint): string {
  return keccak256(toWord(block));
}

/** Of 31 sums, each as a word with its sign. */
export function hashSums(sums: ArrayLike<number>): string {
  const words = Array.from({ length: tileSize }, (_, index) => toWord(BigInt.asUintN(256, BigInt(sums[index] ?? 0))));
  return keccak256(concat(words));
}
