/**
 * One step of the second phase (Bowe, Gabizon, Miers 2017): delta times a secret, and the points that hang on it divided by the same,
 * with a proof that whoever made the step knew the secret. Byte for byte what snarkjs makes of the same randomness. Called by set-up.ts.
 * Effects: threads while it works.
 */
import { createHash, type Hash } from "node:crypto";
import type { ChaCha, Curve, Value } from "ffjavascript";
import { invert } from "../field.ts";
import type { CurveCode } from "./curve-code.ts";
import { splitPoints } from "./first-key.ts";
import {
  g1Bytes,
  g2Bytes,
  type KeySections,
  keySection,
  readHeadPoints,
  replaceDelta,
  sectionBytes,
} from "./key-sections.ts";
import { SetupThreads } from "./setup-threads.ts";
import { seed } from "./step-randomness.ts";

export interface KeyStepInput {
  readonly name: string;
  readonly beacon?: { readonly value: Uint8Array; readonly iterationsExponent: number };
  readonly randomness: ChaCha;
}

export interface SteppedKey {
  readonly sections: KeySections;
  /** blake2b-512 in hex: what whoever made the step publishes. */
  readonly hash: string;
}

const hashBytes = 64;
const stepPointBytes = 3 * g1Bytes + g2Bytes;

/** @throws InferiumError SetupFailed */
export async function addKeyStep(
  key: KeySections,
  input: KeyStepInput,
  { curve, module }: CurveCode,
): Promise<SteppedKey> {
  const steps = sectionBytes(key, keySection.steps);
  const head = sectionBytes(key, keySection.head);
  const secret = curve.Fr.fromRng(input.randomness);
  const made = proveSecret(curve, steps, secret, input.randomness);
  const { delta1, delta2 } = readHeadPoints(head);
  const newDelta1 = affine(curve, "G1", curve.G1.timesFr(delta1, secret));
  const newDelta2 = affine(curve, "G2", curve.G2.timesFr(delta2, secret));
  const step = Buffer.concat([newDelta1, made.points, made.transcript]);
  const threads = new SetupThreads({ module });
  try {
    const inverse = invert(curve.Fr.toObject(secret));
    const scale = (type: number) => scalePoints(sectionBytes(key, type), inverse, threads);
    const [c, h] = await Promise.all([scale(keySection.c), scale(keySection.h)]);
    const changed = new Map<number, Uint8Array>([
      [keySection.head, replaceDelta(head, newDelta1, newDelta2)],
      [keySection.c, c],
      [keySection.h, h],
      [keySection.steps, appendStep(steps, step, encodeParameters(input))],
    ]);
    // snarkjs writes them in the order of their types.
    const sections = new Map(
      [...key].sort(([left], [right]) => left - right).map(([type, bytes]) => [type, changed.get(type) ?? bytes]),
    );
    return { sections, hash: hashStep(curve, createHash("blake2b512"), step).digest("hex") };
  } finally {
    await threads.close();
  }
}

/** A random point and the secret times it, and, for a point that the transcript decides, the secret times that. */
function proveSecret(curve: Curve, steps: Uint8Array, secret: Value, randomness: ChaCha) {
  const point = affine(curve, "G1", curve.G1.fromRng(randomness));
  const timesSecret = affine(curve, "G1", curve.G1.timesFr(point, secret));
  const hash = hashSteps(curve, steps);
  for (const part of [point, timesSecret]) hash.update(uncompress(curve, "G1", part));
  const transcript = hash.digest();
  const challenge = curve.G2.fromRng(seed(transcript));
  const answer = affine(curve, "G2", curve.G2.timesFr(challenge, secret));
  return { points: Buffer.concat([point, timesSecret, answer]), transcript };
}

/** The circuit's hash, then what every step before has published. */
function hashSteps(curve: Curve, steps: Uint8Array): Hash {
  const hash = createHash("blake2b512").update(steps.subarray(0, hashBytes));
  const view = new DataView(steps.buffer, steps.byteOffset, steps.byteLength);
  let offset = hashBytes + 4;
  for (let left = view.getUint32(hashBytes, true); left > 0; left--) {
    const end = offset + stepPointBytes + hashBytes;
    hashStep(curve, hash, steps.subarray(offset, end));
    // Its kind, and the length of its parameters.
    offset = end + 8 + view.getUint32(end + 4, true);
  }
  return hash;
}

function hashStep(curve: Curve, hash: Hash, step: Uint8Array): Hash {
  for (const index of [0, 1, 2])
    hash.update(uncompress(curve, "G1", step.slice(index * g1Bytes, (index + 1) * g1Bytes)));
  hash.update(uncompress(curve, "G2", step.slice(3 * g1Bytes, stepPointBytes)));
  return hash.update(step.subarray(stepPointBytes));
}

async function scalePoints(points: Uint8Array, scalar: bigint, threads: SetupThreads): Promise<Uint8Array> {
  const scaled = new Uint8Array(points.length);
  await Promise.all(
    splitPoints(points.length / g1Bytes).map(async ([from, to]) => {
      const sums = await threads.sum({ kind: "scale", points: points.slice(from * g1Bytes, to * g1Bytes), scalar });
      scaled.set(sums.points, from * g1Bytes);
    }),
  );
  return scaled;
}

/** Kind 1 is a beacon. */
function appendStep(
  steps: Uint8Array,
  step: Uint8Array,
  { kind, parameters }: { kind: number; parameters: Uint8Array },
): Uint8Array {
  const [count, tail] = [Buffer.alloc(4), Buffer.alloc(8)];
  count.writeUInt32LE(Buffer.from(steps).readUInt32LE(hashBytes) + 1);
  tail.writeUInt32LE(kind);
  tail.writeUInt32LE(parameters.length, 4);
  return Buffer.concat([steps.subarray(0, hashBytes), count, steps.subarray(hashBytes + 4), step, tail, parameters]);
}

/** 1: name, at most 64 characters. 2: exponent of the beacon's iterations. 3: the beacon's value. */
function encodeParameters({ name, beacon }: KeyStepInput): { kind: number; parameters: Uint8Array } {
  const text = new TextEncoder().encode(name.substring(0, 64));
  const named = name === "" ? [] : [1, text.length, ...text];
  const value = beacon === undefined ? [] : [2, beacon.iterationsExponent, 3, beacon.value.length, ...beacon.value];
  return { kind: beacon === undefined ? 0 : 1, parameters: Uint8Array.from([...named, ...value]) };
}

function affine(curve: Curve, group: "G1" | "G2", point: Value): Uint8Array {
  return curve[group].toAffine(point).slice(0, group === "G1" ? g1Bytes : g2Bytes);
}

function uncompress(curve: Curve, group: "G1" | "G2", point: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(point.length);
  curve[group].toRprUncompressed(bytes, 0, point);
  return bytes;
}
