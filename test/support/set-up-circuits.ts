/** Circuits whose first key snarkjs has made once: test/vectors/first-keys.json, by make-first-keys.ts. */
import { compileModelCircuit, compileTileCircuit } from "../../src/zk/ceremony/ceremony-circuit.ts";
import { findSubject } from "../bench/zk/subjects.ts";
import { provenCase } from "./proven-case.ts";

export interface SetUpCircuit {
  readonly name: string;
  /** Takes snarkjs minutes, and us many seconds. */
  readonly isLong: boolean;
  readonly compile: () => Uint8Array;
}

export const setUpCircuits: readonly SetUpCircuit[] = [
  { name: "6-4-3", isLong: false, compile: () => compileModelCircuit(provenCase().onnx, 1).r1cs },
  { name: "tile", isLong: true, compile: () => compileTileCircuit().r1cs },
  { name: "784-512-10", isLong: true, compile: () => compileModelCircuit(findSubject("784-512-10").read(), 1).r1cs },
];
