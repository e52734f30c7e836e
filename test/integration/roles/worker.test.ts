import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import { InferiumError } from "../../../src/base/errors.ts";
import type { Executor } from "../../../src/inference/execute.ts";
import type { PoolBackend } from "../../../src/pool/backend.ts";
import type { ReceiptRequest } from "../../../src/pool/wire.ts";
import { aServer } from "../pool/pool-fixture.ts";
import type { PoolTask } from "./batch-evidence.ts";
import { anInput, anOrder, aScene, type Scene, startWorker } from "./roles-fixture.ts";

async function addTask(scene: Scene, timeoutMs?: number): Promise<PoolTask> {
  const { uri, digest } = await anInput(scene, 0, 10);
  return scene.pool.addTask({
    name: "mnist-0",
    model: scene.model,
    input: { uri, digest },
    verification: { policy: "Exact" },
    order: await anOrder(),
    rewardWei: 0n,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

/** Runs for ever, until it is aborted. */
function stuck(signals: AbortSignal[] = []) {
  return (honest: Executor): Executor => ({
    ...honest,
    execute: (_request, signal) =>
      new Promise((_, reject) => {
        if (signal === undefined) return;
        signals.push(signal);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  });
}

/** A pool in front of the scene's that can refuse receipts. */
async function aFlakyPool(scene: Scene) {
  const state = { away: true };
  const asked: ReceiptRequest[] = [];
  const backend: PoolBackend = {
    ...scene.pool.backend,
    receipt: async (caller, request) => {
      asked.push(request);
      if (state.away) throw new InferiumError("NoLeader", "Not now.", { disposition: "retry" });
      return scene.pool.backend.receipt(caller, request);
    },
  };
  const server = await aServer(backend);
  return { state, asked, url: server.url };
}

describe("a worker", () => {
  test("keeps a receipt that it cannot deliver and sends the same one after a restart", async () => {
    const scene = await aScene();
    const flaky = await aFlakyPool(scene);
    const key = Wallet.createRandom();
    const variables = { INFERIUM_POOL_URL: flaky.url, INFERIUM_GRACE_SECONDS: "0" };
    const worker = await startWorker(scene, { key, variables });
    const task = await addTask(scene);
    const spool = join(scene.folder, key.address, "state", "spool");
    await scene.pool.until(() => flaky.asked.length >= 5);
    await waitFor(async () => (await readdir(spool)).length === 1);
    await worker.stop();
    expect(task.state).toBe("Running");
    const [name = ""] = await readdir(spool);
    const kept = JSON.parse(await readFile(join(spool, name), "utf8")) as { request: ReceiptRequest };

    flaky.state.away = false;
    await startWorker(scene, { key, variables });
    await scene.pool.until(() => task.state === "Validating");
    expect(task.outcome).toEqual(kept.request.outcome);
    await waitFor(async () => (await readdir(spool)).length === 0);
  });

  test("that is stopped hands back what it runs", async () => {
    const scene = await aScene();
    const worker = await startWorker(scene, { wrap: stuck(), variables: { INFERIUM_GRACE_SECONDS: "0" } });
    const task = await addTask(scene);
    await scene.pool.until(() => task.state === "Running");
    await worker.stop();
    expect(task.failures).toEqual([{ reason: "Stopped", retryable: true }]);
    expect(task.state).toBe("Queued");
  });

  test("stops an attempt that the pool no longer wants", async () => {
    const scene = await aScene();
    const signals: AbortSignal[] = [];
    const worker = await startWorker(scene, { wrap: stuck(signals) });
    const task = await addTask(scene);
    await scene.pool.until(() => signals.length === 1);
    scene.pool.requeue(task, `node-${worker.account.slice(2, 8).toLowerCase()}`, "Queued");
    await waitFor(async () => signals[0]?.aborted === true);
    expect(signals[0]?.reason).toMatchObject({ code: "Cancelled" });
    expect(task.failures).toEqual([]);
  });

  test("gives up at the deadline and says so", async () => {
    const scene = await aScene();
    await startWorker(scene, { wrap: stuck() });
    const task = await addTask(scene, 300);
    await scene.pool.until(() => task.failures.length > 0);
    expect(task.failures).toEqual([{ reason: "Timeout", retryable: true }]);
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("the condition never held");
}
