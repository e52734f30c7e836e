import { readFile } from "node:fs/promises";
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { modelPath } from "../../../src/embedded/demo/models/train-mnist.ts";
import type { HostedModel } from "../../../src/inference/hosted-model.ts";
import type { ThreadData } from "../../../src/inference/model-messages.ts";
import { openNearModel } from "../../../src/inference/near-model.ts";
import { defaultSessionOptions } from "../../../src/inference/session.ts";
import type { openThreadedModel, ThreadedModelOptions } from "../../../src/inference/threaded-model.ts";
import { encodeOnnx, node, OnnxType, valueInfo } from "../../../src/inference/training/onnx-parts.ts";
import { createTensor, type NamedTensors } from "../../../src/protocol/tensors/tensor.ts";

const images = (count: number) =>
  new Map([["pixels", createTensor("uint8", [count, 784], new Uint8Array(count * 784))]]);

let data: ThreadData;
let models: HostedModel[];
beforeAll(async () => {
  const bytes = await readFile(modelPath);
  data = { bytes, digest: sha256(bytes), session: defaultSessionOptions };
});
beforeEach(() => {
  models = [];
});
afterEach(() => Promise.all(models.map((model) => model.close())));

const fromThread: NamedTensors = new Map();

/** A thread that answers nothing, and says of each run what the test says. */
function aThread(runMs: () => number) {
  const calls: NamedTensors[] = [];
  let onRun: ThreadedModelOptions["onRun"];
  let isClosed = false;
  const open: typeof openThreadedModel = async ({ digest }, options) => {
    onRun = options?.onRun;
    return {
      ...{ digest, runtime: "none", inputs: [], outputs: [] },
      async infer(inputs) {
        calls.push(inputs);
        onRun?.(inputs, runMs());
        return fromThread;
      },
      async close() {
        isClosed = true;
      },
    };
  };
  return { calls, open, isClosed: () => isClosed };
}

async function openNear(thread: ReturnType<typeof aThread>, of = data): Promise<HostedModel> {
  const model = await openNearModel(of, thread.open);
  models.push(model);
  return model;
}

async function repeat(model: HostedModel, times: number, inputs: NamedTensors = images(1)): Promise<void> {
  for (let i = 0; i < times; i++) await model.infer(inputs);
}

/** It loads when sixteen runs were quick. */
async function untilNear(model: HostedModel): Promise<void> {
  await repeat(model, 16);
  await vi.waitFor(async () => expect(await model.infer(images(1))).not.toBe(fromThread), {
    timeout: 30_000,
    interval: 5,
  });
}

/** Another model that becomes near meanwhile shows that this one had the time to. */
async function expectStays(thread: ReturnType<typeof aThread>, of = data, inputs: NamedTensors = images(1)) {
  const model = await openNear(thread, of);
  await repeat(model, 40, inputs);
  await untilNear(await openNear(aThread(() => 0.1)));
  await repeat(model, 20, inputs);
  expect(thread.calls).toHaveLength(60);
}

const floats = new Map([["x", createTensor("float32", [1], new Uint8Array(4))]]);

it("a small model that is quick answers on the thread of its callers, as the other thread would", async () => {
  const thread = aThread(() => 0.1);
  const model = await openNear(thread);
  await untilNear(model);
  const known = thread.calls.length;
  expect((await model.infer(images(1))).get("label")?.shape).toEqual([1]);
  expect(thread.calls).toHaveLength(known);
});

it("inputs of other shapes go to the thread until they were quick as well", async () => {
  const thread = aThread(() => 0.1);
  const model = await openNear(thread);
  await untilNear(model);
  expect(await model.infer(images(2))).toBe(fromThread);
  await repeat(model, 15, images(2));
  expect((await model.infer(images(2))).get("label")?.shape).toEqual([2]);
});

it("a model that is slow stays on its thread", async () => {
  await expectStays(aThread(() => 1));
});

it("many calls at once hold up their thread for a few milliseconds at most: the others go to the model's own", async () => {
  const thread = aThread(() => 0.4);
  const model = await openNear(thread);
  await untilNear(model);
  const known = thread.calls.length;
  const answers = await Promise.all(Array.from({ length: 200 }, () => model.infer(images(1))));
  expect(thread.calls.length).toBeGreaterThan(known);
  expect(answers.filter((answer) => answer !== fromThread).length).toBeGreaterThan(0);
});

it("a model whose values could make a run long stays on its thread", async () => {
  const bytes = encodeOnnx(
    {
      name: "g",
      initializer: [],
      node: [node("NonZero", ["x"], "y")],
      input: [valueInfo("x", OnnxType.FLOAT, ["N"])],
      output: [valueInfo("y", OnnxType.INT64, [1, "M"])],
    },
    { opset: 13n, irVersion: 7n },
  );
  await expectStays(
    aThread(() => 0.1),
    { ...data, bytes, digest: sha256(bytes) },
    floats,
  );
});

it("a model that cannot be loaded twice goes on answering on its thread", async () => {
  const bytes = encodeOnnx(
    {
      name: "g",
      initializer: [],
      node: [node("Relu", ["nowhere"], "y")],
      input: [valueInfo("x", OnnxType.FLOAT, ["N"])],
      output: [valueInfo("y", OnnxType.FLOAT, ["N"])],
    },
    { opset: 13n, irVersion: 7n },
  );
  await expectStays(
    aThread(() => 0.1),
    { ...data, bytes, digest: sha256(bytes) },
    floats,
  );
});

it("what is wrong with an input is said in the model's words", async () => {
  const thread = aThread(() => 0.1);
  const model = await openNear(thread);
  const wrong = new Map([["other", createTensor("uint8", [1], new Uint8Array(1))]]);
  await untilNear(model);
  await repeat(model, 16, wrong);
  await expect(model.infer(wrong)).rejects.toMatchObject({ code: "InputMismatch", disposition: "reject" });
});

it("is closed when the calls that are on have ended", async () => {
  const thread = aThread(() => 0.1);
  const model = await openNear(thread);
  await untilNear(model);
  const call = model.infer(images(1));
  await model.close();
  expect((await call).get("label")?.shape).toEqual([1]);
  expect(thread.isClosed()).toBe(true);
  models = [];
});
