/**
 * The models that the benchmark of proofs measures, by the name that `--models` takes. Weights are random but for the demo's
 * convolutional classifier; costs depend on their number and size alone.
 */
import { readFileSync } from "node:fs";
import { lenetPath } from "../../../src/embedded/demo/models/train-lenet.ts";
import type { OutputKind } from "../../../src/zk/network/integer-network.ts";
import { buildIntegerModel } from "../../support/integer-model.ts";

export interface Subject {
  readonly name: string;
  /** Rows of input in one proof. */
  readonly rows: number;
  readonly read: () => Uint8Array;
}

/** The one that committed weights and the peer are compared on. Its result are the logits: ten of them fit one signal, and take no proof. */
export const smallest = dense([64, 32, 10], "logits");

/** Of the two that the peer proves too, with the power of two of rows that each takes there. */
export const peerLogRows: Readonly<Record<string, number>> = { "64-32-10": 12, "784-32-10": 15 };

/** In the order in which they are measured: what the comparison needs most comes first. */
export const subjects: readonly Subject[] = [
  smallest,
  dense([784, 32, 10]),
  dense([784, 128, 64, 10]),
  dense([784, 512, 10]),
  { name: "mnist-lenet-int8", rows: 1, read: () => readFileSync(lenetPath) },
  { ...dense([64, 32, 10]), name: "64-32-10-x16", rows: 16 },
];

export function findSubject(name: string): Subject {
  const subject = subjects.find((other) => other.name === name);
  if (subject !== undefined) return subject;
  throw new Error(`There is no model ${name}; expected one of ${subjects.map((other) => other.name).join(", ")}.`);
}

function dense(sizes: readonly number[], output: OutputKind = "label"): Subject {
  return { name: sizes.join("-"), rows: 1, read: () => buildIntegerModel({ sizes, seed: 1, outputs: [output] }) };
}
