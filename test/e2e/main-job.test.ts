/**
 * The main job as a user sees it: `inferium up --once --output json` on an empty folder, then what is left behind.
 * Everything is real but the hardware: API server, kubelets, operator, workers, validators, contracts on a local chain.
 * With KUBECONFIG or KUBEBUILDER_ASSETS set, on that API server instead of the embedded one; see test-cluster.ts.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Summary } from "../../src/embedded/demo/summary.ts";
import { findProcesses } from "../support/find-processes.ts";
import { type Finished, startInferium } from "../support/run-command.ts";
import { openTestCluster, type TestCluster } from "../support/test-cluster.ts";

let dir = "";
let cluster: TestCluster | undefined;
let result: Finished;
let summary: Summary;

describe("the main job", () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "inferium-e2e-"));
    cluster = await openTestCluster();
    // Without a real cluster the command is to start its own, as a user would.
    const target = cluster.kind === "embedded" ? [] : ["--kubeconfig", cluster.kubeconfigPath];
    result = await (await startInferium(["up", "--once", "--output", "json", "--dir", join(dir, "run"), ...target]))
      .done;
    const last = result.stdout.trim().split("\n").at(-1) ?? "";
    expect(result.code, result.stderr).toBe(0);
    summary = JSON.parse(last);
  }, 280_000);

  afterAll(async () => {
    await cluster?.close();
    await rm(dir, { recursive: true, force: true });
  });

  test("every task is executed, validated and settled", () => {
    expect(summary.tasks.submitted).toBe(105);
    expect(summary.tasks.succeeded).toBe(summary.tasks.submitted);
    expect(summary.tasks.failed).toBe(0);
    expect(summary.chain.tasksSettled).toBe(summary.tasks.submitted);
    expect(summary.chain.batches).toBeGreaterThan(0);
    expect(summary.chain.gasPerTask).toBeGreaterThan(0);
  });

  test("all ten thousand images are classified as well as the model can", () => {
    expect(summary.inferences).toBeGreaterThan(10_000);
    expect(summary.accuracy.mnist).toBeGreaterThan(0.97);
    expect(summary.accuracy.mnist).toBeLessThan(1);
  });

  test("speech is found where the recording has it", () => {
    expect(summary.speech.segments.length).toBeGreaterThan(0);
    for (const { startSeconds, endSeconds } of summary.speech.segments) {
      expect(endSeconds).toBeGreaterThan(startSeconds);
      expect(endSeconds).toBeLessThanOrEqual(summary.speech.seconds + 0.1);
    }
  });

  test("the cheater's task is rejected, redone by another worker, and the cheater alone is slashed", () => {
    expect(summary.tasks.rejected).toBe(1);
    const slashed = summary.workers.filter((worker) => worker.slashedWei !== "0");
    expect(slashed.map((worker) => worker.name)).toEqual(["gpu-mid-rtx"]);
    // A tenth of the bond of 10,000 IFR for the rejected result, and as much again for the overturned one.
    expect(slashed[0]?.slashedWei).toBe((2_000n * 10n ** 18n).toString());
  });

  test("a wrong result that a lazy validator approved is disputed and overturned, and costs it stake and seat", () => {
    expect(summary.disputes).toHaveLength(1);
    const [dispute] = summary.disputes;
    expect(dispute).toMatchObject({ task: "disputed-by-design", outcome: "Overturned", challenger: "cpu-validator-1" });
    expect(dispute?.slashed).toEqual([{ validator: "cpu-validator-lazy", wei: (50_000n * 10n ** 18n).toString() }]);
    expect(dispute?.workers).toEqual([{ worker: "gpu-mid-rtx", wei: (1_000n * 10n ** 18n).toString() }]);
    expect([...(dispute?.jury ?? [])].sort()).toEqual(["cpu-validator-2", "cpu-validator-3"]);
    expect(dispute?.votes).toEqual({ wrong: 2, right: 0 });
  });

  test("the models are scanned and approved by validators, the integer one for comparing bits", () => {
    expect(summary.models).toMatchObject([
      { name: "mnist-int8", approved: true, policies: ["Exact", "Tolerance", "ZeroKnowledge"] },
      { name: "silero-vad-v5", approved: true, policies: ["Tolerance"] },
    ]);
    for (const { validators } of summary.models) expect(validators).toBeGreaterThanOrEqual(2);
  });

  test("owners change a parameter by a vote with their bonds", () => {
    expect(summary.proposals).toHaveLength(1);
    const [proposal] = summary.proposals;
    expect(proposal).toMatchObject({ change: "slashing.missedBps from 100 bps to 200 bps", outcome: "Executed" });
    // The owners of three validators and of two workers for, of one worker against.
    expect(proposal?.votes).toMatchObject({
      forWei: (170_000n * 10n ** 18n).toString(),
      againstWei: (10_000n * 10n ** 18n).toString(),
    });
  });

  test("an agent answers calls through a gateway, and what they cost is settled and shared", () => {
    expect(summary.agents).toHaveLength(1);
    const [agent] = summary.agents;
    const revenue = 64n * 10n ** 16n;
    expect(agent).toMatchObject({ agent: "digits", host: "gpu-mid-l4", calls: 64, revenueWei: String(revenue) });
    expect(agent?.correct).toBeGreaterThanOrEqual(60);
    expect(agent?.windows).toBeGreaterThanOrEqual(1);
    const { creator = "0", host = "0", validators = "0", treasury = "0" } = agent?.split ?? {};
    const shared = [creator, host, validators, treasury].reduce((sum, wei) => sum + BigInt(wei), 0n);
    expect(shared).toBe(revenue);
    expect([host, treasury].map(BigInt)).toEqual([revenue / 4n, revenue / 20n]);
  });

  test("a leaderboard ranks three models on all test images, and shares a rank where the images cannot tell", () => {
    expect(summary.leaderboards).toHaveLength(1);
    const [board] = summary.leaderboards;
    expect(board).toMatchObject({ name: "mnist-digits", rows: 10_000, tasks: 18, runs: 1, outcome: "Succeeded" });
    expect(board?.ranking.map(({ rank, tied, model }) => [rank, tied, model])).toEqual([
      [1, true, "convolutional"],
      [1, true, "perceptron"],
      [3, false, "linear"],
    ]);
    const perceptron = board?.ranking.find(({ model }) => model === "perceptron");
    // The same model on the same images as in the other tasks.
    expect(Number(perceptron?.metrics[0]?.value)).toBe(summary.accuracy.mnist);
  });

  test("honest workers of all three tiers are paid by the chain", () => {
    const honest = summary.workers.filter((worker) => worker.slashedWei === "0");
    expect(honest.map((worker) => worker.tier).sort()).toEqual(["High", "Low", "Mid"]);
    for (const worker of honest) {
      expect(worker.tasks).toBeGreaterThan(0);
      expect(BigInt(worker.paidWei)).toBeGreaterThan(0n);
    }
  });

  test("some results are proven in zero knowledge, and the chain refuses bad proofs by name", () => {
    const { zk } = summary;
    expect(zk).toMatchObject({ tasks: 3, proven: 3, fellBack: 0, setup: "development" });
    expect(zk.proveSeconds.median).toBeGreaterThan(0);
    expect(zk.constraints).toBeGreaterThan(1_000);
    expect(zk.gasPerProof).toBeGreaterThan(200_000);
    expect(zk.gasPerProof).toBeLessThan(400_000);
    expect(zk.refused).toEqual({ forgedResult: "InvalidProof", anotherTask: "AnotherTask" });
  });

  test("a task costs at most four status writes", () => {
    expect(summary.apiWritesPerTask).toBeGreaterThan(1);
    expect(summary.apiWritesPerTask).toBeLessThanOrEqual(4);
  });

  test("no process and no lock is left behind", async () => {
    expect(await findProcesses(dir)).toEqual([]);
    expect(await readdir(join(dir, "run"))).not.toContain("up.pid");
  });
});
