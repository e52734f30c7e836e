/**
 * Challenges through the whole operator: handed out over the pool API, run by onnxruntime on this machine's CPU, checked by
 * validators, written on the WorkerNode, and what tasks are given by it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WorkerNodeStatus } from "../../../src/api/v1alpha1/generated/workernodes.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { runChallenge } from "../../../src/inference/challenge/run-challenge.ts";
import { checkChallenge } from "../../../src/validator/check-challenge.ts";
import { answerChallenge } from "../../../src/worker/answer-challenge.ts";
import { aTask, type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { connect } from "./scripted-members.ts";

const session = { providers: ["cpu"], threads: 1 } as const;
const times = { firstMs: 0, validMs: 3_600_000, retryMs: 3_600_000 };
const capability = {
  minimumLevel: "Challenged",
  acceptSimulated: false,
  challenges: times,
  attestationRoots: [],
} as const;
const stopping = new AbortController();
const loops: Promise<void>[] = [];
const duties: string[] = [];
let cluster: Cluster;
let operator: RunningOperator;

beforeAll(async () => {
  cluster = await startCluster({ workers: ["plain", "imposter", "cheat"], validators: ["v1", "v2", "v3"] });
  await cluster.order("order");
  await setHardware("plain", []);
  await setHardware("cheat", []);
  await setHardware("imposter", [{ uuid: "GPU-imposter", product: "NVIDIA A100-SXM4-80GB", memoryMiB: 81_920 }]);
  operator = await startOperator(cluster, { capability });
  startWorker("plain", (digests) => digests);
  startWorker("imposter", (digests) => digests);
  // One column of the answer is right; the others were never computed.
  startWorker("cheat", (digests) => Buffer.concat([digests.subarray(0, 4), Buffer.alloc(digests.length - 4, 1)]));
  for (const name of ["v1", "v2", "v3"]) startValidator(name);
}, 60_000);

afterAll(async () => {
  stopping.abort();
  await Promise.allSettled(loops);
  await operator?.stop();
  await cluster?.close();
});

async function setHardware(name: string, gpus: NonNullable<WorkerNodeStatus["hardware"]>["gpus"]): Promise<void> {
  const status: Partial<WorkerNodeStatus> = {
    tier: gpus.length > 0 ? "High" : "Low",
    capability: { level: "Inspected" },
    hardware: { source: gpus.length > 0 ? "NvidiaSmi" : "None", simulated: false, gpus },
  };
  await cluster.workers.applyStatus({ metadata: { name }, status });
}

function startWorker(name: string, forge: (digests: Uint8Array) => Uint8Array): void {
  const client = connect(cluster, operator, name);
  const run = async (...parts: Parameters<typeof runChallenge>) => {
    const result = await runChallenge(...parts);
    return { ...result, digests: forge(result.digests) };
  };
  loop(async () => {
    const { challenge } = await client.claim({ slots: 1, models: [], waitMs: 200 }, stopping.signal);
    if (!challenge) return;
    const account = cluster.member(name).signer.address;
    const context = { client, session, run, clock: systemClock, logger: silentLogger, account, collect: undefined };
    await answerChallenge(context, challenge, stopping.signal);
  });
}

function startValidator(name: string): void {
  const client = connect(cluster, operator, name);
  loop(async () => {
    const { duties: given } = await client.claim({ slots: 1, models: [], waitMs: 1_000 }, stopping.signal);
    for (const duty of given) {
      duties.push(duty.kind);
      if (duty.kind === "challenge")
        await checkChallenge({ client, session, run: runChallenge }, duty, stopping.signal);
    }
  });
}

function loop(turn: () => Promise<void>): void {
  const run = async () => {
    while (!stopping.signal.aborted) {
      // A claim without an answer comes back at once where the pool is just starting.
      await turn().catch(() => new Promise<void>((resolve) => setTimeout(resolve, 100)));
    }
  };
  loops.push(run());
}

const statusOf = async (name: string) => (await cluster.workers.get({ name })).status;
const condition = async (name: string) =>
  (await statusOf(name))?.conditions?.find(({ type }) => type === "CapabilityProven");
const poll = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 30_000 });

describe("a challenge", () => {
  test("is run, checked by one validator, and stands on the WorkerNode with its score", async () => {
    await poll(async () => (await statusOf("plain"))?.proven?.level).toBe("Challenged");
    const proven = (await statusOf("plain"))?.proven;
    expect(proven).toMatchObject({ tier: "Low", challenge: { outcome: "Passed", claim: "no GPU", provider: "cpu" } });
    expect(proven?.score).toBeGreaterThan(0);
    expect(proven?.challenge?.validators).toHaveLength(1);
    expect(await condition("plain")).toMatchObject({ status: "True", reason: "Challenged" });
  });

  test("is failed by a CPU that says it is an A100, whose GPUs then do not count", async () => {
    await poll(async () => (await condition("imposter"))?.reason).toBe("ChallengeFailed");
    const status = await statusOf("imposter");
    expect(status?.proven).toMatchObject({ level: "Inspected", tier: "Low", challenge: { outcome: "Failed" } });
    // Its agent goes on to say High: that is not what counts.
    expect(status?.tier).toBe("High");
    expect(status?.proven?.challenge?.message).toContain("1x NVIDIA A100-SXM4-80GB");
    await cluster.tasks.create(aTask("wants-high", { tier: "High" }));
    await poll(async () => {
      const task = await cluster.tasks.get({ namespace: "default", name: "wants-high" });
      return JSON.stringify(task.status?.conditions ?? []);
    }).toContain("below tier High");
  });

  test("that is answered with columns which were not computed is found by two validators, and no work is given", async () => {
    await poll(async () => (await condition("cheat"))?.reason).toBe("WrongResult");
    const status = await statusOf("cheat");
    expect(status?.proven).toMatchObject({ level: "Declared", challenge: { outcome: "Wrong" } });
    expect(status?.proven?.tier).toBeUndefined();
    expect(status?.proven?.challenge?.validators).toHaveLength(2);
    expect(status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
      status: "False",
      reason: "NotProven",
    });
  });

  test("counts after the operator is started again", async () => {
    await operator.stop();
    operator = await startOperator(cluster, { capability });
    await poll(async () => (await condition("plain"))?.reason).toBe("Challenged");
    expect((await condition("cheat"))?.reason).toBe("WrongResult");
    expect(duties).not.toContain("validate");
  });
});
