import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isConditionTrue } from "../../../src/api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../../../src/api/v1alpha1/generated/inferencetasks.ts";
import { endAttempt, failAttempt, failTask, nextAttempt, recordPenalty } from "../../../src/protocol/attempts.ts";
import {
  assignTask,
  commitTask,
  disputeTask,
  explainTask,
  overturnTask,
  refuseTask,
  reopenTask,
  settleTask,
  unsettleTask,
  validateTask,
} from "../../../src/protocol/lifecycle.ts";
import { isLegalPhase, newStatus, type Stage, stageOf } from "../../../src/protocol/task-stage.ts";

const context = { generation: 3, now: "2026-01-01T00:00:00Z" };
const because = { reason: "Because", message: "because" };

const step = {
  refuse: (status: InferenceTaskStatus) => refuseTask(status, { ...because, retry: true }, context),
  explain: (status: InferenceTaskStatus) => explainTask(status, because, context),
  assign: (status: InferenceTaskStatus) =>
    assignTask(
      status,
      { worker: "w", address: "0x1", attempt: nextAttempt(status), claimedAt: context.now, deadline: context.now },
      context,
    ),
  commit: (status: InferenceTaskStatus) => {
    const message = { attempt: status.assignment?.attempt ?? 1, startedAtMs: 1, endedAtMs: 3 };
    const receipt = { message, signature: "0x", digest: "0xd" } as unknown as NonNullable<
      InferenceTaskStatus["receipt"]
    >;
    return commitTask(status, { receipt, output: { digest: "sha256:x" } }, context);
  },
  validate: (status: InferenceTaskStatus) => validateTask(status, { result: "Accepted", accept: 2 }, context),
  reopen: (status: InferenceTaskStatus) => reopenTask(status, context),
  settle: (status: InferenceTaskStatus) =>
    settleTask(status, { batch: 1, index: 0, txHash: "0xt", rewardWei: "5" }, context),
  end: (status: InferenceTaskStatus) =>
    endAttempt(status, { ...because, outcome: "Expired", endedAt: context.now }, context),
  reject: (status: InferenceTaskStatus) =>
    endAttempt(status, { ...because, outcome: "Rejected", endedAt: context.now }, context),
  fail: (status: InferenceTaskStatus) => failTask(status, because, context),
};
type Step = keyof typeof step;
const walk = (...steps: Step[]) => steps.reduce((status, name) => step[name](status), newStatus);

test("a result that nobody checked says Unverified, in the verdict and in its condition", () => {
  const verdict = { result: "Unverified" as const, policy: "None", notProven: ["the result"] };
  const status = validateTask(walk("assign", "commit"), verdict, context);
  expect(status.verdict).toEqual(verdict);
  expect(status.conditions).toContainEqual(
    expect.objectContaining({
      type: "Validated",
      reason: "Unverified",
      message: expect.stringMatching(/^Nothing was checked/),
    }),
  );
});

/** From which stage each step may be taken, and to which it leads. */
const moves: Record<Step, { from: readonly Stage[]; to: Stage }> = {
  refuse: { from: ["Wait"], to: "Wait" },
  explain: { from: ["Wait"], to: "Wait" },
  assign: { from: ["Wait"], to: "Run" },
  commit: { from: ["Run"], to: "Judge" },
  validate: { from: ["Judge"], to: "Settle" },
  reopen: { from: ["Settle"], to: "Judge" },
  settle: { from: ["Settle"], to: "Done" },
  end: { from: ["Run", "Judge"], to: "Wait" },
  reject: { from: ["Judge"], to: "Wait" },
  fail: { from: ["Wait", "Run", "Judge"], to: "Done" },
};

describe("lifecycle", () => {
  test("the usual life leads from Wait to Done, with each condition on its way", () => {
    const settled = walk("assign", "commit", "validate", "settle");
    expect(settled.phase).toBe("Succeeded");
    const held = (settled.conditions ?? []).filter(({ status }) => status === "True").map(({ type }) => type);
    expect(held).toEqual([
      "Accepted",
      "Assigned",
      "Executed",
      "Committed",
      "Validated",
      "Settled",
      "Rewarded",
      "Ready",
    ]);
    expect(settled.observedGeneration).toBe(3);
  });

  test("law: any sequence of steps taken from the right stages is legal and ends where it should", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...(Object.keys(step) as Step[])), { maxLength: 40 }), (steps) => {
        let status = newStatus;
        for (const name of steps) {
          const stage = stageOf(status);
          if (!moves[name].from.includes(stage)) continue;
          const next = step[name](status);
          expect([name, stageOf(next)]).toEqual([name, moves[name].to]);
          expect(next.phase === status.phase || isLegalPhase(status.phase, next.phase)).toBe(true);
          const summary = ["Ready", "Reconciling", "Stalled"].filter((type) => isConditionTrue(next.conditions, type));
          expect(summary).toHaveLength(1);
          const types = (next.conditions ?? []).map(({ type }) => type);
          expect(new Set(types).size).toBe(types.length);
          status = next;
        }
      }),
      { numRuns: 500 },
    );
  });

  const illegal: { name: string; run: () => unknown }[] = [
    { name: "a settled task fail", run: () => step.fail(walk("assign", "commit", "validate", "settle")) },
    { name: "an accepted task fail", run: () => step.fail(walk("assign", "commit", "validate")) },
    { name: "a waiting task settle", run: () => step.settle(newStatus) },
    { name: "a running task settle", run: () => step.settle(walk("assign")) },
    { name: "an accepted task be rejected", run: () => step.reject(walk("assign", "commit", "validate")) },
  ];
  for (const { name, run } of illegal) {
    test(`nothing lets ${name}`, () => expect(run).toThrow(expect.objectContaining({ code: "IllegalTransition" })));
  }

  test("an attempt that ended leaves nothing but its record", () => {
    const status = walk("assign", "commit", "reject");
    expect(status).toMatchObject({ phase: "Queued", attempts: [{ attempt: 1, worker: "w", outcome: "Rejected" }] });
    for (const field of ["assignment", "receipt", "output", "verdict"]) expect(status).not.toHaveProperty(field);
    expect(status.conditions?.map(({ type }) => type)).not.toContain("Committed");
    expect(nextAttempt(status)).toBe(2);
  });

  test("attempts are numbered on, whatever their outcome", () => {
    expect(walk("assign", "end", "assign", "commit", "reject", "assign").assignment?.attempt).toBe(3);
  });

  test("a task may be preempted any number of times: what counts is kept, and attempts are numbered on", () => {
    const preempt = (status: InferenceTaskStatus) =>
      endAttempt(status, { ...because, outcome: "Preempted", endedAt: context.now }, context);
    let status = walk("assign", "end");
    for (let i = 0; i < 60; i++) status = preempt(step.assign(status));
    expect(status.attempts).toHaveLength(32);
    expect(status.attempts?.[0]).toMatchObject({ attempt: 1, outcome: "Expired" });
    expect(nextAttempt(status)).toBe(62);
  });

  const ends = [
    { steps: ["assign", "commit", "reject"] as Step[], outcome: "Rejected", want: "Rejected" },
    { steps: ["assign", "end"] as Step[], outcome: "Rejected", want: "Failed" },
    { steps: ["assign", "commit", "reject"] as Step[], outcome: "Expired", want: "Failed" },
  ] as const;
  for (const { steps, outcome, want } of ends) {
    test(`a task whose attempts ended ${steps.at(-1)} and then ${outcome} is ${want}`, () => {
      const ended = { ...because, outcome, endedAt: context.now } as const;
      expect(failAttempt(walk(...steps, "assign", "commit"), ended, context).phase).toBe(want);
    });
  }

  test("a penalty is noted on its attempt and does not move the task", () => {
    const before = walk("assign", "commit", "reject", "assign");
    const after = recordPenalty(before, { attempt: 1, txHash: "0xslash", fault: "DeadlineMissed" }, context);
    expect(after.attempts?.[0]?.penaltyTxHash).toBe("0xslash");
    expect(stageOf(after)).toBe("Run");
    expect(after.conditions?.find(({ type }) => type === "Slashed")).toMatchObject({
      status: "True",
      reason: "DeadlineMissed",
    });
  });

  test("the time of a condition is that of the last change of its status", () => {
    const assigned = walk("assign");
    const later = commitTask(
      assigned,
      { receipt: { message: { attempt: 1, startedAtMs: 0, endedAtMs: 0 } } as never, output: { digest: "" } },
      { generation: 3, now: "2026-01-01T00:01:00Z" },
    );
    const timeOf = (type: string) => later.conditions?.find((condition) => condition.type === type)?.lastTransitionTime;
    expect(timeOf("Assigned")).toBe(context.now);
    expect(timeOf("Committed")).toBe("2026-01-01T00:01:00Z");
  });
});

describe("a dispute over a settled result", () => {
  const settled = () => walk("assign", "commit", "validate", "settle");

  test("an open one shows, and moves nothing", () => {
    const status = disputeTask(settled(), { ...because, isOpen: true }, context);
    expect(isConditionTrue(status.conditions, "Disputed")).toBe(true);
    expect(status.phase).toBe("Succeeded");
    expect(isConditionTrue(status.conditions, "Ready")).toBe(true);
  });

  test("overturned, the task is rejected and its verdict says so; the settlement stays", () => {
    const open = disputeTask(settled(), { ...because, isOpen: true }, context);
    const status = overturnTask(open, { message: "a jury" }, context);
    expect(status.phase).toBe("Rejected");
    expect(status.verdict?.result).toBe("Overturned");
    expect(status.settlement?.batch).toBe(1);
    expect(stageOf(status)).toBe("Done");
    const held = ["Disputed", "Overturned", "Settled", "Ready", "Stalled"].map((type) =>
      isConditionTrue(status.conditions, type),
    );
    expect(held).toEqual([false, true, true, false, true]);
  });

  test("a reorganisation that takes the batch away and brings it back does not make it right", () => {
    const overturned = overturnTask(settled(), { message: "a jury" }, context);
    const unsettled = unsettleTask(overturned, because, context);
    expect(stageOf(unsettled)).toBe("Settle");
    const again = step.settle(unsettled);
    expect(again.phase).toBe("Rejected");
    expect(isConditionTrue(again.conditions, "Ready")).toBe(false);
    expect(isConditionTrue(again.conditions, "Overturned")).toBe(true);
  });
});
