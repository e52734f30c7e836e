import { describe, expect, test } from "vitest";
import type { WorkerObject } from "../../../src/operator/kinds.ts";
import { describeHardware } from "../../../src/protocol/matching.ts";
import { defaultProofPolicy } from "../../../src/protocol/proven-capability.ts";
import { aDirectory, aWorkerNode } from "./a-directory.ts";

const late = "2026-02-01T00:00:00Z";
const shared = ["GPU-shared-0001"];
const provenOf = (workers: readonly WorkerObject[]) => {
  const directory = aDirectory(workers);
  return workers.map((worker) => ({ ...directory.provenOf(worker, 0), given: directory.factsOf(worker).proven }));
};

describe("one GPU serves one worker", () => {
  test("the later of two workers that name a GPU is given nothing, and told whose it is", () => {
    const [first, second] = provenOf([
      aWorkerNode("honest", { uuids: ["GPU-other", ...shared] }),
      aWorkerNode("copycat", { uuids: shared, createdAt: late }),
    ]);
    expect(first).toMatchObject({ holds: true, reason: "Inspected", given: true });
    expect(second).toMatchObject({ holds: false, reason: "DuplicateGpu", given: false });
    expect(second?.message).toContain("GPU-shared-0001 is worker honest's");
  });

  test("of two that were made in one second the name decides, the same way round each time", () => {
    const workers = [aWorkerNode("b", { uuids: shared }), aWorkerNode("a", { uuids: shared })];
    expect(provenOf(workers).map(({ holds }) => holds)).toEqual([false, true]);
    expect(provenOf(workers.toReversed()).map(({ holds }) => holds)).toEqual([true, false]);
  });

  test("a validator on the same machine is in nobody's way, and nobody is in its", () => {
    const validator = aWorkerNode("val", { role: "Validator", uuids: shared });
    const [worker, other] = provenOf([aWorkerNode("worker", { uuids: shared, createdAt: late }), validator]);
    expect([worker?.holds, other?.holds]).toEqual([true, true]);
  });

  test("workers without a GPU share none", () => {
    const workers = [aWorkerNode("a", { uuids: [] }), aWorkerNode("b", { uuids: [], createdAt: late })];
    expect(provenOf(workers).map(({ holds }) => holds)).toEqual([true, true]);
  });
});

test("a task is offered what one of a GPU's instances has, not the whole", () => {
  const gpu = { uuid: "GPU-cut", product: "NVIDIA A100-SXM4-80GB", memoryMiB: 81_920, unitMemoryMiB: 9_728 };
  const hardware = { source: "NvidiaSmi", simulated: false, gpus: [gpu] } as const;
  const worker = aWorkerNode("cut", { status: { observedGeneration: 1, hardware: { ...hardware, gpus: [gpu] } } });
  expect(aDirectory([worker]).factsOf(worker).memoryMiB).toBe(9_728);
});

test("of several kinds of GPU the weakest counts", () => {
  const strong = { uuid: "GPU-strong", product: "NVIDIA H200", memoryMiB: 143_771, computeCapability: "9.0" };
  const weak = { uuid: "GPU-weak", product: "Tesla P4", memoryMiB: 7_680, computeCapability: "6.1" };
  const worker = aWorkerNode("mixed", {
    status: { observedGeneration: 1, hardware: { source: "NvidiaSmi", simulated: false, gpus: [strong, weak] } },
  });
  expect(aDirectory([worker]).factsOf(worker)).toMatchObject({ gpus: 2, memoryMiB: 7_680, computeCapability: "6.1" });
});

describe("GPUs that do not count", () => {
  const simulated = aWorkerNode("toy", { simulated: true });

  test("leave a machine that tasks of tier Low are given", () => {
    const facts = aDirectory([simulated]).factsOf(simulated);
    expect(facts).toMatchObject({ proven: true, tier: "Low", gpus: 0, memoryMiB: 0, migProfiles: [] });
    expect(facts.computeCapability).toBeUndefined();
    expect(facts.hardware).toBe(describeHardware(facts));
  });

  test("count in a trial that accepts what is simulated", () => {
    const proofPolicy = { ...defaultProofPolicy, acceptSimulated: true };
    const facts = aDirectory([simulated], { proofPolicy }).factsOf(simulated);
    expect(facts).toMatchObject({ proven: true, tier: "High", gpus: 1, memoryMiB: 81_920, computeCapability: "8.0" });
    expect(facts.hardware).toBe(describeHardware(facts));
  });
});
