/** A validator's check of a training's receipt, with data and checkpoints that it fetches over HTTP, and a store that takes puts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Digest, digestToBytes32, sha256 } from "../../../src/base/digest.ts";
import { type ArtifactServer, startArtifactServer } from "../../../src/embedded/demo/artifact-server.ts";
import { type CheckpointStore, openCheckpointStore } from "../../../src/inference/training/checkpoint-store.ts";
import { findProgram } from "../../../src/inference/training/program.ts";
import { runTraining } from "../../../src/inference/training/run-training.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import type { InlineTensors } from "../../../src/pool/work-assignment.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { writeSafetensors } from "../../../src/protocol/tensors/safetensors.ts";
import type { NamedTensors } from "../../../src/protocol/tensors/tensor.ts";
import { type TrainingResult, type TrainingTerms, toTrainingOutputs } from "../../../src/protocol/training.ts";
import { decideVote } from "../../../src/protocol/verdict/cast-vote.ts";
import { createTrainingCheck, type TrainingItem } from "../../../src/validator/check-training.ts";
import { mnistData } from "./mnist-data.ts";

const allowedAddresses = ["127.0.0.0/8"];
const { signal } = new AbortController();

let dir = "";
let artifacts: ArtifactServer;
let store: CheckpointStore;
let terms: TrainingTerms;
let model: { uri: string; digest: Digest };
let input: { uri: string; digest: Digest };
let honest: TrainingResult;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "check-training-"));
  artifacts = await startArtifactServer();
  const data = mnistData(20, (index) => index % 7);
  terms = {
    program: "mnist-perceptron",
    hyperparameters: { imagesPerStep: "2", heldImages: "1" },
    ...{ steps: 4, checkpointEvery: 1, seed: 3, sampledSlices: 4, checkpointStore: artifacts.storeUri },
  };
  const bytes = writeSafetensors(findProgram(terms.program).open(data, terms).initial());
  model = artifacts.publish("initial", bytes);
  input = artifacts.publish("data", writeSafetensors(data));
  store = openCheckpointStore(artifacts.storeUri, { cacheDir: join(dir, "trainer"), allowedAddresses });
  const initial = { bytes, digest: model.digest };
  honest = await runTraining({ terms, data, initial, known: [], store, onCheckpoint: () => undefined, signal });
});

afterAll(async () => {
  await artifacts.close();
  await rm(dir, { recursive: true, force: true });
});

async function judge(outputs: NamedTensors, change: Partial<TrainingItem> = {}) {
  const message = {
    modelDigest: digestToBytes32(model.digest),
    inputDigest: digestToBytes32(input.digest),
    outputDigest: digestToBytes32(digestTensors(outputs)),
  };
  const item = {
    ...{ taskId: "0x1", attempt: 1, model, input, verification: { policy: "Exact" }, training: terms },
    ...{ output: writeInline(outputs), receipt: { message, signature: "" }, sampleSeed: "0x1" },
    ...change,
  } as unknown as TrainingItem;
  // Nothing is remembered from one to the next.
  const cacheDir = await mkdtemp(join(dir, "validator-"));
  const check = createTrainingCheck({ cacheDir, allowedAddresses, attempts: 1 });
  const own = await check(item, signal);
  return decideVote({ policy: { policy: "Exact" }, receipt: message, own });
}

const forge = (index: number, digest: Digest) =>
  toTrainingOutputs(terms, { ...honest, checkpoints: honest.checkpoints.with(index, digest) });

describe("a receipt of a training", () => {
  it("is accepted where it is honest, by drawn slices and by all of them", async () => {
    const outputs = toTrainingOutputs(terms, honest);
    expect((await judge(outputs)).vote).toBe("Accept");
    expect((await judge(outputs, { training: { ...terms, sampledSlices: 1 } })).vote).toBe("Accept");
    // As a juror is given it.
    const forged = forge(3, honest.checkpoints[2] as Digest);
    const whole = { training: { ...terms, sampledSlices: 1 }, sampleSeed: undefined as never };
    expect((await judge(outputs, whole)).vote).toBe("Accept");
    expect((await judge(forged, whole)).vote).toBe("Reject");
  });

  it("is rejected by everybody in the same words where a slice was not computed", async () => {
    const skipped = forge(3, honest.checkpoints[2] as Digest);
    const [first, second] = [await judge(skipped), await judge(skipped)];
    expect(first).toMatchObject({ vote: "Reject", outputDigest: second.outputDigest });
  });

  it("is rejected where what was signed is no result of such a training", async () => {
    const outputs = toTrainingOutputs(terms, honest);
    expect((await judge(outputs, { training: { ...terms, seed: 4 } })).vote).toBe("Reject");
    const few = new Map([...outputs].filter(([name]) => name !== "model"));
    expect((await judge(few)).vote).toBe("Reject");
  });

  it("is rejected where a checkpoint is no weights, and not judged where it is not there", async () => {
    const junk = await store.put(new TextEncoder().encode("junk"));
    expect((await judge(forge(2, junk))).vote).toBe("Reject");
    const empty = { training: { ...terms, checkpointStore: `${artifacts.storeUri}/empty` } };
    await expect(judge(toTrainingOutputs(terms, honest), empty)).rejects.toMatchObject({ code: "NotFound" });
  });

  it("is not judged by outputs that are not those that were signed for", async () => {
    const other = writeInline(forge(1, sha256("other"))) as InlineTensors;
    expect((await judge(toTrainingOutputs(terms, honest), { output: other })).vote).toBe("Abstain");
  });
});

describe("a checkpoint store", () => {
  it("gives back what was put, and takes it twice", async () => {
    const bytes = new TextEncoder().encode("weights");
    expect(await store.put(bytes)).toBe(await store.put(bytes));
    const reader = openCheckpointStore(artifacts.storeUri, { cacheDir: join(dir, "reader"), allowedAddresses });
    expect(Buffer.from(await reader.get(sha256(bytes))).toString()).toBe("weights");
  });

  it("is not put to where it refuses, and not at all where its address is inside", async () => {
    const bytes = new Uint8Array(1);
    const cacheDir = join(dir, "trainer");
    const elsewhere = openCheckpointStore(`${artifacts.storeUri}/x`, { cacheDir, allowedAddresses });
    await expect(elsewhere.put(bytes)).rejects.toMatchObject({ code: "StoreRefused" });
    const inside = openCheckpointStore(artifacts.storeUri, { cacheDir });
    await expect(inside.put(bytes)).rejects.toMatchObject({ code: "NotAllowed" });
    const noUri = openCheckpointStore("ftp://store.test", { cacheDir });
    await expect(noUri.put(bytes)).rejects.toMatchObject({ code: "NotAllowed" });
  });

  it("takes nothing under a digest that is not its own", async () => {
    const uri = `${artifacts.storeUri}/sha256-${"ab".repeat(32)}`;
    expect((await fetch(uri, { method: "PUT", body: "x" })).status).toBe(400);
    expect((await fetch(uri)).status).toBe(404);
    expect((await fetch(`${artifacts.storeUri}/../initial`, { method: "PUT", body: "x" })).status).toBe(405);
  });
});
