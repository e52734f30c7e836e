import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { modelPath } from "../../../src/embedded/demo/models/train-mnist.ts";
import type { HostedModel } from "../../../src/inference/hosted-model.ts";
import type { ThreadData } from "../../../src/inference/model-messages.ts";
import { defaultSessionOptions } from "../../../src/inference/session.ts";
import { openThreadedModel } from "../../../src/inference/threaded-model.ts";
import { tensorFrom } from "../../../src/protocol/tensors/elements.ts";
import { createTensor } from "../../../src/protocol/tensors/tensor.ts";

const threadUrl = new URL("../../../src/inference/model-thread.ts", import.meta.url);
const workers: Worker[] = [];
let data: ThreadData;
let model: HostedModel;

beforeAll(async () => {
  const bytes = await readFile(modelPath);
  data = { bytes, digest: sha256(bytes), session: defaultSessionOptions };
  model = await openThreadedModel(data, {
    openWorker(workerData) {
      const worker = new Worker(threadUrl, { workerData });
      workers.push(worker);
      return worker;
    },
  });
});
afterAll(() => model.close());

const images = (count: number, value = 0) =>
  new Map([["pixels", createTensor("uint8", [count, 784], new Uint8Array(count * 784).fill(value))]]);

it("a model on a thread of its own says what it takes, and answers many calls at once, each its own", async () => {
  expect(model.inputs).toEqual([{ name: "pixels", dtype: "uint8", shape: [-1, 784] }]);
  expect(model.runtime).toMatch(/^onnxruntime\//);
  const answers = await Promise.all([1, 2, 3].map((count) => model.infer(images(count))));
  expect(answers.map((outputs) => outputs.get("label")?.shape)).toEqual([[1], [2], [3]]);
});

it("its caller's buffers stay the caller's", async () => {
  const input = images(1, 9);
  await model.infer(input);
  expect(input.get("pixels")?.data[783]).toBe(9);
});

it("says what is wrong with an input, in the words that the model has without a thread", async () => {
  const wrong = new Map([["other", tensorFrom("uint8", [1], [1])]]);
  await expect(model.infer(wrong)).rejects.toMatchObject({ code: "InputMismatch", disposition: "reject" });
});

it("whose thread has ended answers the next call on another one", async () => {
  await workers.at(-1)?.terminate();
  expect((await model.infer(images(1))).size).toBe(2);
  expect(workers).toHaveLength(2);
});

it("whose thread ends within a call fails it, to be tried again", async () => {
  const script = `const { parentPort: port } = require("node:worker_threads");
    port.postMessage({ kind: "ready", runtime: "none", inputs: [], outputs: [] });
    port.on("message", () => { throw new Error("out of memory"); });`;
  const dying = await openThreadedModel(data, { openWorker: () => new Worker(script, { eval: true }) });
  await expect(dying.infer(images(1))).rejects.toMatchObject({ code: "ModelThreadEnded", disposition: "retry" });
});

it("is closed when the calls that are on have ended", async () => {
  const closing = await openThreadedModel(data);
  const call = closing.infer(images(5_000));
  await closing.close();
  expect((await call).get("label")?.shape).toEqual([5_000]);
});

it("leaves the event loop to others while it runs", async () => {
  let turns = 0;
  const turning = setInterval(() => void turns++, 1);
  await model.infer(images(20_000));
  clearInterval(turning);
  expect(turns).toBeGreaterThan(1);
});

it("that is none is refused when it is opened", async () => {
  const bytes = Buffer.from("no model");
  const opening = openThreadedModel({ ...data, bytes, digest: sha256(bytes) });
  await expect(opening).rejects.toMatchObject({ code: "InvalidModel" });
});
