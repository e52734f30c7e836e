import { describe, expect, test } from "vitest";
import type { WorkerObject } from "../../../src/operator/kinds.ts";
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
