/**
 * Makes a Groth16 proof (Groth 2016, section 3.2) from a proving key and a witness, over the curve arithmetic of snarkjs. What snarkjs
 * itself does for each proof is done once for each key, and its sums are by the size of their scalars: half its time for our circuits.
 * Called by snarkjs-process.ts. Effects: reads both files.
 */
import { readFile } from "node:fs/promises";
import { buildBn128, type Curve, type Value } from "ffjavascript";
import { InferiumError } from "../../base/errors.ts";
import { decodeWitness } from "../r1cs/witness-file.ts";
import type { Groth16Proof, PointG1, PointG2 } from "./groth16.ts";
import type { ProvingFiles } from "./proving-backend.ts";
import { loadProvingKey, type ProvingKey } from "./proving-key.ts";
import { computeQuotient } from "./quotient.ts";
import { classifyBySize, sumPoints } from "./sum-points.ts";

const [g1Bytes, g2Bytes] = [64, 128];

/** @throws InferiumError InvalidKeyFile, InvalidBinaryFile, InvalidWitness */
export async function proveGroth16({
  zkeyPath,
  witnessPath,
}: ProvingFiles): Promise<{ readonly proof: Groth16Proof; readonly signals: readonly string[] }> {
  const key = await loadProvingKey(zkeyPath);
  const witness = decodeWitness(await readFile(witnessPath));
  if (witness.length !== key.wireCount) {
    const message = `The witness has ${witness.length} values, the key is for ${key.wireCount}. It is of another circuit.`;
    throw new InferiumError("InvalidWitness", message);
  }
  const curve = await buildBn128();
  const [sums, h] = await Promise.all([sumWitness(curve, key, witness), sumQuotient(curve, key, witness)]);
  const signals = witness.slice(1, 1 + key.publicCount).map(String);
  return { proof: blind(curve, key, { ...sums, h }), signals };
}

interface Sums {
  readonly a: Value;
  readonly b1: Value;
  readonly b2: Value;
  readonly c: Value;
  readonly h: Value;
}

async function sumWitness({ G1, G2 }: Curve, key: ProvingKey, witness: readonly bigint[]): Promise<Omit<Sums, "h">> {
  const [firstPrivate, all] = [key.publicCount + 1, classifyBySize(witness, 0)];
  const ofG1 = { classes: all, firstWire: 0, pointBytes: g1Bytes };
  const [a, b1, b2, c] = await Promise.all([
    sumPoints(G1, key.a, ofG1),
    sumPoints(G1, key.b1, ofG1),
    sumPoints(G2, key.b2, { classes: all, firstWire: 0, pointBytes: g2Bytes }),
    sumPoints(G1, key.c, { ...ofG1, classes: classifyBySize(witness, firstPrivate), firstWire: firstPrivate }),
  ]);
  return { a, b1, b2, c };
}

async function sumQuotient(curve: Curve, key: ProvingKey, witness: readonly bigint[]): Promise<Value> {
  return curve.G1.multiExpAffine(key.h, await computeQuotient(curve, key, witness));
}

/** With fresh randomness, so that a proof tells nothing of the witness and no two proofs are alike. */
function blind({ Fr, G1, G2 }: Curve, key: ProvingKey, sums: Sums): Groth16Proof {
  const [r, s] = [Fr.random(), Fr.random()];
  const add = (...points: readonly Value[]) => points.reduce((total, point) => G1.add(total, point));
  const a = add(sums.a, key.alpha1, G1.timesFr(key.delta1, r));
  const b1 = add(sums.b1, key.beta1, G1.timesFr(key.delta1, s));
  const b2 = G2.add(G2.add(sums.b2, key.beta2), G2.timesFr(key.delta2, s));
  const minusRs = Fr.neg(Fr.mul(r, s));
  const c = add(sums.c, sums.h, G1.timesFr(a, s), G1.timesFr(b1, r), G1.timesFr(key.delta1, minusRs));
  const toG1 = (point: Value) => toPoint(G1.toObject(G1.toAffine(point)) as readonly bigint[]);
  const [x = [], y = []] = G2.toObject(G2.toAffine(b2)) as readonly (readonly bigint[])[];
  const b: PointG2 = [toPoint(x), toPoint(y)];
  return { a: toG1(a), b, c: toG1(c) };
}

function toPoint([x = 0n, y = 0n]: readonly bigint[]): PointG1 {
  return [String(x), String(y)];
}
