import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { countCorrect } from "../../../src/embedded/demo/data/mnist.ts";
import { createDishonestExecutor } from "../../../src/embedded/demo/dishonest-execute.ts";
import type { BatchData } from "../../../src/pool/batch-evidence.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import { viewElements } from "../../../src/protocol/tensors/elements.ts";
import { requireTensor } from "../../../src/protocol/tensors/tensor.ts";
import { batchHeaderTypes, recoverSigner } from "../../../src/protocol/typed-data.ts";
import { domain } from "../pool/pool-fixture.ts";
import type { PoolTask } from "./batch-evidence.ts";
import { nodeOf } from "./memory-pool.ts";
import {
  anInput,
  anOrder,
  aScene,
  type Scene,
  startValidator,
  startValidators,
  startWorker,
  tokens,
  treasury,
} from "./roles-fixture.ts";

async function addTask(scene: Scene, name: string, index = 0): Promise<PoolTask> {
  const { uri, digest } = await anInput(scene, index);
  return scene.pool.addTask({
    name,
    model: scene.model,
    input: { uri, digest },
    verification: { policy: "Exact" },
    order: await anOrder(),
    rewardWei: tokens(10),
  });
}

/** The validators whose signature of the header holds. */
function signersOf(scene: Scene, batch: BatchData): string[] {
  return [...scene.pool.certified].flatMap(([account, { headerHash, signature }]) => {
    const good = headerHash === scene.pool.hashHeader(batch) && signature.length === 130;
    return good && recoverSigner(domain, batchHeaderTypes, batch.header, signature) === account ? [account] : [];
  });
}

describe("worker and validators on the real MNIST model", () => {
  test("a task goes from claim over receipt and votes to a batch that all validators sign, over clocks that are an hour off", async () => {
    const scene = await aScene();
    const clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 };
    await startValidators(scene, { clock });
    const worker = await startWorker(scene, { clock });
    const task = await addTask(scene, "mnist-0");
    await scene.pool.until(() => task.state === "Accepted");

    const outputs = readInline(task.outcome?.output ?? {});
    const labels = viewElements(requireTensor(outputs, "label"));
    const { batch: images } = await anInput(scene);
    expect(countCorrect(labels as BigInt64Array, images.labels)).toBeGreaterThanOrEqual(95);
    expect(task.outcome?.items).toBe(100);
    expect(task.outcome?.receipt.message).toMatchObject({ worker: worker.account, attempt: 1 });
    // What a receipt says of times is the pool's, and can be compared with others'.
    expect(Math.abs(Number(task.outcome?.receipt.message.endedAtMs) - Date.now())).toBeLessThan(600_000);
    expect(task.outcome?.receipt.message.runtime).toMatch(/^onnxruntime\/1\.\d+\.\d+ cpu /);

    const batch = scene.pool.buildBatch(["mnist-0"]);
    await scene.pool.certify(batch);
    expect([...scene.pool.refused]).toEqual([]);
    expect(signersOf(scene, batch).sort()).toEqual(scene.validatorKeys.map((key) => key.address).sort());
    expect(BigInt(batch.balances[worker.account] ?? 0)).toBeGreaterThanOrEqual(tokens(8));
    expect(batch.balances[treasury]).toBe((tokens(10) / 20n).toString());
  });

  test("a worker that invents its output is rejected by all, and another worker's redo is accepted", async () => {
    const scene = await aScene();
    await startValidators(scene);
    const cheater = await startWorker(scene, { wrap: createDishonestExecutor });
    const task = await addTask(scene, "mnist-0");
    await scene.pool.until(() => task.attempt === 2);
    const votes = [...(scene.pool.panels[0]?.reveals.values() ?? [])].map((reveal) => reveal.votes[0]?.vote);
    expect(votes).toEqual(["Reject", "Reject", "Reject"]);
    expect(task.excluded).toContain(nodeOf(cheater.account));

    const honest = await startWorker(scene);
    await scene.pool.until(() => task.state === "Accepted");
    expect(task.outcome?.receipt.message).toMatchObject({ worker: honest.account, attempt: 2 });
  });

  test("a validator that was restarted between its commitment and the reveal still reveals", async () => {
    const scene = await aScene();
    scene.pool.holdReveals();
    const [first] = await startValidators(scene);
    await startWorker(scene);
    const task = await addTask(scene, "mnist-0");
    await scene.pool.until(() => scene.pool.panels[0]?.commits.size === 3);
    await first?.stop();
    const [key] = scene.validatorKeys;
    if (key !== undefined) await startValidator(scene, key);
    scene.pool.releaseReveals();
    await scene.pool.until(() => task.state === "Accepted");
    expect(scene.pool.panels[0]?.reveals.size).toBe(3);
  });

  test("a worker with several slots does many tasks, each once, and its receipts are taken once", async () => {
    const scene = await aScene();
    await startValidators(scene);
    await startWorker(scene, { variables: { INFERIUM_SLOTS: "3" } });
    const tasks = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => addTask(scene, `mnist-${index}`, index)));
    await scene.pool.until(() => tasks.every((task) => task.state === "Accepted"));
    expect(scene.pool.statuses).toEqual(Array(6).fill("Recorded"));
  });

  test("a model whose bytes are not those that the task names fails for good, without a receipt", async () => {
    const scene = await aScene();
    await startWorker(scene);
    const { uri, digest } = await anInput(scene);
    const task = scene.pool.addTask({
      name: "wrong-model",
      model: { uri: scene.model.uri, digest: `sha256:${"0".repeat(64)}` },
      input: { uri, digest },
      verification: { policy: "Exact" },
      order: await anOrder(),
      rewardWei: 0n,
    });
    await scene.pool.until(() => task.state === "Failed");
    expect(task.failures).toEqual([{ reason: "DigestMismatch", retryable: false }]);
    expect(task.outcome).toBeUndefined();
  });
});

describe("what validators do not sign", () => {
  test("a batch with a false part is refused with its reason; the true one and its successor are signed", async () => {
    const scene = await aScene();
    await startValidators(scene);
    await startWorker(scene);
    const first = await addTask(scene, "mnist-0", 0);
    const second = await addTask(scene, "mnist-1", 1);
    await scene.pool.until(() => first.state === "Accepted" && second.state === "Accepted");
    const batch = scene.pool.buildBatch(["mnist-0"]);

    const forged = { ...batch, balances: { ...batch.balances, [treasury]: tokens(10).toString() } };
    await scene.pool.certify(forged);
    expect(reasonsOf(scene)).toEqual(["BalancesMismatch", "BalancesMismatch", "BalancesMismatch"]);
    await scene.pool.certify(batch);
    expect(signersOf(scene, batch)).toHaveLength(3);
    // Asked again, the same header is signed again; another one for the same sequence never.
    await scene.pool.certify(batch);
    expect(signersOf(scene, batch)).toHaveLength(3);
    await scene.pool.certify(scene.pool.buildBatch(["mnist-0", "mnist-1"]));
    expect(reasonsOf(scene)).toEqual(["AlreadyCertified", "AlreadyCertified", "AlreadyCertified"]);

    const next = scene.pool.buildBatch(["mnist-1"], batch);
    const moved = { ...batch.balances, [treasury]: tokens(99).toString() };
    await scene.pool.certify({ ...next, previousBalances: moved });
    expect(reasonsOf(scene)).toEqual(["UnknownPrevious", "UnknownPrevious", "UnknownPrevious"]);
    await scene.pool.certify(next);
    expect(signersOf(scene, next)).toHaveLength(3);
  });

  test("a validator that missed a batch signs the next only on the word of the chain", async () => {
    const scene = await aScene();
    const members = await startValidators(scene);
    await startWorker(scene);
    const first = await addTask(scene, "mnist-0", 0);
    const second = await addTask(scene, "mnist-1", 1);
    await scene.pool.until(() => first.state === "Accepted" && second.state === "Accepted");
    const settled = scene.pool.buildBatch(["mnist-0"]);
    const next = scene.pool.buildBatch(["mnist-1"], settled);
    await scene.pool.certify(next);
    expect(reasonsOf(scene)).toEqual(["UnknownPrevious", "UnknownPrevious", "UnknownPrevious"]);

    for (const member of members) await member.stop();
    const head = { sequence: 1n, headerHash: scene.pool.hashHeader(settled), balanceRoot: settled.header.balanceRoot };
    const chain = { readHead: async () => head };
    for (const key of scene.validatorKeys) await startValidator(scene, key, { chain });
    await scene.pool.certify(next);
    expect(signersOf(scene, next)).toHaveLength(3);
  });
});

function reasonsOf(scene: Scene): string[] {
  return [...scene.pool.refused.values()].map((reason) => reason.split(":")[0] ?? "");
}
