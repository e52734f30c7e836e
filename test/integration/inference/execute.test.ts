import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { countCorrect, cutBatches, loadMnist, pixelsPerImage } from "../../../src/embedded/demo/data/mnist.ts";
import {
  buildSileroInput,
  loadSpeech,
  sileroModelPath,
  sileroSteps,
  windowSeconds,
} from "../../../src/embedded/demo/data/silero.ts";
import { findSpeech } from "../../../src/embedded/demo/data/speech-segments.ts";
import { modelPath } from "../../../src/embedded/demo/models/train-mnist.ts";
import { createExecutor, type Executor, type ExecutorOptions } from "../../../src/inference/execute.ts";
import type { ArtifactRef } from "../../../src/inference/fetch-artifact.ts";
import { joinOutputs } from "../../../src/protocol/shards/cut-items.ts";
import { planShards } from "../../../src/protocol/shards/plan-shards.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { tensorFrom, viewElements } from "../../../src/protocol/tensors/elements.ts";
import { type InlineTensors, tensorsToJson } from "../../../src/protocol/tensors/json.ts";
import { writeSafetensors } from "../../../src/protocol/tensors/safetensors.ts";
import { compareOutputs } from "../../../src/protocol/verdict/compare.ts";
import { aModelWithWeightsIn, aQuotient, aRunningSum } from "./a-model.ts";

let dir: string;
let executor: Executor;
const opened: Executor[] = [];

function anExecutor(options: Partial<ExecutorOptions> = {}): Executor {
  const made = createExecutor({ cacheDir: join(dir, "cache"), fileRoots: [dir], ...options });
  opened.push(made);
  return made;
}

async function put(name: string, bytes: Uint8Array): Promise<ArtifactRef> {
  await writeFile(join(dir, name), bytes);
  return { uri: pathToFileURL(join(dir, name)).href, digest: sha256(bytes) };
}

const floats = (...values: number[]) => ({ dtype: "float32", shape: [values.length], data: values });
const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-execute-"));
  executor = anExecutor();
});
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await rm(dir, { recursive: true, force: true });
});

describe("the MNIST model", () => {
  let model: ArtifactRef;
  beforeAll(async () => {
    model = await put("mnist.onnx", await readFile(modelPath));
  });

  it("labels more than 97 % of the ten thousand test images right, one hundred at a time", async () => {
    let correct = 0;
    for (const batch of cutBatches(await loadMnist("test"), 100)) {
      const input = await put("batch", batch.file);
      const { outputs, items } = await executor.execute({ model, input });
      correct += countCorrect(viewElements(outputs.get("label")!), batch.labels);
      expect(items).toBe(100);
    }
    expect(correct / 10_000).toBeGreaterThan(0.97);
  });

  it("gives the same digest for one image as inline numbers and as a file, on two executors", async () => {
    const set = await loadMnist("test");
    const tensors = new Map([
      ["pixels", tensorFrom("uint8", [1, pixelsPerImage], [...set.images.subarray(0, pixelsPerImage)])],
    ]);
    const byFile = await executor.execute({ model, input: await put("one", writeSafetensors(tensors)) });
    const inline = await anExecutor().execute({ model, input: { inline: tensorsToJson(tensors) } });
    expect(inline.outputDigest).toBe(byFile.outputDigest);
    expect(inline.outputDigest).toBe(digestTensors(inline.outputs));
    expect(inline.inputDigest).toBe(digestTensors(tensors));
    expect(byFile.inputDigest).toBe(sha256(writeSafetensors(tensors)));
    expect(inline.modelDigest).toBe(model.digest);
    expect([...viewElements(inline.outputs.get("label")!)]).toEqual([7n]);
  });

  it("gives for parts of a file, put together, the digest of all of it", async () => {
    const [batch] = cutBatches(await loadMnist("test"), 10);
    const input = await put("ten", batch!.file);
    const whole = await executor.execute({ model, input });
    const run = (from: number, count: number) =>
      executor.execute({ model, input, items: { from, count, tensors: ["pixels"] } });
    const parts = await Promise.all(planShards({ from: 0, count: 10 }, 3).map(({ from, count }) => run(from, count)));
    expect(parts.map(({ items }) => items)).toEqual([3, 3, 4]);
    const joined = joinOutputs(parts.map(({ items: count, outputs }) => ({ count, outputs })));
    expect(digestTensors(joined)).toBe(whole.outputDigest);
    // What a receipt says of its input differs from part to part, and from the file.
    expect(new Set([...parts, whole].map(({ inputDigest }) => inputDigest)).size).toBe(4);
    await expect(run(8, 3)).rejects.toEqual(failure("InvalidItems", /items 8 to 10 along axis 0/));
  });

  it("gives another score, and so another verdict, when one pixel of a stroke changes", async () => {
    const set = await loadMnist("test");
    const pixels = set.images.slice(0, pixelsPerImage);
    const run = (data: Uint8Array) =>
      executor.execute({
        model,
        input: { inline: tensorsToJson(new Map([["pixels", { dtype: "uint8", shape: [1, pixelsPerImage], data }]])) },
      });
    const honest = await run(pixels);
    const tampered = await run(
      pixels.with(pixels.indexOf(255) >= 0 ? pixels.indexOf(255) : pixels.findIndex((p) => p > 0), 0),
    );
    expect(tampered.outputDigest).not.toBe(honest.outputDigest);
    expect(compareOutputs(tampered.outputs, honest.outputs, { policy: "Exact" })).toMatchObject({ equal: false });
  });

  it("says what ran", async () => {
    const runtime = await executor.preload(model);
    // Later versions carry telemetry that writes files; the version is pinned for that reason.
    expect(runtime).toMatchObject({ version: "1.27.0", provider: "cpu", level: "all" });
    expect(runtime.isa).toMatch(/^[a-z0-9_]+$/);
    expect(executor.loadedModels()).toContain(model.digest);
  });

  it("keeps apart executions that run at the same time", async () => {
    const batches = cutBatches(await loadMnist("test"), 10).slice(0, 8);
    const inputs = await Promise.all(batches.map((batch, i) => put(`parallel-${i}`, batch.file)));
    const alone = [];
    for (const input of inputs) alone.push((await anExecutor().execute({ model, input })).outputDigest);
    const together = await Promise.all(inputs.map((input) => executor.execute({ model, input })));
    expect(together.map(({ outputDigest }) => outputDigest)).toEqual(alone);
    expect(new Set(alone).size).toBe(alone.length);
  });

  it.each([
    {
      what: "another width",
      inline: { pixels: { dtype: "uint8", shape: [1, 2], data: [1, 2] } },
      want: failure("InputMismatch", /needs uint8\[any,784\]/),
    },
    { what: "another name", inline: { image: floats(1) }, want: failure("InputMismatch", /needs an input "pixels"/) },
    {
      what: "data that is no data",
      inline: { pixels: { dtype: "uint8", shape: [1], data: [] } },
      want: failure("InvalidInput", /0 values/),
    },
  ])("refuses an input with $what", async ({ inline, want }) => {
    await expect(executor.execute({ model, input: { inline: inline as InlineTensors } })).rejects.toEqual(want);
  });

  it("refuses to use a loaded model, or an input in memory, for a task that may not read its URI", async () => {
    const input = await put("allowed", cutBatches(await loadMnist("test"), 1)[0]!.file);
    await executor.execute({ model, input });
    const elsewhere = "file:///etc/hostname";
    const refused = failure("NotAllowed", /outside the allowed folders/);
    await expect(executor.execute({ model: { ...model, uri: elsewhere }, input })).rejects.toEqual(refused);
    await expect(executor.execute({ model, input: { ...input, uri: elsewhere } })).rejects.toEqual(refused);
  });
});

describe("Silero VAD", () => {
  it("hears the four phrases of a real speech, as one execution of 344 steps", async () => {
    const { tensors, windows } = buildSileroInput(await loadSpeech());
    const model = await put("silero.onnx", await readFile(sileroModelPath()));
    const input = await put("speech", writeSafetensors(tensors));
    const { outputs, items } = await executor.execute({ model, input, steps: sileroSteps(windows) });
    const probabilities = viewElements(outputs.get("output")!) as Float32Array;
    const heard = findSpeech(probabilities, { windowSeconds }).map(({ startSeconds, endSeconds }) =>
      [startSeconds, endSeconds].map(Math.round),
    );
    expect(items).toBe(344);
    expect(outputs.get("output")!.shape).toEqual([344, 1]);
    expect(outputs.get("stateN")!.shape).toEqual([2, 1, 128]);
    // "And so my fellow Americans", "ask not", "what your country can do for you", "ask what you can do ...".
    expect(heard).toEqual([
      [0, 2],
      [4, 4],
      [5, 8],
      [8, 11],
    ]);
  });
});

describe("steps", () => {
  const inline = { x: { dtype: "float32", shape: [3], data: [1, 2, 3] }, sum: floats(10) };
  const steps = { count: 3, tensors: ["x"], state: [{ input: "sum", output: "sum_out" }] };

  it("feed each step's state to the next, stack the outputs and keep the last state", async () => {
    const model = await put("sum.onnx", aRunningSum());
    const { outputs, items } = await executor.execute({ model, input: { inline }, steps });
    expect([...viewElements(outputs.get("y")!)]).toEqual([11, 13, 16]);
    expect([...viewElements(outputs.get("sum_out")!)]).toEqual([16]);
    expect(items).toBe(3);
  });

  it.each([
    { what: "a count of nothing", change: { count: 0 }, want: failure("InvalidSteps", /count is 0/) },
    {
      what: "a count that does not divide the input",
      change: { count: 2 },
      want: failure("InvalidSteps", /cannot be cut into 2/),
    },
    { what: "a count over the bound", change: { count: 1e9 }, want: failure("InvalidSteps", /1000000000/) },
    { what: "a tensor that is not there", change: { tensors: ["z"] }, want: failure("MissingTensor", /no tensor "z"/) },
    {
      what: "a state that the model does not give",
      change: { state: [{ input: "sum", output: "z" }] },
      want: failure("InputMismatch", /no output "z"/),
    },
    {
      what: "a state that is cut into slices",
      change: { tensors: ["x", "sum"] },
      want: failure("InvalidSteps", /both/),
    },
  ])("are refused with $what", async ({ change, want }) => {
    const model = await put("sum.onnx", aRunningSum());
    await expect(executor.execute({ model, input: { inline }, steps: { ...steps, ...change } })).rejects.toEqual(want);
  });

  it("stop when the task is aborted between two of them", async () => {
    const model = await put("sum.onnx", aRunningSum());
    const many = {
      x: { dtype: "float32", shape: [65536], data: Buffer.alloc(4 * 65536).toString("base64") },
      sum: floats(0),
    };
    const abort = new AbortController();
    const work = executor.execute({ model, input: { inline: many }, steps: { ...steps, count: 65536 } }, abort.signal);
    setTimeout(() => abort.abort(new Error("deadline passed")), 20);
    await expect(work).rejects.toThrow("deadline passed");
  });
});

describe("any model", () => {
  it("has its NaNs normalised in the digest", async () => {
    const model = await put("quotient.onnx", aQuotient());
    const { outputs, outputDigest } = await executor.execute({ model, input: { inline: { x: floats(0, 4) } } });
    expect([...viewElements(outputs.get("y")!)]).toEqual([Number.NaN, 1]);
    const quiet = new Map([
      ["y", { dtype: "float32" as const, shape: [2], data: Uint8Array.of(0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0x3f) }],
    ]);
    expect(outputDigest).toBe(digestTensors(quiet));
  });

  it("may not give more output than allowed", async () => {
    const model = await put("quotient.onnx", aQuotient());
    const work = anExecutor({ maxOutputBytes: 7 }).execute({ model, input: { inline: { x: floats(1, 2) } } });
    await expect(work).rejects.toEqual(failure("TooLarge", /8 bytes; at most 7/));
  });

  it("is refused where its bytes are not a model", async () => {
    const model = await put("junk.onnx", Buffer.from("not a model"));
    await expect(executor.execute({ model, input: { inline: { x: floats(1) } } })).rejects.toEqual(
      failure("InvalidModel", /cannot load/),
    );
    expect(executor.loadedModels()).not.toContain(model.digest);
  });

  it("may not take weights from a file, which its digest does not cover", async () => {
    const previous = process.cwd();
    await writeFile(join(dir, "weights.bin"), new Uint8Array(Float32Array.of(42).buffer));
    // Relative locations mean the working directory for a model that is loaded from memory.
    process.chdir(dir);
    try {
      const model = await put("external.onnx", aModelWithWeightsIn("weights.bin"));
      const work = executor.execute({ model, input: { inline: { x: floats(1) } } });
      await expect(work).rejects.toEqual(failure("InvalidModel", /External data/));
    } finally {
      process.chdir(previous);
    }
  });

  it("is fetched by digest: other bytes under its URI are refused", async () => {
    const model = await put("replaced.onnx", aQuotient());
    await writeFile(join(dir, "replaced.onnx"), aRunningSum());
    await expect(anExecutor({ cacheDir: join(dir, "empty") }).preload(model)).rejects.toEqual(
      failure("DigestMismatch", /another one/),
    );
  });
});

describe("an execution provider that does not work here", () => {
  it("is an error that says why, by default", async () => {
    const model = await put("quotient.onnx", aQuotient());
    const work = anExecutor({ session: { providers: ["tensorrt", "cpu"] } }).preload(model);
    await expect(work).rejects.toEqual(failure("ProviderUnavailable", /tensorrt: .+/));
  });

  it("is found before the first task", async () => {
    const work = anExecutor({ session: { providers: ["tensorrt"] } }).warmUp();
    await expect(work).rejects.toEqual(failure("ProviderUnavailable", /tensorrt: .+/));
    await expect(anExecutor().warmUp()).resolves.toBeUndefined();
  });

  it("is passed over where the configuration says so, and the receipt names the one that ran", async () => {
    const model = await put("quotient.onnx", aQuotient());
    const runtime = await anExecutor({ session: { providers: ["tensorrt", "cpu"], onUnavailable: "next" } }).preload(
      model,
    );
    expect(runtime.provider).toBe("cpu");
  });
});
