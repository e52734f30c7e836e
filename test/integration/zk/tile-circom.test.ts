/** The tile that src/zk/circuit writes directly is the one that circom compiles from circuits/tile.circom: constraint by constraint. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { wtns } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileTile } from "../../../src/zk/circuit/tile-circuit.ts";
import { packBlock, packTileWeights, tileSize } from "../../../src/zk/game/tile.ts";
import { decodeR1cs, findBrokenConstraint, type R1cs } from "../../../src/zk/r1cs/r1cs-file.ts";
import { decodeWitness } from "../../../src/zk/r1cs/witness-file.ts";
import { type CompiledCircom, compileCircom } from "../../support/compile-circom.ts";
import { drawBytes } from "../../support/integer-model.ts";
import { mapWires, normaliseConstraint } from "../../support/same-constraints.ts";

const source = 'pragma circom 2.2.3;\ninclude "tile.circom";\ncomponent main {public [block]} = Tile();\n';
const names = new Map<string, number>();
const tile = compileTile({ names });
const weights = packTileWeights(Int32Array.from(drawBytes(tileSize ** 2, 3), (byte) => byte - 128));
const block = packBlock(drawBytes(tileSize, 4));

let circom: CompiledCircom;
let ours: R1cs;
let theirs: R1cs;

beforeAll(async () => {
  circom = await compileCircom(source);
  ours = decodeR1cs(tile.encodeR1cs());
  theirs = decodeR1cs(circom.r1cs);
}, 300_000);

afterAll(() => circom?.dispose());

describe("circom's tile and the emitted one", () => {
  test("have the same constraints, so that they accept the same witnesses", () => {
    const mapped = mapWires(circom.wires, names);
    expect(new Set(mapped).size).toBe(ours.wireCount);
    expect(ours.layout).toEqual(theirs.layout);
    const want = theirs.constraints.map((constraint) =>
      normaliseConstraint(constraint, (wire) => mapped[wire] as number),
    );
    expect(ours.constraints.map((constraint) => normaliseConstraint(constraint)).sort()).toEqual(want.sort());
  });

  test("compute the same witness from the same input, and each accepts it", async () => {
    const path = join(circom.dir, "circom.wtns");
    const rows = Array.from({ length: tileSize }, (_, input) => weights.slice(3 * input, 3 * input + 3));
    await wtns.calculate({ block, weights: rows }, circom.wasmPath, path);
    const witness = decodeWitness(await readFile(path));
    const own = tile.computeWitness({ block, weights });
    expect(mapWires(circom.wires, names).map((wire) => own[wire])).toEqual(witness);
    expect(findBrokenConstraint(theirs, witness)).toBeUndefined();
  });
});
