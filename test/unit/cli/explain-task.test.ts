import { describe, expect, test } from "vitest";
import type { InferenceTask, Validation } from "../../../src/api/v1alpha1/types.ts";
import { explainTask, formatExplanation } from "../../../src/cli/explain-task.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import { toTrainingOutputs } from "../../../src/protocol/training.ts";

const condition = (type: string, status: string, message: string) => ({
  type,
  status,
  reason: "Because",
  message,
  lastTransitionTime: "2026-01-01T00:00:00Z",
});
const aTask = (status?: object, spec: object = {}) =>
  ({
    metadata: { name: "t", namespace: "ns", uid: "u2" },
    spec: { suspend: false, ...spec },
    status,
  }) as unknown as InferenceTask;

describe("why", () => {
  const cases: readonly { name: string; task: InferenceTask; want: string }[] = [
    { name: "no operator has seen it", task: aTask(), want: "No operator has taken it up yet" },
    { name: "it is suspended", task: aTask({ phase: "Pending" }, { suspend: true }), want: "It is suspended" },
    {
      name: "it waits",
      task: aTask({ phase: "Queued", conditions: [condition("Reconciling", "True", "0/3 workers: 2 busy")] }),
      want: "0/3 workers: 2 busy",
    },
    {
      name: "it has failed, whatever else still holds",
      task: aTask({
        phase: "Failed",
        conditions: [
          condition("Reconciling", "True", "no"),
          condition("Ready", "False", "no"),
          condition("Stalled", "True", "no retries left"),
        ],
      }),
      want: "no retries left",
    },
    {
      name: "it is settled",
      task: aTask({ phase: "Succeeded", conditions: [condition("Ready", "True", "Batch 1 in transaction 0x1.")] }),
      want: "Batch 1 in transaction 0x1.",
    },
  ];
  test.each(cases)("$name", ({ task, want }) => {
    expect(explainTask(task).why).toContain(want);
  });
});

test("stages come in the order of the flow, without those that sum up", () => {
  const conditions = ["Ready", "Assigned", "Accepted", "Queued"].map((type) => condition(type, "True", "m"));
  expect(explainTask(aTask({ conditions })).stages.map(({ type }) => type)).toEqual(["Accepted", "Queued", "Assigned"]);
});

const validation = {
  metadata: { name: "val" },
  spec: {
    receipts: [
      { uid: "u1", digest: "0x1" },
      { uid: "u2", digest: "0x2" },
    ],
    validators: [
      { name: "v1", address: "0xAA" },
      { name: "v2", address: "0xBB" },
    ],
  },
  status: { validators: [{ address: "0xaa", state: "Revealed", votes: ["Reject", "Accept"] }] },
} as unknown as Validation;

test("votes are those for this task's receipt, and of every member of the panel", () => {
  expect(explainTask(aTask({}), validation).votes).toEqual([
    { validator: "v1", state: "Revealed", vote: "Accept" },
    { validator: "v2", state: "Pending" },
  ]);
});

test("a validation of other tasks has no votes on this one", () => {
  const other = { ...validation, spec: { ...validation.spec, receipts: [] } };
  expect(explainTask(aTask({}), other).votes).toEqual([]);
});

test("prints all of it for people", () => {
  const task = aTask({
    phase: "Succeeded",
    conditions: [condition("Accepted", "True", "fine"), condition("Ready", "True", "Done well.")],
    attempts: [{ attempt: 1, worker: "w1", outcome: "Rejected", reason: "QuorumRejected", penaltyTxHash: "0xdead" }],
    verdict: { result: "Accepted", accept: 2, reject: 0, notProven: ["the worker's hardware"] },
    settlement: { batch: 3, index: 1, txHash: "0xbeef", rewardWei: "100" },
  });
  const text = formatExplanation(explainTask(task, validation)).join("\n");
  const parts = [
    "ns/t is Succeeded.\nDone well.",
    "Accepted   True",
    "1         w1       Rejected   QuorumRejected   0xdead",
    "v1          Revealed   Accept",
    "Verdict: Accepted (2 accept, 0 reject)",
    "not proven: the worker's hardware",
    "Settlement: batch 3, position 1, transaction 0xbeef",
    "paid: 100 wei",
  ];
  for (const part of parts) expect(text).toContain(part);
});

test("a training says where its model is, and nothing where what was signed is none", () => {
  const digest = (byte: string) => `sha256:${byte.repeat(32)}` as const;
  const training = {
    ...{ program: "p", hyperparameters: {}, steps: 2, checkpointEvery: 1, seed: 1, sampledSlices: 1 },
    checkpointStore: "https://s.test/x",
  };
  const result = { checkpoints: ["00", "11", "22"].map(digest), model: digest("ab") };
  const inline = writeInline(toTrainingOutputs(training, result));
  const told = formatExplanation(explainTask(aTask({ output: { inline } }, { training })));
  expect(told.at(-1)).toBe(`Trained by p in 2 slices: https://s.test/x/sha256-${"ab".repeat(32)} (${digest("ab")})`);
  const other = explainTask(aTask({ output: { inline } }, { training: { ...training, seed: 2 } }));
  expect(other.training).toBeUndefined();
});
