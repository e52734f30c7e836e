/**
 * Training as the protocol sees it: what was asked for, how it is cut into slices between checkpoints, what a result is, and which
 * slices a panel computes again. A result names the digests of every checkpoint and of the final model, so that any slice can be
 * checked by itself: from checkpoint i the program's steps must lead to checkpoint i + 1. Pure.
 */
import { type Digest, sha256 } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import { createTensor, type NamedTensors } from "./tensors/tensor.ts";

/** What a training task asks for, as trainers and validators are told. */
export interface TrainingTerms {
  /** Name of a program that trainers and validators both have. */
  readonly program: string;
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly steps: number;
  /** Steps between two checkpoints. */
  readonly checkpointEvery: number;
  readonly seed: number;
  /** URI below which checkpoints and the model are put and found by digest. */
  readonly checkpointStore: string;
  /** How many of the slices a panel computes again. */
  readonly sampledSlices: number;
}

export interface TrainingResult {
  /** The first is of the initial weights, the last of the final ones. */
  readonly checkpoints: readonly Digest[];
  /** Of the file that the program made of the last checkpoint. */
  readonly model: Digest;
}

export interface StepRange {
  readonly from: number;
  /** Up to but without it. */
  readonly to: number;
}

const digestBytes = 32;

export function countSlices({ steps, checkpointEvery }: Pick<TrainingTerms, "steps" | "checkpointEvery">): number {
  return Math.ceil(steps / checkpointEvery);
}

/** The steps from checkpoint `slice` to the next one. */
export function stepsOf({ steps, checkpointEvery }: TrainingTerms, slice: number): StepRange {
  return { from: slice * checkpointEvery, to: Math.min((slice + 1) * checkpointEvery, steps) };
}

/** Of all that decides the result; not of where it is stored, nor of how it is checked. */
export function digestTerms({ program, hyperparameters, steps, checkpointEvery, seed }: TrainingTerms): Digest {
  const sorted = Object.entries(hyperparameters).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([program, sorted, steps, checkpointEvery, seed]));
}

/** The result as the task's outputs: `checkpoints` uint8[slices + 1, 32], `model` uint8[32], `terms` uint8[32]. */
export function toTrainingOutputs(terms: TrainingTerms, { checkpoints, model }: TrainingResult): NamedTensors {
  const rows = Buffer.concat(checkpoints.map(toBytes));
  return new Map([
    ["checkpoints", createTensor("uint8", [checkpoints.length, digestBytes], new Uint8Array(rows))],
    ["model", createTensor("uint8", [digestBytes], toBytes(model))],
    ["terms", createTensor("uint8", [digestBytes], toBytes(digestTerms(terms)))],
  ]);
}

/** @throws InferiumError InvalidTrainingResult where the outputs are not those of such a training */
export function readTrainingResult(terms: TrainingTerms, outputs: NamedTensors): TrainingResult {
  const [checkpoints, model, asked] = ["checkpoints", "model", "terms"].map((name) => outputs.get(name));
  const rows = countSlices(terms) + 1;
  if (checkpoints?.dtype !== "uint8" || checkpoints.shape.join() !== `${rows},${digestBytes}`)
    throw invalid(`has no digests of ${rows} checkpoints`);
  if (model?.dtype !== "uint8" || model.shape.join() !== `${digestBytes}`) throw invalid("has no digest of a model");
  if (asked?.data.byteLength !== digestBytes || toDigest(asked.data) !== digestTerms(terms))
    throw invalid(`is about other terms than ${digestTerms(terms)}`);
  const digests = Array.from({ length: rows }, (_, i) =>
    toDigest(checkpoints.data.subarray(i * digestBytes, (i + 1) * digestBytes)),
  );
  return { checkpoints: digests, model: toDigest(model.data) };
}

const noDigest: Digest = `sha256:${"0".repeat(64)}`;

/** The result that everybody puts in the place of one that is none: nothing but where the training begins. */
export function blankResult(terms: TrainingTerms, initial: Digest): TrainingResult {
  const checkpoints = Array.from({ length: countSlices(terms) + 1 }, (_, i) => (i === 0 ? initial : noDigest));
  return { checkpoints, model: noDigest };
}

/** The result with a digest that was found to be another. */
export function correctResult(claimed: TrainingResult, index: number, digest: Digest = noDigest): TrainingResult {
  return { ...claimed, checkpoints: claimed.checkpoints.with(index, digest) };
}

/**
 * The slices that a panel computes again, ascending: without replacement from a seed that is fixed after the receipt, the same for
 * all of the panel, since votes on different slices would not add up to a quorum.
 */
export function drawSlices(terms: TrainingTerms, seed: string): number[] {
  const left = Array.from({ length: countSlices(terms) }, (_, slice) => slice);
  const drawn: number[] = [];
  for (let i = 0; i < terms.sampledSlices && left.length > 0; i++) {
    const number = BigInt(`0x${sha256(`${seed} ${digestTerms(terms)} ${i}`).slice("sha256:".length)}`);
    drawn.push(...left.splice(Number(number % BigInt(left.length)), 1));
  }
  return drawn.sort((a, b) => a - b);
}

/** Words for what a verdict over these slices does not show. Undefined where every slice is computed again. */
export function describeUnchecked(terms: TrainingTerms): string | undefined {
  const slices = countSlices(terms);
  const checked = Math.min(terms.sampledSlices, slices);
  if (checked === slices) return undefined;
  return `The steps of ${slices - checked} of ${slices} slices: ${checked} were drawn after the receipt and computed again.`;
}

/** Where the file of this digest is. */
export function locateInStore(store: string, digest: Digest): string {
  return `${store.replace(/\/+$/, "")}/${digest.replace(":", "-")}`;
}

function toBytes(digest: Digest): Uint8Array {
  return new Uint8Array(Buffer.from(digest.slice("sha256:".length), "hex"));
}

function toDigest(bytes: Uint8Array): Digest {
  return `sha256:${Buffer.from(bytes).toString("hex")}`;
}

function invalid(what: string): InferiumError {
  return new InferiumError("InvalidTrainingResult", `The training's result ${what}.`);
}
