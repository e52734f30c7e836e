/** The circuits that src/zk/circuit writes directly are those that circom compiles from circuits/: constraint by constraint. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { wtns } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emitCircom } from "../../../src/zk/circuit/emit-circom.ts";
import { compileInference } from "../../../src/zk/circuit/inference-circuit.ts";
import { fieldPrime, invert } from "../../../src/zk/field.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import type { Combination } from "../../../src/zk/r1cs/constraint-system.ts";
import { type Constraint, decodeR1cs, findBrokenConstraint, type R1cs } from "../../../src/zk/r1cs/r1cs-file.ts";
import { decodeWitness } from "../../../src/zk/r1cs/witness-file.ts";
import { type CompiledCircom, compileCircom } from "../../support/compile-circom.ts";
import { buildIntegerModel, drawBytes } from "../../support/integer-model.ts";

const rows = 2;
const network = readIntegerNetwork(buildIntegerModel({ sizes: [6, 4, 3], seed: 1, outputs: ["label", "score"] }));
const names = new Map<string, number>();
const circuit = compileInference(network, rows, { names });
const inputs = { bytes: drawBytes(6 * rows, 7), salt: 99n, task: 1234n };

let circom: CompiledCircom;
let ours: R1cs;
let theirs: R1cs;

beforeAll(async () => {
  circom = await compileCircom(emitCircom(network, rows));
  ours = decodeR1cs(circuit.encodeR1cs());
  theirs = decodeR1cs(circom.r1cs);
}, 300_000);

afterAll(() => circom?.dispose());

/** By wire of circom: our wire of that name. */
function mapWires(): number[] {
  const mapped = [0];
  for (const [name, wire] of circom.wires) {
    const own = names.get(name);
    if (own === undefined) throw new Error(`${name} is a signal of circom alone`);
    mapped[wire] = own;
  }
  return mapped;
}

/** One text for all ways to write a constraint: scaled, with sides changed, with terms in another order. */
function normalise({ a, b, c }: Constraint, wireOf: (wire: number) => number): string {
  const sorted = (terms: Combination) =>
    terms.map(([wire, factor]) => [wireOf(wire), factor] as const).toSorted(([left], [right]) => left - right);
  const scale = (terms: Combination) => invert(sorted(terms)[0]?.[1] ?? 1n);
  const write = (terms: Combination, factor: bigint) =>
    sorted(terms)
      .map(([wire, k]) => `${wire}:${(k * factor) % fieldPrime}`)
      .join(" ");
  if (a.length === 0 || b.length === 0) return `linear ${write(c, scale(c))}`;
  const [scaleA, scaleB] = [scale(a), scale(b)];
  return [...[write(a, scaleA), write(b, scaleB)].sort(), write(c, scaleA * scaleB)].join(" | ");
}

describe("circom and the direct emitter", () => {
  test("make the same number of wires and constraints", () => {
    expect(ours.constraints.length).toBe(theirs.constraints.length);
    expect(ours.wireCount).toBe(theirs.wireCount);
    expect(ours.layout).toEqual(theirs.layout);
  });

  test("make the same constraints, so that they accept the same witnesses", () => {
    const mapped = mapWires();
    expect(new Set(mapped).size).toBe(ours.wireCount);
    const want = theirs.constraints.map((constraint) => normalise(constraint, (wire) => mapped[wire] as number)).sort();
    expect(ours.constraints.map((constraint) => normalise(constraint, (wire) => wire)).sort()).toEqual(want);
  });

  test("compute the same witness from the same input, and each accepts it", async () => {
    const path = join(circom.dir, "circom.wtns");
    await wtns.calculate({ ...inputs, bytes: [...inputs.bytes] }, circom.wasmPath, path);
    const witness = decodeWitness(await readFile(path));
    const own = circuit.computeWitness(inputs);
    expect(mapWires().map((wire) => own[wire])).toEqual(witness);
    expect(findBrokenConstraint(theirs, witness)).toBeUndefined();
  });

  test("one weight more or less makes another system", () => {
    const other = readIntegerNetwork(buildIntegerModel({ sizes: [6, 4, 3], seed: 2, outputs: ["label", "score"] }));
    const changed = decodeR1cs(compileInference(other, rows).encodeR1cs());
    const text = (r1cs: R1cs) => r1cs.constraints.map((constraint) => normalise(constraint, (wire) => wire)).sort();
    expect(text(changed)).not.toEqual(text(ours));
  });
});
