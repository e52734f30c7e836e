import { beforeAll, describe, expect, it } from "vitest";
import { type Digest, sha256 } from "../../../../src/base/digest.ts";
import { InferiumError } from "../../../../src/base/errors.ts";
import type { CheckpointStore } from "../../../../src/inference/training/checkpoint-store.ts";
import { createRandom } from "../../../../src/inference/training/exact-math.ts";
import { findProgram } from "../../../../src/inference/training/program.ts";
import { runTraining } from "../../../../src/inference/training/run-training.ts";
import { verifyTraining } from "../../../../src/inference/training/verify-training.ts";
import { readSafetensors, writeSafetensors } from "../../../../src/protocol/tensors/safetensors.ts";
import { createTensor } from "../../../../src/protocol/tensors/tensor.ts";
import type { TrainingResult, TrainingTerms } from "../../../../src/protocol/training.ts";

class MemoryStore implements CheckpointStore {
  readonly files = new Map<Digest, Uint8Array>();

  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = sha256(bytes);
    this.files.set(digest, bytes);
    return digest;
  }

  async get(digest: Digest): Promise<Uint8Array> {
    const bytes = this.files.get(digest);
    // As files are read: a view of a larger buffer.
    if (bytes) return Buffer.concat([Buffer.alloc(8), bytes]).subarray(8);
    throw new InferiumError("NotFound", `There is no ${digest}.`);
  }
}

const images = 60;
const random = createRandom(5);
const data = new Map([
  [
    "pixels",
    createTensor(
      "uint8",
      [images, 784],
      Uint8Array.from({ length: images * 784 }, (_, i) => (i % 97 === 0 ? random() * 256 : 0)),
    ),
  ],
  [
    "labels",
    createTensor(
      "uint8",
      [images],
      Uint8Array.from({ length: images }, (_, i) => i % 10),
    ),
  ],
]);
const terms: TrainingTerms = {
  program: "mnist-perceptron",
  hyperparameters: { imagesPerStep: "5", heldImages: "1", learningRates: "0.05" },
  steps: 12,
  checkpointEvery: 4,
  seed: 3,
  checkpointStore: "https://store.test",
  sampledSlices: 1,
};
const { signal } = new AbortController();
const bytes = writeSafetensors(findProgram(terms.program).open(data, terms).initial());
const initial = { bytes, digest: sha256(bytes) };

const train = (store: CheckpointStore, known: readonly Digest[] = [], told: number[] = []) =>
  runTraining({ terms, data, initial, known, store, onCheckpoint: (index) => void told.push(index), signal });

const store = new MemoryStore();
let honest: TrainingResult;
beforeAll(async () => {
  honest = await train(store);
});

const verify = (claimed: TrainingResult, slices: readonly number[]) =>
  verifyTraining({ terms, data, initial: initial.digest, claimed, slices, store, signal });

describe("a training", () => {
  it("goes on from the newest checkpoint and arrives at the same model", async () => {
    const told: number[] = [];
    const again = await train(store, honest.checkpoints.slice(1, 3), told);
    expect(again).toEqual(honest);
    expect(told).toEqual([3]);
  });

  it("goes back as far as it must where checkpoints are gone", async () => {
    const left = new MemoryStore();
    await left.put(store.files.get(honest.checkpoints[1]!)!);
    const told: number[] = [];
    expect(await train(left, honest.checkpoints.slice(1, 4), told)).toEqual(honest);
    expect(told).toEqual([2, 3]);
  });

  it("with an unknown program, data of another form or hyperparameters that are none is refused", async () => {
    const open = (change: Partial<TrainingTerms>, given = data) =>
      findProgram({ ...terms, ...change }.program).open(given, { ...terms, ...change });
    const codeOf = (what: () => unknown) => {
      try {
        what();
      } catch (error) {
        return (error as InferiumError).code;
      }
      return "none";
    };
    expect(codeOf(() => open({ program: "other" }))).toBe("UnknownProgram");
    expect(codeOf(() => open({ hyperparameters: { momentum: "1" } }))).toBe("InvalidTraining");
    expect(codeOf(() => open({ hyperparameters: { learningRates: "fast" } }))).toBe("InvalidTraining");
    expect(codeOf(() => open({ hyperparameters: { heldImages: "60" } }))).toBe("InvalidTraining");
    expect(codeOf(() => open({ hyperparameters: { imagesPerStep: "1.5" } }))).toBe("InvalidTraining");
    expect(codeOf(() => open({}, new Map([["labels", data.get("labels")!]])))).toBe("InvalidTraining");
    const eleven = createTensor("uint8", [images], new Uint8Array(images).fill(11));
    expect(codeOf(() => open({}, new Map([...data, ["labels", eleven]])))).toBe("InvalidTraining");
    expect(codeOf(() => open({}))).toBe("none");
  });
});

describe("its check", () => {
  it("agrees with an honest result, whatever is drawn", async () => {
    for (const slice of [0, 1, 2]) expect(await verify(honest, [slice])).toEqual(honest);
  });

  it("finds a slice that was not computed, and says what it should have been", async () => {
    const lazy = await store.put(new Uint8Array(store.files.get(honest.checkpoints[1]!)!));
    const forged = { ...honest, checkpoints: honest.checkpoints.with(2, lazy) };
    expect((await verify(forged, [1])).checkpoints[2]).toBe(honest.checkpoints[2]);
    // From a forged checkpoint the next one does not follow either.
    expect((await verify(forged, [2])).checkpoints[3]).not.toBe(honest.checkpoints[3]);
    expect(await verify(forged, [0])).toEqual(forged);
  });

  it("finds one altered weight of a checkpoint", async () => {
    const weights = new Map(readSafetensors(store.files.get(honest.checkpoints[3]!)!));
    const bias = weights.get("outputBias")!;
    const altered = bias.data.slice();
    altered[0]! ^= 1;
    weights.set("outputBias", { ...bias, data: altered });
    const digest = await store.put(writeSafetensors(weights));
    const forged = { ...honest, checkpoints: honest.checkpoints.with(3, digest) };
    expect((await verify(forged, [2])).checkpoints[3]).toBe(honest.checkpoints[3]);
  });

  it("finds a model that is not made of the last checkpoint", async () => {
    const forged = { ...honest, model: sha256("another") };
    expect(await verify(forged, [0])).toEqual(honest);
  });

  it("finds a training that began with other weights", async () => {
    const forged = { ...honest, checkpoints: honest.checkpoints.with(0, honest.checkpoints[1]!) };
    expect((await verify(forged, [])).checkpoints[0]).toBe(initial.digest);
  });

  it("takes a checkpoint that is none for the worker's fault, and one that is not there for nobody's", async () => {
    const junk = await store.put(new TextEncoder().encode("junk"));
    const forged = { ...honest, checkpoints: honest.checkpoints.with(1, junk) };
    expect(await verify(forged, [1])).not.toEqual(forged);
    const missing = { ...honest, checkpoints: honest.checkpoints.with(1, sha256("missing")) };
    await expect(verify(missing, [1])).rejects.toMatchObject({ code: "NotFound" });
  });

  it("ends with its signal", async () => {
    const stopped = AbortSignal.abort(new Error("stop"));
    const slow = { ...terms, steps: 40_000, checkpointEvery: 40_000 };
    const claimed = { checkpoints: [initial.digest, initial.digest], model: initial.digest };
    const check = { terms: slow, data, initial: initial.digest, claimed, slices: [0], store, signal: stopped };
    await expect(verifyTraining(check)).rejects.toThrow("stop");
  });
});
