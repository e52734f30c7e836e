/** The operator's state is lost and brought back from a backup: nothing that was paid is run, and nothing is paid twice. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labels } from "../../../src/api/v1alpha1/labels.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { addClientCommands } from "../../../src/cli/commands.ts";
import { createClient } from "../../../src/kube/client.ts";
import { configMaps, leases } from "../../../src/kube/core-resources.ts";
import { aTask, type Cluster, startCluster, startOperator, system } from "../operator/operator-fixture.ts";
import { type Memory, type Running, runValidator, runWorker } from "../operator/scripted-members.ts";

const validators = ["v1", "v2", "v3"];
const memories = new Map<string, Memory>(validators.map((name) => [name, new Map()]));
let cluster: Cluster;
let folder: string;
let file: string;
let out: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inferium-backup-"));
  file = join(folder, "backup.json");
  cluster = await startCluster({ workers: ["w1"], validators });
  await cluster.order("order");
}, 60_000);
afterAll(async () => {
  await cluster?.close();
  await rm(folder, { recursive: true, force: true });
});

async function inferium(...args: string[]): Promise<void> {
  out = [];
  const program = new Command("inferium").exitOverride().configureOutput({ writeErr: () => undefined });
  addClientCommands(program, {
    env: { KUBECONFIG: [cluster.config.kubeconfigPath].flat()[0] },
    io: { out: (line) => out.push(line), note: (line) => out.push(line) },
    clock: systemClock,
    signal: new AbortController().signal,
    setExitStatus: () => undefined,
  });
  await program.parseAsync(args, { from: "user" });
}

/** An operator with its members, until all named tasks are settled. @returns the tasks that the worker was given */
async function settle(names: readonly string[]): Promise<string[]> {
  const operator = await startOperator(cluster);
  const members: Running[] = validators.map((name) =>
    runValidator(cluster, operator, name, { memory: memories.get(name) ?? new Map() }),
  );
  const worker = runWorker(cluster, operator, "w1");
  try {
    for (const name of names)
      await expect
        .poll(async () => (await cluster.tasks.get({ namespace: "default", name })).status?.phase, { timeout: 30_000 })
        .toBe("Succeeded");
  } finally {
    await Promise.all([worker, ...members].map((member) => member.stop()));
    await operator.stop();
  }
  return worker.seen.map(({ task }) => task);
}

const records = () => createClient(cluster.transport, configMaps);
const recordsOf = { namespace: system, labelSelector: labels.component };

/** Everything that a lost etcd takes with it, but for Secrets. */
async function loseEverything(): Promise<void> {
  for (const { metadata } of (await records().list(recordsOf)).items)
    await records().delete({ namespace: system, name: metadata.name });
  for (const { metadata } of (await cluster.tasks.list()).items)
    await cluster.tasks.delete({ namespace: metadata.namespace ?? "", name: metadata.name });
  for (const { metadata } of (await cluster.validations.list()).items)
    await cluster.validations.delete({ namespace: metadata.namespace ?? "", name: metadata.name });
  for (const { metadata } of (await cluster.workers.list()).items)
    await cluster.workers.delete({ name: metadata.name });
}

test("state that is lost and restored: paid tasks stay paid, those in flight are run, none is paid twice", async () => {
  for (const name of ["paid-1", "paid-2"]) await cluster.tasks.create(aTask(name));
  expect((await settle(["paid-1", "paid-2"])).sort()).toEqual(["paid-1", "paid-2"]);
  const before = await cluster.chain.lastBatch();
  const settlement = (await cluster.tasks.get({ namespace: "default", name: "paid-1" })).status?.settlement;
  await cluster.tasks.create(aTask("waiting"));
  await inferium("backup", "--out", file);
  expect(out[0]).toMatch(/: \d+ records, 3 tasks, 4 members$/);
  expect(await readFile(file, "utf8")).not.toContain("order.json");

  await loseEverything();
  await inferium("restore", file, "--resubmit");
  expect(out.join("\n")).toContain("2 tasks that are over came back with their status.");
  expect(out.join("\n")).toContain("1 tasks were in flight and are new tasks now:\n  default/waiting");
  const back = await cluster.tasks.get({ namespace: "default", name: "paid-1" });
  expect(back.status?.settlement).toEqual(settlement);
  expect((await cluster.workers.get({ name: "w1" })).status?.tier).toBe("Mid");

  await cluster.tasks.create(aTask("after"));
  // The worker is given what was in flight and what is new, and nothing that was paid.
  expect((await settle(["waiting", "after"])).sort()).toEqual(["after", "waiting"]);
  const last = await cluster.chain.lastBatch();
  expect(last.sequence).toBeGreaterThan(before.sequence);
  // Cumulative: four tasks at one token each, none counted again.
  expect(last.settledWei).toBe(4n * 10n ** 18n);
});

test("a restore over records that are there, or beside an operator that leads, is refused", async () => {
  await expect(inferium("restore", file)).rejects.toThrow("They are not written over");
  const renewTime = new Date().toISOString().replace("Z", "000Z");
  const spec = { holderIdentity: "operator-0", renewTime, acquireTime: renewTime, leaseDurationSeconds: 3_600 };
  const lease = { metadata: { name: "inferium-operator-test-pool", namespace: system }, spec };
  await createClient(cluster.transport, leases).apply(lease);
  await expect(inferium("restore", file)).rejects.toThrow("The operator operator-0 leads in namespace inferium-system");
  await createClient(cluster.transport, leases).delete({ namespace: system, name: "inferium-operator-test-pool" });
});

test("a backup from before the last batch settles nothing, and says what is missing", async () => {
  await loseEverything();
  await inferium("restore", file);
  expect(out.join("\n")).toContain("1 tasks were in flight and stay away: --resubmit runs them anew");
  await cluster.tasks.create(aTask("too-early"));
  const before = await cluster.chain.lastBatch();
  await expect(settleFor("too-early", 2_000)).resolves.toBe("Settling");
  expect(await cluster.chain.lastBatch()).toEqual(before);
});

async function settleFor(name: string, ms: number): Promise<string | undefined> {
  const operator = await startOperator(cluster);
  const running = [
    runWorker(cluster, operator, "w1"),
    ...validators.map((validator) =>
      runValidator(cluster, operator, validator, { memory: memories.get(validator) ?? new Map() }),
    ),
  ];
  const phase = async () => (await cluster.tasks.get({ namespace: "default", name })).status?.phase;
  try {
    await expect.poll(phase, { timeout: 30_000 }).toBe("Settling");
    await new Promise((resolve) => setTimeout(resolve, ms));
    return await phase();
  } finally {
    await Promise.all(running.map((member) => member.stop()));
    await operator.stop();
  }
}

test("what is no backup is refused", async () => {
  await writeFile(join(folder, "other.json"), "{}");
  await expect(inferium("restore", join(folder, "other.json"))).rejects.toThrow("is no backup");
  await expect(inferium("restore", join(folder, "absent.json"))).rejects.toThrow("is no backup");
});
