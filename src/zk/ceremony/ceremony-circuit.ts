/** The circuit that a ceremony is about, compiled anew by whoever begins or verifies it: never taken from somebody else. Pure. */
import { type Digest, sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { compileInference } from "../circuit/inference-circuit.ts";
import { compileTile } from "../circuit/tile-circuit.ts";
import { readIntegerNetwork } from "../network/from-onnx.ts";
import type { CeremonySubject } from "./ceremony.ts";

export interface CeremonyCircuit {
  readonly subject: CeremonySubject;
  readonly r1cs: Uint8Array;
  readonly r1csDigest: Digest;
  readonly constraintCount: number;
  /** Public signals; each takes a row of the domain, and so does the constant. */
  readonly publicCount: number;
}

/** @throws InferiumError of readIntegerNetwork and compileInference */
export function compileModelCircuit(onnx: Uint8Array, rows: number): CeremonyCircuit {
  const circuit = compileInference(readIntegerNetwork(onnx), rows);
  const r1cs = circuit.encodeR1cs();
  return {
    subject: { kind: "Model", modelDigest: sha256(onnx), rows },
    r1cs,
    r1csDigest: sha256(r1cs),
    constraintCount: circuit.constraintCount,
    publicCount: 3,
  };
}

/** The one circuit that all dispute games share. */
export function compileTileCircuit(): CeremonyCircuit {
  const circuit = compileTile();
  const r1cs = circuit.encodeR1cs();
  return {
    subject: { kind: "Tile" },
    r1cs,
    r1csDigest: sha256(r1cs),
    constraintCount: circuit.constraintCount,
    publicCount: 5,
  };
}

/** @throws InferiumError CircuitTooLarge */
export function checkFits(
  { constraintCount, publicCount }: CeremonyCircuit,
  { power, name }: { readonly power: number; readonly name: string },
): void {
  const most = 2 ** power - publicCount - 1;
  if (constraintCount <= most) return;
  throw new InferiumError(
    "CircuitTooLarge",
    `The circuit has ${constraintCount} constraints; ${name} serves up to ${most}. Use larger powers of tau, or prove fewer rows at once.`,
  );
}
