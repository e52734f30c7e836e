import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTile } from "../../../src/zk/circuit/tile-circuit.ts";
import { mod } from "../../../src/zk/field.ts";
import {
  commitTileWeights,
  computeTileSums,
  groupOffset,
  packBlock,
  packTileSums,
  packTileWeights,
  slotBits,
  slotsPerGroup,
  tileSize,
} from "../../../src/zk/game/tile.ts";
import { decodeR1cs, findBrokenConstraint } from "../../../src/zk/r1cs/r1cs-file.ts";
import { drawBytes } from "../../support/integer-model.ts";

const names = new Map<string, number>();
const circuit = compileTile({ names });
const r1cs = decodeR1cs(circuit.encodeR1cs());
const weights = Int32Array.from(drawBytes(tileSize ** 2, 3), (byte) => byte - 128);
const block = drawBytes(tileSize, 4);
const inputs = { block: packBlock(block), weights: packTileWeights(weights) };
const witness = circuit.computeWitness(inputs);

/** As the contract unpacks them. */
function unpack(packed: readonly bigint[]): number[] {
  return Array.from({ length: tileSize }, (_, index) => {
    const shift = BigInt(slotBits * (index % slotsPerGroup));
    const digit = ((packed[Math.floor(index / slotsPerGroup)] ?? 0n) >> shift) & ((1n << BigInt(slotBits)) - 1n);
    return Number(digit) - 2 ** (slotBits - 1);
  });
}

describe("the tile", () => {
  test("gives the sums of the product, and the commitment of the weights", () => {
    const sums = computeTileSums(weights, block);
    expect(witness.slice(1, 6)).toEqual([commitTileWeights(weights), ...packTileSums(sums), inputs.block]);
    expect(findBrokenConstraint(r1cs, witness)).toBeUndefined();
    expect(unpack(witness.slice(2, 5))).toEqual([...sums]);
  });

  test("keeps to 2^12 rows, so that a proof takes a fraction of a second", () => {
    expect(circuit.constraintCount + 5 + 1).toBeLessThanOrEqual(2 ** 12);
  });

  test.each([
    ["the smallest weights", -128, 255],
    ["the largest weights of eight bits", 255, 255],
    ["no weights", 0, 255],
    ["no input", 127, 0],
  ])("holds no sum that would reach into the next slot: %s", (_, weight, byte) => {
    const all = new Int32Array(tileSize ** 2).fill(weight);
    const bytes = new Uint8Array(tileSize).fill(byte);
    const sums = computeTileSums(all, bytes);
    expect(new Set(sums)).toEqual(new Set([31 * weight * byte]));
    expect(unpack(packTileSums(sums))).toEqual([...sums]);
  });

  test("holds for any weights of eight bits and any bytes", () => {
    const property = fc.property(
      fc.array(fc.integer({ min: -128, max: 255 }), { minLength: 961, maxLength: 961 }),
      fc.uint8Array({ minLength: 31, maxLength: 31 }),
      (values, bytes) => {
        const sums = computeTileSums(Int32Array.from(values), bytes);
        expect(unpack(packTileSums(sums))).toEqual([...sums]);
      },
    );
    fc.assert(property, { numRuns: 50 });
  });

  test("leaves no wire free: any other value of any one breaks a constraint", () => {
    const free = [...names].filter(([, wire]) => {
      const tampered = [...witness];
      tampered[wire] = mod((witness[wire] ?? 0n) + 1n);
      return findBrokenConstraint({ ...r1cs, constraints: touching(wire) }, tampered) === undefined;
    });
    expect(free).toEqual([]);
  });

  test("takes no other bits for the block: two changed bits that make up for each other are refused", () => {
    for (let bit = 0; bit < 8 * tileSize - 1; bit++) {
      const [low, high] = [names.get(`main.bits.out[${bit}]`) ?? 0, names.get(`main.bits.out[${bit + 1}]`) ?? 0];
      const tampered = [...witness];
      tampered[low] = mod((witness[low] ?? 0n) + 2n);
      tampered[high] = mod((witness[high] ?? 0n) - 1n);
      const constraints = [...touching(low), ...touching(high)];
      expect(findBrokenConstraint({ ...r1cs, constraints }, tampered)).toBeDefined();
    }
  });

  test.each([
    ["a block beyond 31 bytes", { ...inputs, block: 1n << 248n }],
    ["a block that is minus one", { ...inputs, block: mod(-1n) }],
  ])("proves nothing for %s", (_, given) => {
    expect(findBrokenConstraint(r1cs, circuit.computeWitness(given))).toBeDefined();
  });

  test("commits to every weight", () => {
    const commitments = [0, 30, 500, 960].map((place) => {
      const other = weights.slice();
      (other[place] as number) += 1;
      return commitTileWeights(other);
    });
    expect(new Set([...commitments, commitTileWeights(weights)]).size).toBe(5);
  });

  test("refuses a number of weights that is not a tile's", () => {
    expect(() => circuit.computeWitness({ ...inputs, weights: [1n] })).toThrow(
      expect.objectContaining({ code: "InvalidInput" }),
    );
  });

  test("adds an offset to every slot, also to those that no output stands in", () => {
    expect(groupOffset.toString(2).match(/1/g)).toHaveLength(slotsPerGroup);
  });
});

const byWire = new Map<number, (typeof r1cs.constraints)[number][]>();
for (const constraint of r1cs.constraints) {
  for (const wire of new Set([constraint.a, constraint.b, constraint.c].flat().map(([other]) => other))) {
    byWire.set(wire, [...(byWire.get(wire) ?? []), constraint]);
  }
}

function touching(wire: number) {
  return byWire.get(wire) ?? [];
}
