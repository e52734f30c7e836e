/**
 * The universal tile: "I know weights that hash to `weights`, whose product with these input bytes is `sums`." One circuit for every
 * tile of every layer of every model, so that one ceremony and one key on the chain serve all dispute games. The template:
 * circuits/tile.circom. Public signals in order: weights, three of sums, inputs. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { groupOffset, groupsPerTile, tileSize } from "../game/tile.ts";
import { ConstraintSystem, type ConstraintSystemOptions, one, type Term } from "../r1cs/constraint-system.ts";
import { encodeR1cs, type WireLayout } from "../r1cs/r1cs-file.ts";
import { addUnsignedBits } from "./bits.ts";
import { addSponge } from "./sponge.ts";

export interface TileCircuit {
  readonly constraintCount: number;
  readonly wireCount: number;
  encodeR1cs(): Buffer;
  /** @returns a value for each wire; wires 1 to 5 are the public signals @throws InferiumError InvalidInput */
  computeWitness(inputs: TileInputs): bigint[];
}

export interface TileInputs {
  /** The block of 31 bytes as packBlock gives it. */
  readonly block: bigint;
  /** As packTileWeights gives them. */
  readonly weights: readonly bigint[];
}

export function compileTile(options: ConstraintSystemOptions = {}): TileCircuit {
  const system = new ConstraintSystem(options);
  // First of all, in the order that r1cs files prescribe.
  const wires: TileWires = {
    commitment: system.addWire("main.commitment"),
    sums: system.addWires("main.sums", groupsPerTile),
    block: system.addWire("main.block"),
    weights: system.addWires("main.weights", tileSize * groupsPerTile),
  };
  addTile(system, "main", wires);
  const layout: WireLayout = { publicOutputs: 1 + groupsPerTile, publicInputs: 1, privateInputs: wires.weights.length };
  return {
    constraintCount: system.constraints.count,
    wireCount: system.wireCount,
    encodeR1cs: () => encodeR1cs(system, layout),
    computeWitness: (inputs) => computeWitness(system, wires, inputs),
  };
}

export interface TileWires {
  readonly commitment: number;
  readonly sums: readonly number[];
  readonly block: number;
  /** For each byte its three groups. */
  readonly weights: readonly number[];
}

export function addTile(system: ConstraintSystem, path: string, { commitment, sums, block, weights }: TileWires): void {
  const bytes = addBytes(system, path, block);
  system.assignLinear(commitment, addSponge(system, `${path}.commit`, weights));
  const products = weights.map((weight, index) =>
    system.addProduct(`${path}.products[${index}]`, bytes[Math.floor(index / groupsPerTile)] ?? [], [[weight, 1n]]),
  );
  sums.forEach((sum, group) => {
    const ofGroup = products.filter((_, index) => index % groupsPerTile === group);
    system.assignLinear(sum, [[one, groupOffset], ...ofGroup.map((product): Term => [product, 1n])]);
  });
}

/** 248 bits, which are unique since they stay far below the prime; each eight of them are a byte. The first byte is the highest. */
function addBytes(system: ConstraintSystem, path: string, block: number): Term[][] {
  const bits = addUnsignedBits(system, `${path}.bits`, block, 8 * tileSize);
  return Array.from({ length: tileSize }, (_, index) => {
    const lowest = 8 * (tileSize - 1 - index);
    return bits.slice(lowest, lowest + 8).map((bit, power): Term => [bit, 1n << BigInt(power)]);
  });
}

function computeWitness(system: ConstraintSystem, wires: TileWires, { block, weights }: TileInputs): bigint[] {
  if (weights.length !== wires.weights.length) {
    throw new InferiumError(
      "InvalidInput",
      `A tile has ${weights.length} packed weights, expected ${wires.weights.length}.`,
    );
  }
  const inputs = new Map([[wires.block, block]]);
  wires.weights.forEach((wire, index) => {
    inputs.set(wire, weights[index] as bigint);
  });
  return system.computeWitness(inputs);
}
