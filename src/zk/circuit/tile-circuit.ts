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
  const commitment = system.addWire("main.commitment");
  const sums = system.addWires("main.sums", groupsPerTile);
  const block = system.addWire("main.block");
  const weights = Array.from({ length: tileSize }, (_, input) =>
    system.addWires(`main.weights[${input}]`, groupsPerTile),
  );
  const bytes = addBytes(system, block);
  system.assignLinear(commitment, addSponge(system, "main.commit", weights.flat()));
  addSums(system, { sums, bytes, weights });
  const layout: WireLayout = {
    publicOutputs: 1 + groupsPerTile,
    publicInputs: 1,
    privateInputs: weights.flat().length,
  };
  return {
    constraintCount: system.constraints.count,
    wireCount: system.wireCount,
    encodeR1cs: () => encodeR1cs(system, layout),
    computeWitness: (inputs) => {
      const wires = weights.flat();
      if (inputs.weights.length !== wires.length) {
        throw new InferiumError(
          "InvalidInput",
          `A tile has ${inputs.weights.length} packed weights, expected ${wires.length}.`,
        );
      }
      const given = wires.map((wire, index): [number, bigint] => [wire, inputs.weights[index] ?? 0n]);
      return system.computeWitness(new Map([...given, [block, inputs.block]]));
    },
  };
}

/** 248 bits, which are unique since they stay far below the prime; each eight of them are a byte. The first byte is the highest. */
function addBytes(system: ConstraintSystem, block: number): Term[][] {
  const bits = addUnsignedBits(system, "main.bits", block, 8 * tileSize);
  return Array.from({ length: tileSize }, (_, index) => {
    const lowest = 8 * (tileSize - 1 - index);
    return bits.slice(lowest, lowest + 8).map((bit, power): Term => [bit, 1n << BigInt(power)]);
  });
}

function addSums(
  system: ConstraintSystem,
  { sums, bytes, weights }: { sums: number[]; bytes: Term[][]; weights: number[][] },
): void {
  const products = bytes.map((byte, input) =>
    (weights[input] ?? []).map((weight, group) =>
      system.addProduct(`main.products[${input}][${group}]`, byte, [[weight, 1n]]),
    ),
  );
  sums.forEach((sum, group) => {
    const terms = products.map((row): Term => [row[group] ?? one, 1n]);
    system.assignLinear(sum, [[one, groupOffset], ...terms]);
  });
}
