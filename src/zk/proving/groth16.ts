/**
 * Groth16 proofs and verifying keys over BN254 as this project writes them: decimal strings of affine coordinates, an element
 * of the second field as [real, imaginary]. On the chain the precompiles take the imaginary part first. Pure.
 */
import { createHash } from "node:crypto";
import type { Digest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { basePrime } from "../coordinates.ts";
import { fieldPrime } from "../field.ts";

export type PointG1 = readonly [x: string, y: string];
export type PointG2 = readonly [x: PointG1, y: PointG1];

export interface Groth16Proof {
  readonly a: PointG1;
  readonly b: PointG2;
  readonly c: PointG1;
}

export interface VerifyingKey {
  readonly alpha: PointG1;
  readonly beta: PointG2;
  readonly gamma: PointG2;
  readonly delta: PointG2;
  /** One point for the constant and one for each public signal. */
  readonly ic: readonly PointG1[];
}

/** Order: inputCommitment, result, task. */
export type PublicSignals = readonly [inputCommitment: bigint, result: bigint, task: bigint];

/** Eight words as the verifier contract takes them: a, b with imaginary parts first, c. */
export function proofWords({ a, b, c }: Groth16Proof): bigint[] {
  return [a, swap(b[0]), swap(b[1]), c].flat().map(BigInt);
}

/** Back from `proofWords`. @throws InferiumError InvalidProof */
export function proofFromWords(words: readonly string[]): Groth16Proof {
  if (words.length !== 8) {
    throw new InferiumError("InvalidProof", `A proof has ${words.length} words; expected 8.`);
  }
  const [ax, ay, bxi, bxr, byi, byr, cx, cy] = words;
  const b = [
    [bxr, bxi],
    [byr, byi],
  ];
  return parseProof({ a: [ax, ay], b, c: [cx, cy] });
}

/** Back from `verifyingKeyWords`. @throws InferiumError InvalidVerifyingKey */
export function verifyingKeyFromWords(words: readonly bigint[]): VerifyingKey {
  const signals = words.length / 2 - fixedPoints;
  if (!Number.isInteger(signals) || signals < 1) {
    throw new InferiumError("InvalidVerifyingKey", `A verifying key has ${words.length} words; expected 16 or more.`);
  }
  const g1 = (at: number): PointG1 => [String(words[at]), String(words[at + 1])];
  const g2 = (at: number): PointG2 => [swap(g1(at)), swap(g1(at + 2))];
  const ic = Array.from({ length: signals }, (_, index) => g1(2 * (fixedPoints + index)));
  return { alpha: g1(0), beta: g2(2), gamma: g2(6), delta: g2(10), ic };
}

/** alpha, and the two halves of beta, gamma and delta: pairs of words before the points of the signals. */
const fixedPoints = 7;

/** The words of a verifying key as ModelRegistry takes them: alpha, beta, gamma, delta, then the points of the signals. */
export function verifyingKeyWords({ alpha, beta, gamma, delta, ic }: VerifyingKey): bigint[] {
  const second = [beta, gamma, delta].flatMap(([x, y]) => [swap(x), swap(y)]);
  return [alpha, ...second, ...ic].flat().map(BigInt);
}

/** The commitment to a model and its setup: sha256 over the key's words, 32 bytes each. */
export function digestVerifyingKey(key: VerifyingKey): Digest {
  const hash = createHash("sha256");
  for (const word of verifyingKeyWords(key)) hash.update(Buffer.from(word.toString(16).padStart(64, "0"), "hex"));
  return `sha256:${hash.digest("hex")}`;
}

/**
 * A key of a setup that nobody contributed to has delta = gamma: everybody knows the secret, and any statement can be proven.
 * @throws InferiumError InsecureVerifyingKey
 */
export function checkVerifyingKey(key: VerifyingKey): void {
  const same = (left: PointG2, right: PointG2) => left.flat().join() === right.flat().join();
  if (!same(key.gamma, key.delta)) return;
  throw new InferiumError(
    "InsecureVerifyingKey",
    "The verifying key has delta equal to gamma: nobody has contributed to its setup, and anybody can forge proofs. Make the setup with at least one contribution.",
  );
}

/** @throws InferiumError InvalidProof for what cannot be a proof, before any curve is touched */
export function parseProof(json: unknown): Groth16Proof {
  const { a, b, c } = (json ?? {}) as Record<string, unknown>;
  const [bx, by] = Array.isArray(b) && b.length === 2 ? b : [];
  return { a: parsePoint(a, "a"), b: [parsePoint(bx, "b[0]"), parsePoint(by, "b[1]")], c: parsePoint(c, "c") };
}

function parsePoint(value: unknown, name: string): PointG1 {
  const [x, y, ...more] = Array.isArray(value) ? value : [];
  if (isCoordinate(x) && isCoordinate(y) && more.length === 0) return [x, y];
  throw new InferiumError(
    "InvalidProof",
    `A proof's point ${name} is ${JSON.stringify(value)?.slice(0, 80)}; expected two decimal coordinates below the curve's prime.`,
  );
}

function isCoordinate(value: unknown): value is string {
  return typeof value === "string" && /^(0|[1-9][0-9]{0,76})$/.test(value) && BigInt(value) < basePrime;
}

/** Signals at or above the field's order mean the same as smaller ones: one statement would have many faces. */
export function isCanonicalSignal(signal: bigint): boolean {
  return signal >= 0n && signal < fieldPrime;
}

function swap([real, imaginary]: PointG1): PointG1 {
  return [imaginary, real];
}
