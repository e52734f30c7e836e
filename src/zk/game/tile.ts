/**
 * One tile of a layer's matrix product: 31 input bytes times 31 x 31 weights. 31, because so many bytes fit one field element, so
 * that a block of activations is one number for the circuit and one word for the contract.
 *
 * Weights are packed so that one multiplication serves 11 outputs: those of one input in slots of 22 bits side by side. A slot
 * holds a sum of 31 products of a byte with a weight of at most 8 bits, whose size stays below 2^21, so that no slot reaches into
 * the next. The circuit: tile-circuit.ts; the contract that unpacks the sums: contracts/src/zk/game/Tiles.sol. Pure.
 */
import { mod } from "../field.ts";
import { hashElements } from "../poseidon/sponge.ts";

export const tileSize = 31;
export const slotBits = 22;
export const slotsPerGroup = 11;
/** 11, 11 and 9 outputs. */
export const groupsPerTile = 3;

/** Added to each sum, so that what stands in a slot is not negative. */
const slotOffset = 1n << BigInt(slotBits - 1);

/** Of all slots of a group, those without an output included. */
export const groupOffset = Array.from({ length: slotsPerGroup }, (_, slot) => slotOffset << shiftOf(slot)).reduce(
  (sum, offset) => sum + offset,
);

/** Row-major [31 inputs][31 outputs], zero where the matrix ends. */
export type TileWeights = Int32Array;

/** 93 elements: for each input its three groups. */
export function packTileWeights(weights: TileWeights): bigint[] {
  const elements: bigint[] = [];
  for (let input = 0; input < tileSize; input++) {
    const row = weights.subarray(input * tileSize, (input + 1) * tileSize);
    for (let group = 0; group < groupsPerTile; group++) elements.push(mod(packSlots(row, group)));
  }
  return elements;
}

/** What the model's registration holds of a tile: Poseidon over the packed weights. */
export function commitTileWeights(weights: TileWeights): bigint {
  return hashElements(packTileWeights(weights));
}

/** 31 bytes as one number, the first highest: as a word of calldata holds them. */
export function packBlock(bytes: Uint8Array): bigint {
  let packed = 0n;
  for (let index = 0; index < tileSize; index++) packed = (packed << 8n) | BigInt(bytes[index] ?? 0);
  return packed;
}

export function computeTileSums(weights: TileWeights, block: Uint8Array): Int32Array {
  const sums = new Int32Array(tileSize);
  for (let input = 0; input < tileSize; input++) {
    const value = block[input] ?? 0;
    for (let output = 0; output < tileSize; output++) {
      (sums[output] as number) += value * (weights[input * tileSize + output] as number);
    }
  }
  return sums;
}

/** The tile's public result: three numbers that hold all sums. */
export function packTileSums(sums: Int32Array): bigint[] {
  return Array.from({ length: groupsPerTile }, (_, group) => packSlots(sums, group) + groupOffset);
}

function packSlots(values: Int32Array, group: number): bigint {
  let packed = 0n;
  for (let slot = 0; slot < slotsPerGroup; slot++) {
    packed += BigInt(values[group * slotsPerGroup + slot] ?? 0) << shiftOf(slot);
  }
  return packed;
}

function shiftOf(slot: number): bigint {
  return BigInt(slotBits * slot);
}
