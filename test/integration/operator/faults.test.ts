/** What goes wrong and what the operator makes of it: cheating, silence, late words, bad tasks. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isConditionTrue } from "../../../src/api/v1alpha1/conditions.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { createClient } from "../../../src/kube/client.ts";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import {
  aTask,
  type Cluster,
  configMaps,
  type RunningOperator,
  startCluster,
  startOperator,
} from "./operator-fixture.ts";
import { connect, double, type Running, runValidator, runWorker, signReceipt } from "./scripted-members.ts";

const validators = ["v1", "v2", "v3"];
let cluster: Cluster;
let operator: RunningOperator;
const running: Running[] = [];

beforeAll(async () => {
  cluster = await startCluster({ workers: ["w1", "w2"], validators });
  await cluster.order("order");
}, 60_000);

beforeEach(async () => {
  operator = await startOperator(cluster);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
  await operator.stop();
});

afterAll(() => cluster?.close());

const read = async (name: string) => (await cluster.tasks.get({ namespace: "default", name })).status;
const phaseOf = (name: string) => expect.poll(async () => (await read(name))?.phase, { timeout: 30_000 });
const startValidators = () => void running.push(...validators.map((name) => runValidator(cluster, operator, name)));
const conditionOf = async (name: string, type: string) =>
  (await read(name))?.conditions?.find((one) => one.type === type);

describe("operator", () => {
  test("a rejected result is slashed and redone by another worker of another owner", async () => {
    startValidators();
    const cheater = runWorker(cluster, operator, "w1", { multiply: () => 3 });
    running.push(cheater);
    await cluster.tasks.create(aTask("cheated"));
    await expect.poll(() => cheater.seen.length, { timeout: 10_000 }).toBe(1);
    running.push(runWorker(cluster, operator, "w2"));
    await phaseOf("cheated").toBe("Succeeded");
    await expect
      .poll(async () => (await read("cheated"))?.attempts?.[0]?.penaltyTxHash, { timeout: 10_000 })
      .toMatch(/^0x/);
    const status = await read("cheated");
    expect(status?.attempts).toMatchObject([
      { attempt: 1, worker: "w1", outcome: "Rejected", reason: "ResultRejected" },
    ]);
    expect(status?.assignment).toMatchObject({ attempt: 2, worker: "w2" });
    expect(isConditionTrue(status?.conditions, "Slashed")).toBe(true);
    expect(cheater.seen).toHaveLength(1);
    expect((await cluster.chain.node(cluster.member("w1").signer.address)).stakeWei).toBe(9_000n * oneToken);
    await expect
      .poll(async () => (await cluster.workers.get({ name: "w1" })).status, { timeout: 10_000 })
      .toMatchObject({
        bond: { state: "Underbonded" },
        reputation: { rejected: 1 },
        earnings: { slashedWei: String(1_000n * oneToken) },
      });
    await expect
      .poll(async () => (await cluster.workers.get({ name: "w2" })).status, { timeout: 10_000 })
      .toMatchObject({ reputation: { completed: 1 }, earnings: { creditedWei: String((8n * oneToken) / 10n) } });
  });

  test("a claim that lapses is given to somebody else, and the late receipt is superseded", async () => {
    // w1 was slashed below its bond by the test before: a second silent worker is w2 itself, which forgets its first claim.
    const held: WorkAssignment[] = [];
    startValidators();
    const forgetful = runWorker(cluster, operator, "w2", {
      multiply: (assignment) => {
        if (assignment.attempt > 1) return 2;
        held.push(assignment);
        return undefined;
      },
    });
    running.push(forgetful);
    await cluster.tasks.create(aTask("lapsed", { timeoutSeconds: 1 }));
    await phaseOf("lapsed").toBe("Succeeded");
    const status = await read("lapsed");
    expect(status?.attempts).toMatchObject([{ attempt: 1, worker: "w2", outcome: "Expired", reason: "ClaimExpired" }]);
    expect(status?.assignment?.attempt).toBe(2);
    const member = cluster.member("w2");
    const output = double(held[0]!.input);
    const receipt = await signReceipt(cluster.domain, member, { assignment: held[0]!, output });
    const client = connect(cluster, operator, "w2");
    const late = await client.receipt({
      namespace: "default",
      task: "lapsed",
      outcome: { kind: "Completed", receipt, output, items: 1 },
    });
    await client.close();
    expect(late.status).toBe("Superseded");
    expect((await read("lapsed"))?.assignment?.attempt).toBe(2);
  });

  const inadmissible = [
    { name: "no-order", change: { orderRef: { name: "absent" } }, want: { reason: "OrderMissing", phase: "Pending" } },
    {
      name: "unverified",
      change: { verification: { policy: "None", validators: 3, quorum: 2 } },
      want: { reason: "PolicyNotAllowed", phase: "Failed" },
    },
    { name: "too-dear", change: { reward: "11" }, want: { reason: "RewardAboveOrder", phase: "Pending" } },
  ] as const;
  for (const { name, change, want } of inadmissible) {
    test(`the inadmissible task ${name} says ${want.reason} at once and is not run`, async () => {
      const worker = runWorker(cluster, operator, "w2");
      running.push(worker);
      await cluster.tasks.create(aTask(name, change as Parameters<typeof aTask>[1]));
      await expect
        .poll(async () => (await conditionOf(name, "Accepted"))?.reason, { timeout: 10_000 })
        .toBe(want.reason);
      expect(await read(name)).toMatchObject({ phase: want.phase });
      expect((await conditionOf(name, "Accepted"))?.status).toBe("False");
      expect(worker.seen).toEqual([]);
    });
  }

  test("a task that nobody can take says why, once, and a suspended one does not run", async () => {
    running.push(runWorker(cluster, operator, "w2"));
    await cluster.tasks.create(aTask("too-high", { tier: "High" }));
    await cluster.tasks.create(aTask("resting", { suspend: true }));
    await expect
      .poll(async () => (await conditionOf("too-high", "Queued"))?.reason, { timeout: 10_000 })
      .toBe("NoWorkerFits");
    expect((await conditionOf("too-high", "Queued"))?.message).toBe(
      "0/2 workers: 1 not bonded, 1 below tier High; add a worker of tier High, or lower spec.tier",
    );
    expect(await read("resting")).toMatchObject({ phase: "Pending" });
    const { resourceVersion } = (await cluster.tasks.get({ namespace: "default", name: "too-high" })).metadata;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await cluster.tasks.get({ namespace: "default", name: "too-high" })).metadata.resourceVersion).toBe(
      resourceVersion,
    );
  });

  test("a task that is held says what for, until that has passed", async () => {
    startValidators();
    running.push(runWorker(cluster, operator, "w2"));
    const reasonOf = (name: string, type = "Queued") =>
      expect.poll(async () => (await conditionOf(name, type))?.reason, { timeout: 20_000 });
    await cluster.tasks.create(aTask("held", { dependsOn: ["paused", "late"] }));
    await cluster.tasks.create(aTask("paused", { suspend: true }));
    await cluster.tasks.create(aTask("round-1", { dependsOn: ["round-2"] }));
    await cluster.tasks.create(aTask("no-input", { input: { configMapRef: { name: "numbers", key: "x" } } }));
    await reasonOf("held").toBe("DependencyMissing");
    await reasonOf("paused").toBe("Suspended");
    await reasonOf("no-input").toBe("InputUnavailable");
    await cluster.tasks.create(aTask("late"));
    await cluster.tasks.create(aTask("round-2", { dependsOn: ["round-1"] }));
    await reasonOf("held").toBe("DependenciesPending");
    // Whichever of the two is looked at first finds it.
    await reasonOf("round-1", "Stalled").toMatch(/^Dependency(Cycle|Failed)$/);
    await reasonOf("round-2", "Stalled").toMatch(/^Dependency(Cycle|Failed)$/);
    const ends = await Promise.all(["round-1", "round-2"].map((name) => conditionOf(name, "Stalled")));
    expect(ends.map((end) => end?.reason)).toContain("DependencyCycle");
    const patch = { spec: { suspend: false } };
    await cluster.tasks.patch({ namespace: "default", name: "paused" }, { kind: "merge", body: patch });
    const data = { x: JSON.stringify({ x: { dtype: "int32", shape: [2], data: [3, 4] } }) };
    await createClient(cluster.transport, configMaps).create({
      ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "numbers", namespace: "default" }, data },
    });
    for (const name of ["paused", "late", "held", "no-input"]) await phaseOf(name).toBe("Succeeded");
  });

  test("what can never run is refused by the API server", async () => {
    const create = (change: Partial<TaskObject["spec"]>) => cluster.tasks.create(aTask("alone", change));
    await expect(create({ dependsOn: ["alone"] })).rejects.toThrow("a task cannot depend on itself");
    const { model } = aTask("alone").spec;
    const other = { ...model, uri: "ftp://models.test/double.onnx" };
    await expect(create({ model: other })).rejects.toThrow("spec.model.uri in body should match");
  });

  test("a failure that every worker would meet fails the task at once", async () => {
    const client = connect(cluster, operator, "w2");
    await cluster.tasks.create(aTask("hopeless"));
    const { assignments } = await client.claim({ slots: 1, models: [], waitMs: 10_000 });
    const [assignment] = assignments;
    const { taskId, attempt } = assignment!;
    const outcome = {
      kind: "Failed",
      taskId,
      attempt,
      reason: "DigestMismatch",
      message: "not the model",
      retryable: false,
    } as const;
    expect((await client.receipt({ namespace: "default", task: "hopeless", outcome })).status).toBe("Recorded");
    expect(await read("hopeless")).toMatchObject({
      phase: "Failed",
      attempts: [{ outcome: "Failed", reason: "DigestMismatch" }],
    });
    expect((await conditionOf("hopeless", "Stalled"))?.status).toBe("True");
    await client.close();
  });

  test("a receipt over another output than came with it is refused, and the claim stands", async () => {
    const client = connect(cluster, operator, "w2");
    await cluster.tasks.create(aTask("mismatched"));
    const { assignments } = await client.claim({ slots: 1, models: [], waitMs: 10_000 });
    const assignment = assignments[0]!;
    const receipt = await signReceipt(cluster.domain, cluster.member("w2"), {
      assignment,
      output: double(assignment.input),
    });
    const outcome = { kind: "Completed", receipt, output: double(assignment.input, 5), items: 1 } as const;
    await expect(client.receipt({ namespace: "default", task: "mismatched", outcome })).rejects.toMatchObject({
      code: "InvalidReceipt",
    });
    expect(await read("mismatched")).toMatchObject({ phase: "Assigned" });
    await client.close();
  });

  test("a panel that cannot agree is followed by none where no larger one exists, and nobody is paid or slashed", async () => {
    const abstaining = validators.map((name) =>
      runValidator(cluster, operator, name, { script: { vote: () => "Abstain" } }),
    );
    running.push(...abstaining, runWorker(cluster, operator, "w2"));
    await cluster.tasks.create(aTask("unclear"));
    await phaseOf("unclear").toBe("Failed");
    expect(await read("unclear")).toMatchObject({
      verdict: { result: "Inconclusive", abstain: 3 },
      attempts: [{ outcome: "Inconclusive" }],
    });
    expect((await cluster.chain.node(cluster.member("w2").signer.address)).stakeWei).toBe(10_000n * oneToken);
  });

  test("a panel decides also where somebody has written on its Validation meanwhile", async () => {
    const annotated: string[] = [];
    const body = { metadata: { annotations: { "example.com/seen": "yes" } } };
    const members = validators.map((name) =>
      runValidator(cluster, operator, name, {
        script: {
          onDuty: async (duty): Promise<"answer"> => {
            if (duty.kind !== "validate" || annotated.includes(duty.validation)) return "answer";
            annotated.push(duty.validation);
            await cluster.validations.patch({ namespace: "default", name: duty.validation }, { kind: "merge", body });
            return "answer";
          },
        },
      }),
    );
    running.push(...members, runWorker(cluster, operator, "w2"));
    await cluster.tasks.create(aTask("written-on"));
    await phaseOf("written-on").toBe("Succeeded");
    expect(annotated).toHaveLength(1);
  });

  test("where a task is deleted before its panel has it, the others of its group are heard by a new panel", async () => {
    // Both results belong into one group, however slowly they come.
    const validation = { ...cluster.config.validation, windowMs: 3_000 };
    await operator.stop();
    operator = await startOperator(cluster, { validation });
    running.push(runWorker(cluster, operator, "w2"));
    const ignoring = validators.map((name) =>
      runValidator(cluster, operator, name, { script: { onDuty: () => "ignore" } }),
    );
    for (const name of ["stays", "goes"]) await cluster.tasks.create(aTask(name));
    const groupOf = async (name: string) =>
      (await cluster.validations.list()).items.find(({ spec }) => spec.receipts.some(({ task }) => task === name));
    await expect.poll(async () => (await groupOf("goes"))?.spec.receiptCount, { timeout: 10_000 }).toBe(2);
    await Promise.all(ignoring.map((member) => member.stop()));
    await operator.stop();
    await cluster.tasks.delete({ namespace: "default", name: "goes" });
    operator = await startOperator(cluster);
    startValidators();
    await phaseOf("stays").toBe("Succeeded");
    expect((await groupOf("stays"))?.spec.receiptCount).toBe(1);
  });

  test("a task whose dependency failed fails, and one whose dependency succeeded runs", async () => {
    startValidators();
    running.push(runWorker(cluster, operator, "w2"));
    await cluster.tasks.create(aTask("after-hopeless", { dependsOn: ["hopeless"] }));
    await cluster.tasks.create(aTask("second", { dependsOn: ["first"] }));
    await phaseOf("after-hopeless").toBe("Failed");
    await phaseOf("second").toBe("Pending");
    await cluster.tasks.create(aTask("first"));
    await phaseOf("second").toBe("Succeeded");
  });

  test("a task whose time to live is over is deleted", async () => {
    startValidators();
    running.push(runWorker(cluster, operator, "w2"));
    await cluster.tasks.create(aTask("brief", { ttlSecondsAfterFinished: 5 }));
    await phaseOf("brief").toBe("Succeeded");
    await expect
      .poll(() => cluster.tasks.get({ namespace: "default", name: "brief" }).catch((error) => error.reason), {
        timeout: 10_000,
      })
      .toBe("NotFound");
  });
});
