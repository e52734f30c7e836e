/** The operator is stopped in the middle of each stage; the next one finds everything in the cluster and on the chain. */
import { writeFile } from "node:fs/promises";
import { Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../../src/kube/client.ts";
import type { OperatorConfig } from "../../../src/operator/config.ts";
import type { Duty } from "../../../src/pool/duty.ts";
import {
  aTask,
  type Cluster,
  configMaps,
  type RunningOperator,
  startCluster,
  startOperator,
  system,
} from "./operator-fixture.ts";
import {
  connect,
  double,
  type Memory,
  type Running,
  runValidator,
  runWorker,
  signReceipt,
} from "./scripted-members.ts";

const validators = ["v1", "v2", "v3"];
const slowBatches = { batch: { maxAgeMs: 3_600_000, maxTasks: 1_024 }, mergeMs: 60_000 };
let cluster: Cluster;
let operator: RunningOperator;
const running: Running[] = [];
const memories = new Map<string, Memory>(validators.map((name) => [name, new Map()]));

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1", "w2", "w3"], validators });
  await cluster.order("order");
}, 60_000);

afterEach(async () => {
  await stopAll();
  await cluster.chain.provider.send("evm_setAutomine", [true]);
  await cluster.chain.provider.send("evm_mine", []);
});

afterAll(() => cluster?.close());

async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await operator.stop();
}

async function restart(change: Partial<OperatorConfig> = {}): Promise<void> {
  await stopAll();
  operator = await startOperator(cluster, change);
}

function startValidators(onDuty?: (duty: Duty) => "answer" | "ignore"): void {
  for (const name of validators) {
    const script = onDuty ? { onDuty } : {};
    running.push(runValidator(cluster, operator, name, { script, memory: memories.get(name)! }));
  }
}

const read = async (name: string) => (await cluster.tasks.get({ namespace: "default", name })).status;
const phaseOf = (name: string) => expect.poll(async () => (await read(name))?.phase, { timeout: 30_000 });
const validationOf = async (name: string) =>
  (await cluster.validations.list()).items.find(({ spec }) => spec.receipts.some(({ task }) => task === name));
const batchRecords = () =>
  createClient(cluster.transport, configMaps).list({
    namespace: system,
    labelSelector: "inferium.io/component=batch-record",
  });

describe("operator restarted", () => {
  test("while a task waits: it is run", async () => {
    operator = await startOperator(cluster);
    await cluster.tasks.create(aTask("waits"));
    await restart();
    startValidators();
    running.push(runWorker(cluster, operator, "w1"));
    await phaseOf("waits").toBe("Succeeded");
  });

  test("while a worker runs a task: its receipt is taken, and the claim is not given away", async () => {
    operator = await startOperator(cluster);
    await cluster.tasks.create(aTask("runs"));
    const before = connect(cluster, operator, "w1");
    const { assignments } = await before.claim({ slots: 1, models: [], waitMs: 10_000 });
    await before.close();
    await restart();
    const other = runWorker(cluster, operator, "w2");
    running.push(other);
    startValidators();
    const client = connect(cluster, operator, "w1");
    const assignment = assignments[0]!;
    const output = double(assignment.input);
    const receipt = await signReceipt(cluster.domain, cluster.member("w1"), { assignment, output });
    const outcome = { kind: "Completed", receipt, output, items: 1 } as const;
    const request = { namespace: "default", task: "runs", outcome };
    expect((await client.receipt(request)).status).toBe("Recorded");
    expect((await client.receipt(request)).status).toBe("Duplicate");
    await client.close();
    await phaseOf("runs").toBe("Succeeded");
    expect((await read("runs"))?.assignment).toMatchObject({ worker: "w1", attempt: 1 });
    expect(other.seen).toEqual([]);
  });

  test("between commitments and reveals: the panel is asked again and decides once", async () => {
    operator = await startOperator(cluster);
    running.push(runWorker(cluster, operator, "w1"));
    const seen: string[] = [];
    startValidators((duty) => {
      seen.push(duty.kind);
      return duty.kind === "reveal" ? "ignore" : "answer";
    });
    await cluster.tasks.create(aTask("half-voted"));
    await expect.poll(() => seen.filter((kind) => kind === "reveal").length, { timeout: 20_000 }).toBe(3);
    const asked = await validationOf("half-voted");
    await restart();
    startValidators();
    await phaseOf("half-voted").toBe("Succeeded");
    const decided = await validationOf("half-voted");
    expect(decided?.metadata.uid).toBe(asked?.metadata.uid);
    expect(decided?.status).toMatchObject({ phase: "Decided", verdicts: ["Accepted"] });
  });

  test("after the verdict and before the task says so: the verdict stands", async () => {
    operator = await startOperator(cluster, slowBatches);
    running.push(runWorker(cluster, operator, "w1"));
    startValidators();
    await cluster.tasks.create(aTask("judged"));
    await expect.poll(async () => (await validationOf("judged"))?.status?.phase, { timeout: 20_000 }).toBe("Decided");
    expect((await read("judged"))?.phase).toBe("Validating");
    await restart();
    startValidators();
    await phaseOf("judged").toBe("Succeeded");
    expect((await read("judged"))?.attempts).toBeUndefined();
  });

  test("while a rejected task waits for another worker: it is redone and the cheater slashed once", async () => {
    operator = await startOperator(cluster, slowBatches);
    running.push(runWorker(cluster, operator, "w3", { multiply: () => 7 }));
    startValidators();
    await cluster.tasks.create(aTask("cheated"));
    await expect.poll(async () => (await validationOf("cheated"))?.status?.phase, { timeout: 20_000 }).toBe("Decided");
    await restart();
    startValidators();
    running.push(runWorker(cluster, operator, "w1"));
    await phaseOf("cheated").toBe("Succeeded");
    await expect
      .poll(async () => (await read("cheated"))?.attempts?.[0]?.penaltyTxHash, { timeout: 10_000 })
      .toMatch(/^0x/);
    expect((await read("cheated"))?.attempts).toMatchObject([{ outcome: "Rejected", worker: "w3" }]);
    const { stakeWei } = await cluster.chain.node(cluster.member("w3").signer.address);
    expect(stakeWei).toBe(9_000n * 10n ** 18n);
  });

  test("while a batch collects signatures: the same header is settled", async () => {
    const { sequence } = await cluster.chain.lastBatch();
    operator = await startOperator(cluster);
    running.push(runWorker(cluster, operator, "w1"));
    let certified = 0;
    startValidators((duty) => (duty.kind === "certify" && ++certified > 1 ? "ignore" : "answer"));
    await cluster.tasks.create(aTask("half-signed"));
    await expect.poll(() => certified, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    const name = `inferium-batch-${String(sequence + 1n).padStart(12, "0")}`;
    const proposed = (await batchRecords()).items.find(({ metadata }) => metadata.name === name);
    expect(proposed?.data).toMatchObject({ state: "Proposed" });
    // A header made anew would carry another second.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await restart();
    startValidators();
    await phaseOf("half-signed").toBe("Succeeded");
    expect((await cluster.chain.lastBatch()).headerHash).toBe(proposed?.data?.headerHash);
  });

  test("while a settlement is under way: it is settled once", async () => {
    const { sequence } = await cluster.chain.lastBatch();
    operator = await startOperator(cluster);
    running.push(runWorker(cluster, operator, "w1"));
    startValidators();
    await cluster.chain.provider.send("evm_setAutomine", [false]);
    try {
      await cluster.tasks.create(aTask("in-flight"));
      // The panel is drawn from a later block; once it is, no block may come before the settlement hangs in the air.
      await expect.poll(() => validationOf("in-flight"), { timeout: 20_000, interval: 10 }).toBeDefined();
      cluster.setTicking(false);
      const pending = async () =>
        Number(await cluster.chain.provider.send("eth_getBlockTransactionCountByNumber", ["pending"]));
      await expect.poll(pending, { timeout: 20_000 }).toBe(1);
      await restart();
      startValidators();
    } finally {
      await cluster.chain.provider.send("evm_setAutomine", [true]);
      cluster.setTicking(true);
    }
    await phaseOf("in-flight").toBe("Succeeded");
    expect((await cluster.chain.lastBatch()).sequence).toBe(sequence + 1n);
    expect((await read("in-flight"))?.settlement?.batch).toBe(Number(sequence) + 1);
  });

  test("with another settler's key: the new account goes on where the old one was", async () => {
    const settlerOf = async (name: string) => {
      const transaction = await cluster.chain.provider.getTransaction((await read(name))?.settlement?.txHash ?? "");
      return transaction?.from;
    };
    operator = await startOperator(cluster);
    running.push(runWorker(cluster, operator, "w1"));
    startValidators();
    await cluster.tasks.create(aTask("old-key"));
    await phaseOf("old-key").toBe("Succeeded");
    const next = Wallet.createRandom();
    await cluster.chain.provider.send("anvil_setBalance", [next.address, "0xde0b6b3a7640000"]);
    const keyFile = `${cluster.config.tls.keyFile}.next-settler`;
    await writeFile(keyFile, next.privateKey);
    await restart({ chain: { ...cluster.config.chain, signer: { keyFile } } });
    running.push(runWorker(cluster, operator, "w1"));
    startValidators();
    await cluster.tasks.create(aTask("new-key"));
    await phaseOf("new-key").toBe("Succeeded");
    expect(await settlerOf("new-key")).toBe(next.address);
    expect(await settlerOf("old-key")).not.toBe(next.address);
  });

  test("while the chain is away: tasks run, the backlog shows, and everything resumes", async () => {
    operator = await startOperator(cluster);
    running.push(runWorker(cluster, operator, "w1"));
    startValidators();
    process.kill(cluster.anvilPid, "SIGSTOP");
    try {
      await cluster.tasks.create(aTask("offline"));
      await phaseOf("offline").toBe("Validating");
      const metrics = await (await fetch(`${operator.metricsUrl}/metrics`)).text();
      expect(metrics).toContain("inferium_settlement_backlog_tasks 1");
    } finally {
      process.kill(cluster.anvilPid, "SIGCONT");
    }
    await phaseOf("offline").toBe("Succeeded");
  });
});
