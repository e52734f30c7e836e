/**
 * Runs a challenge, or some columns of one, and answers a digest for each column. A worker runs all of them on the devices
 * that it computes on, a validator a few on whatever it has: the digests are the same. Effects: memory and the devices' time.
 */
import { createHash } from "node:crypto";
import * as ort from "onnxruntime-node";
import { InferiumError } from "../../base/errors.ts";
import { digestBytes } from "../../protocol/challenge/decide-challenge.ts";
import { type ChallengePlan, maxSize } from "../../protocol/challenge/plan.ts";
import { defaultSessionOptions, loadModel, type SessionOptions } from "../session.ts";
import { buildChallengeGraph, startRank, summaryRows } from "./challenge-graph.ts";
import { makeLeft, makeMatrix, makeRight } from "./challenge-inputs.ts";

export interface ChallengeResult {
  /** `digestBytes` for each column, in order. */
  readonly digests: Uint8Array;
  /** What computed it, such as `cuda`. */
  readonly provider: string;
}

/**
 * @param columns all of the plan's where left out
 * @throws InferiumError InvalidChallenge, ProviderUnavailable, ChallengeFailed where memory or device gave out; the signal's reason
 */
export async function runChallenge(
  plan: ChallengePlan,
  session: Partial<SessionOptions>,
  signal: AbortSignal,
  columns: readonly number[] = range(0, plan.columns),
): Promise<ChallengeResult> {
  checkPlan(plan, columns);
  const options = { ...defaultSessionOptions, ...session, level: "disabled" } as const;
  const matrix = makeMatrix(plan.seed, plan.size);
  const parts = split(columns, plan.devices);
  const results = await Promise.all(
    parts.map((part, deviceId) => runOn({ plan, matrix, columns: part, options: { ...options, deviceId } }, signal)),
  );
  return { digests: Buffer.concat(results.map(({ digests }) => digests)), provider: results[0]?.provider ?? "none" };
}

interface DeviceRun {
  readonly plan: ChallengePlan;
  readonly matrix: Float32Array;
  readonly columns: readonly number[];
  readonly options: SessionOptions;
}

async function runOn({ plan, matrix, columns, options }: DeviceRun, signal: AbortSignal): Promise<ChallengeResult> {
  const { seed, size } = plan;
  const { session, runtime } = await loadModel(buildChallengeGraph(plan, columns.length), options);
  try {
    signal.throwIfAborted();
    const results = await session.run({
      a: new ort.Tensor("float32", matrix, [size, size]),
      u: new ort.Tensor("float32", makeLeft(seed, size, startRank), [size, startRank]),
      v: new ort.Tensor("float32", makeRight(seed, startRank, columns), [startRank, columns.length]),
      summary: new ort.Tensor("float32", matrix.subarray(0, summaryRows * size), [summaryRows, size]),
    });
    signal.throwIfAborted();
    return { digests: digestColumns(results.out?.data as Float32Array, columns.length), provider: runtime.provider };
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const message = `The challenge cannot be run here: ${String(cause).slice(0, 300)}`;
    throw new InferiumError("ChallengeFailed", message, { cause });
  } finally {
    await session.release();
  }
}

function digestColumns(sums: Float32Array, columns: number): Uint8Array {
  const digests = Buffer.alloc(columns * digestBytes);
  const words = Buffer.alloc(summaryRows * 4);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < summaryRows; row++) words.writeInt32LE(sums[row * columns + column] ?? 0, row * 4);
    createHash("sha256")
      .update(words)
      .digest()
      .copy(digests, column * digestBytes, 0, digestBytes);
  }
  return digests;
}

/** As even as can be, in order; never an empty part. */
function split(columns: readonly number[], devices: number): number[][] {
  const each = Math.ceil(columns.length / devices);
  const parts = range(0, devices).map((device) => columns.slice(device * each, (device + 1) * each));
  return parts.filter((part) => part.length > 0);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** A pool must not be able to make its members' machines run out of anything that the plan does not say. */
const maxEntries = 2 ** 31;

function checkPlan(
  { size, rounds, kept, passes, devices, columns: all }: ChallengePlan,
  columns: readonly number[],
): void {
  const isSound =
    [size, rounds, kept, passes, devices, all].every((count) => Number.isInteger(count) && count > 0) &&
    size >= summaryRows &&
    size <= maxSize &&
    kept <= rounds &&
    rounds <= 65_536 &&
    kept * passes <= 65_536 &&
    devices <= 64 &&
    size * Math.max(size, columns.length) <= maxEntries &&
    columns.length > 0;
  if (isSound) return;
  const message = `A challenge of size ${size}, ${all} columns, ${rounds} rounds, ${kept} kept, ${passes} passes is beyond all bounds.`;
  throw new InferiumError("InvalidChallenge", message);
}
