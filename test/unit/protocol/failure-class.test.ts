import { describe, expect, test } from "vitest";
import type { Attempt } from "../../../src/api/v1alpha1/types.ts";
import {
  classifyAttempt,
  computeRequeueDelay,
  infrastructureRetries,
  isLastAttempt,
} from "../../../src/protocol/failure-class.ts";

const anAttempt = (outcome: Attempt["outcome"], reason: string) => ({ outcome, reason });
const crash = anAttempt("Failed", "ExecutionFailed");
const gone = anAttempt("Expired", "WorkerGone");
const wrong = anAttempt("Rejected", "ResultRejected");
const preempted = anAttempt("Preempted", "QuotaReclaimed");

describe("classifyAttempt", () => {
  const cases = [
    { attempt: crash, want: "Application" },
    { attempt: anAttempt("Expired", "ClaimExpired"), want: "Application" },
    { attempt: anAttempt("Failed", "OutOfMemory"), want: "Application" },
    { attempt: gone, want: "Infrastructure" },
    { attempt: anAttempt("Failed", "ModelUnavailable"), want: "Infrastructure" },
    { attempt: wrong, want: "Validation" },
    { attempt: anAttempt("Inconclusive", "Inconclusive"), want: "Validation" },
    { attempt: preempted, want: "Preemption" },
  ] as const;
  for (const { attempt, want } of cases)
    test(`${attempt.outcome} by ${attempt.reason} is ${want}`, () => expect(classifyAttempt(attempt)).toBe(want));
});

describe("isLastAttempt", () => {
  const many = (count: number, attempt: typeof crash) => Array.from({ length: count }, () => attempt);
  const cases = [
    { name: "without retries the first failure is the last", earlier: [], ended: crash, retries: 0, want: true },
    { name: "a retry is left", earlier: [], ended: crash, retries: 1, want: false },
    { name: "none is left", earlier: [crash], ended: crash, retries: 1, want: true },
    { name: "bad nodes use up nothing of it", earlier: many(9, gone), ended: crash, retries: 1, want: false },
    { name: "nor do rejections", earlier: [wrong], ended: crash, retries: 1, want: false },
    { name: "which have as many of their own", earlier: [crash, wrong], ended: wrong, retries: 1, want: true },
    { name: "a lost node is no failure of the task", earlier: [crash], ended: gone, retries: 0, want: false },
    { name: "but not for ever", earlier: many(infrastructureRetries, gone), ended: gone, retries: 10, want: true },
    {
      name: "whoever gave way may always come back",
      earlier: many(32, preempted),
      ended: preempted,
      retries: 0,
      want: false,
    },
  ];
  for (const { name, earlier, ended, retries, want } of cases)
    test(name, () => expect(isLastAttempt(earlier, ended, retries)).toBe(want));
});

describe("computeRequeueDelay", () => {
  const cases = [
    { name: "nothing failed yet", attempts: [], want: 0 },
    { name: "the first failure", attempts: [crash], want: 1_000 },
    { name: "twice as long after each of its class", attempts: [crash, gone, crash, crash], want: 4_000 },
    { name: "of another class from the beginning", attempts: [crash, crash, gone], want: 500 },
    { name: "never longer than a bound", attempts: Array.from({ length: 30 }, () => crash), want: 300_000 },
    { name: "who gave way comes back at once", attempts: [crash, preempted], want: 0 },
  ];
  for (const { name, attempts, want } of cases) test(name, () => expect(computeRequeueDelay(attempts)).toBe(want));
});
