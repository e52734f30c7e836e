/**
 * What the worker's execution costs over a bare onnxruntime-node loop: input by digest, canonical output and its digest
 * on the one side, `session.run` and nothing else on the other. Same inputs, same session options, same process; the two
 * take turns in short rounds, and medians are compared, because the machine's speed changes from second to second.
 *
 * "Warm" inputs are verified and in memory, as on a retry or under a second model. "Cold" ones are read from the cache
 * folder, hashed and parsed each time; a bare loop that must do without that has nothing to compare with, so that this
 * figure is given in microseconds and not in the target.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as ort from "onnxruntime-node";
import { sha256 } from "../../src/base/digest.ts";
import { cutBatches, loadMnist, pixelsPerImage } from "../../src/embedded/demo/data/mnist.ts";
import { buildSileroInput, loadSpeech, sileroModelPath, sileroSteps } from "../../src/embedded/demo/data/silero.ts";
import { modelPath } from "../../src/embedded/demo/models/train-mnist.ts";
import { createExecutor, type Executor } from "../../src/inference/execute.ts";
import type { ArtifactRef } from "../../src/inference/fetch-artifact.ts";
import { formatRuntime } from "../../src/inference/runtime.ts";
import { readSafetensors, writeSafetensors } from "../../src/protocol/tensors/safetensors.ts";
import { median, ratioOf, roundTo3, type Side, takeTurns } from "./take-turns.ts";

const target = 1.1;
const batchSizes = [1, 10, 100] as const;
const batchesPerRound = 20;
const rounds = 300;
const warmUpRounds = 100;

interface Comparison {
  readonly batch: number;
  /** Worker over bare: the median over rounds of the two times of one round. */
  readonly ratio: number;
  readonly workerMicroseconds: number;
  readonly bareMicroseconds: number;
  readonly coldMicroseconds?: number;
}

export interface InferenceBench {
  readonly [key: string]: unknown;
  /** MNIST in batches of 100: the figure that has a target. */
  readonly ratio: number;
  readonly target: number;
  readonly met: boolean;
}

export async function benchInference(): Promise<InferenceBench> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-bench-"));
  const open = (maxInputMemoryBytes: number) =>
    createExecutor({ cacheDir: join(dir, "cache"), fileRoots: [dir], maxInputMemoryBytes });
  const executors = { warm: open(2 ** 28), cold: open(0) };
  try {
    const mnist: Comparison[] = [];
    for (const size of batchSizes) mnist.push(await compareMnist(dir, executors, size));
    const silero = await compareSilero(dir, executors.warm);
    const ratio = mnist.at(-1)?.ratio ?? Number.NaN;
    const runtime = formatRuntime(await executors.warm.preload(await put(dir, "model", await readFile(modelPath))));
    return { ratio, target, met: ratio <= target, runtime, mnist, silero, rounds };
  } finally {
    await Promise.all([executors.warm.close(), executors.cold.close()]);
    await rm(dir, { recursive: true, force: true });
  }
}

async function compareMnist(
  dir: string,
  { warm, cold }: { warm: Executor; cold: Executor },
  size: number,
): Promise<Comparison> {
  const batches = cutBatches(await loadMnist("test"), size).slice(0, batchesPerRound);
  const model = await put(dir, "model", await readFile(modelPath));
  const inputs = await Promise.all(batches.map(({ file }, i) => put(dir, `batch-${size}-${i}`, file)));
  const pixels = batches.map(({ file }) => readSafetensors(file).get("pixels")?.data ?? new Uint8Array());
  const session = await openBare(modelPath);
  const bare: Side = async () => {
    for (const data of pixels) await session.run({ pixels: new ort.Tensor("uint8", data, [size, pixelsPerImage]) });
  };
  const worker = (executor: Executor): Side => {
    return async () => {
      for (const input of inputs) await executor.execute({ model, input });
    };
  };
  const timed = await takeTurns({ worker: worker(warm), bare }, { rounds, warmUpRounds });
  const { cold: coldTimes } = await takeTurns({ cold: worker(cold) }, { rounds: 12, warmUpRounds: 4 });
  await session.release();
  const perItem = 1 / (batchesPerRound * size);
  return {
    batch: size,
    ratio: roundTo3(ratioOf(timed.worker, timed.bare)),
    workerMicroseconds: roundTo3(median(timed.worker) * perItem),
    bareMicroseconds: roundTo3(median(timed.bare) * perItem),
    coldMicroseconds: roundTo3(median(coldTimes) * perItem),
  };
}

/** The same 344 windows, the state carried by hand. */
async function compareSilero(dir: string, executor: Executor): Promise<Comparison> {
  const { tensors, windows } = buildSileroInput(await loadSpeech());
  const path = sileroModelPath();
  const model = await put(dir, "silero", await readFile(path));
  const input = await put(dir, "speech", writeSafetensors(tensors));
  const session = await openBare(path);
  const rows = new Float32Array(new Uint8Array(tensors.get("input")?.data ?? []).buffer);
  const width = rows.length / windows;
  const bare: Side = async () => {
    const sr = new ort.Tensor("int64", BigInt64Array.of(16_000n), []);
    let state = new ort.Tensor("float32", new Float32Array(256), [2, 1, 128]);
    for (let w = 0; w < windows; w++) {
      const slice = new ort.Tensor("float32", rows.subarray(w * width, (w + 1) * width), [1, width]);
      const results = await session.run({ input: slice, state, sr });
      state = results.stateN as typeof state;
    }
  };
  const worker: Side = async () => void (await executor.execute({ model, input, steps: sileroSteps(windows) }));
  const timed = await takeTurns({ worker, bare }, { rounds: 20, warmUpRounds: 7 });
  await session.release();
  return {
    batch: windows,
    ratio: roundTo3(ratioOf(timed.worker, timed.bare)),
    workerMicroseconds: roundTo3(median(timed.worker) / windows),
    bareMicroseconds: roundTo3(median(timed.bare) / windows),
  };
}

/** The options that a worker pins, so that the two sides differ in nothing but the worker's own work. */
function openBare(path: string): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(path, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
}

async function put(dir: string, name: string, bytes: Uint8Array): Promise<ArtifactRef> {
  await writeFile(join(dir, name), bytes);
  return { uri: pathToFileURL(join(dir, name)).href, digest: sha256(bytes) };
}
