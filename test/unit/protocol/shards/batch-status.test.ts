import { describe, expect, test } from "vitest";
import type { InferenceTaskStatus } from "../../../../src/api/v1alpha1/generated/inferencetasks.ts";
import {
  type BatchFacts,
  countShards,
  decideBatchStatus,
  type ShardState,
  shardStateOf,
} from "../../../../src/protocol/shards/batch-status.ts";
import type { CopyState } from "../../../../src/protocol/shards/decide-copy.ts";
import { newStatus, stageOf } from "../../../../src/protocol/task-stage.ts";

const context = { generation: 1, now: "2026-01-01T00:00:00Z" };
const times = (count: number, state: ShardState) => Array.from({ length: count }, () => state);
const counts = (...states: ShardState[]) => countShards(states, 0);
const because = { reason: "ShardFailed", message: "Shard 1 did not succeed." };
const result = {
  output: { digest: `sha256:${"0".repeat(64)}`, items: 8 },
  verdict: { result: "Accepted" as const, policy: "Exact" },
};
const settled = { rewardWei: 5n, message: "All are settled." };
const all = counts(...times(4, "Succeeded"));

/** The status after each of the facts, of which those that are no news are skipped; and how many were news. */
function play(...steps: BatchFacts[]): { status: InferenceTaskStatus; writes: number } {
  let [status, writes] = [newStatus, 0];
  for (const facts of steps) {
    const next = decideBatchStatus(status, facts, context);
    if (!next) continue;
    status = next;
    writes += 1;
  }
  return { status, writes };
}
const conditionOf = ({ status }: { status: InferenceTaskStatus }, type: string) =>
  status.conditions?.find((condition) => condition.type === type);

describe("a batch's status", () => {
  test("is written six times at most, however many shards there are", () => {
    const total = 256;
    const steps = Array.from({ length: total + 1 }, (_, done) => ({
      counts: counts(...times(done, "Succeeded"), ...times(total - done, done % 2 === 0 ? "Running" : "Queued")),
    }));
    const last = { counts: counts(...times(total, "Succeeded")), result };
    const { status, writes } = play(...steps.slice(0, -1), last, last, { ...last, settled });
    expect(writes).toBeLessThanOrEqual(6);
    expect(status).toMatchObject({
      phase: "Succeeded",
      output: { items: 8 },
      shards: { progress: "256/256", rewardWei: "5" },
    });
    expect(JSON.stringify(status).length).toBeLessThan(4_096);
  });

  test("says why no shard is claimed, once for each reason, and that a hold has passed", () => {
    const waiting = { reason: "NoWorkerFits", message: "Shard 0: 0/1 workers" };
    const facts = { counts: counts(...times(4, "Queued")) };
    const told = play(facts, { ...facts, waiting }, { ...facts, waiting: { ...waiting, message: "other words" } });
    expect(told.writes).toBe(1);
    expect(conditionOf(told, "Queued")).toMatchObject({ status: "True", ...waiting });
    const held = {
      type: "Queued",
      status: "False" as const,
      reason: "Suspended",
      message: "",
      lastTransitionTime: context.now,
    };
    const passed = decideBatchStatus({ ...newStatus, conditions: [held] }, facts, context);
    expect(passed?.conditions?.find(({ type }) => type === "Queued")).toMatchObject({
      status: "True",
      reason: "Waiting",
    });
  });

  const cases: { name: string; steps: BatchFacts[]; phase: string; stage: string }[] = [
    {
      name: "runs with the first claim",
      steps: [{ counts: counts("Running", "Queued") }],
      phase: "Assigned",
      stage: "Run",
    },
    {
      name: "waits for settlement with all results",
      steps: [{ counts: all, result }],
      phase: "Settling",
      stage: "Settle",
    },
    { name: "may be done at once", steps: [{ counts: all, result, settled }], phase: "Succeeded", stage: "Done" },
    { name: "fails with a shard", steps: [{ counts: all, failure: because }], phase: "Failed", stage: "Done" },
    {
      name: "is rejected where a shard fails after its result was there",
      steps: [
        { counts: all, result },
        { counts: all, failure: because },
      ],
      phase: "Rejected",
      stage: "Done",
    },
    {
      name: "waits again where a shard is settled no more",
      steps: [{ counts: all, result, settled }, { counts: all }],
      phase: "Settling",
      stage: "Settle",
    },
    {
      name: "is rejected where a jury overturned a shard",
      steps: [
        { counts: all, result, settled },
        { counts: all, failure: because },
      ],
      phase: "Rejected",
      stage: "Done",
    },
    {
      name: "stays failed, whatever else comes",
      steps: [
        { counts: all, failure: because },
        { counts: all, result, settled },
      ],
      phase: "Failed",
      stage: "Done",
    },
  ];
  for (const { name, steps, phase, stage } of cases) {
    test(name, () => {
      const { status } = play(...steps);
      expect([status.phase, stageOf(status)]).toEqual([phase, stage]);
    });
  }
});

describe("a shard's state", () => {
  const cases: { name: string; copies: [CopyState, CopyState?]; want: ShardState }[] = [
    { name: "is its only copy's", copies: ["Running"], want: "Running" },
    { name: "is done with the first result", copies: ["Running", "Won"], want: "Succeeded" },
    { name: "is open while a receipt is judged, also beside a result", copies: ["Won", "Judged"], want: "Validating" },
    { name: "runs while one copy does", copies: ["Lost", "Running"], want: "Running" },
    { name: "waits with a copy that waits", copies: ["Waiting", "Lost"], want: "Queued" },
    { name: "is lost with its last copy", copies: ["Lost", "Lost"], want: "Failed" },
    { name: "is lost with its only copy", copies: ["Lost"], want: "Failed" },
  ];
  for (const { name, copies, want } of cases) test(name, () => expect(shardStateOf(...copies)).toBe(want));
});
