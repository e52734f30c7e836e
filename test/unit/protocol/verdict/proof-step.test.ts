import { describe, expect, test } from "vitest";
import { decideProofStep, type ProofProgress } from "../../../../src/protocol/verdict/proof-step.ts";

const timing = { provingMs: 10_000, endorsingMs: 4_000, stragglerMs: 500 };
const progress = (change: Partial<ProofProgress> = {}): ProofProgress => ({
  ...{ members: 3, quorum: 2, startedMs: 1_000, endorsedMs: [], declined: 0, failure: undefined },
  ...change,
});

describe("decideProofStep", () => {
  const failure = { reason: "NotRegistered", message: "No circuit." };
  const cases: { name: string; change?: Partial<ProofProgress>; nowMs: number; want: object }[] = [
    { name: "waits for the proof", nowMs: 10_999, want: { step: "Prove", untilMs: 11_000 } },
    { name: "and not for ever", nowMs: 11_000, want: { step: "FallBack", reason: "ProofTimedOut" } },
    {
      name: "goes on at once where the prover cannot",
      change: { failure },
      nowMs: 1_001,
      want: { step: "FallBack", ...failure },
    },
    {
      name: "the prover's own word is no quorum",
      change: { endorsedMs: [2_000] },
      nowMs: 5_999,
      want: { step: "Endorse", untilMs: 6_000 },
    },
    {
      name: "nobody else had a look in time",
      change: { endorsedMs: [2_000] },
      nowMs: 6_000,
      want: { step: "FallBack", reason: "ProofNotEndorsed" },
    },
    {
      name: "a quorum waits a moment for the rest",
      change: { endorsedMs: [2_000, 2_100] },
      nowMs: 2_599,
      want: { step: "Endorse", untilMs: 2_600 },
    },
    { name: "and not longer", change: { endorsedMs: [2_000, 2_100] }, nowMs: 2_600, want: { step: "Decide" } },
    { name: "all stand for it", change: { endorsedMs: [2_000, 2_100, 2_050] }, nowMs: 2_101, want: { step: "Decide" } },
    {
      name: "whoever declined is not waited for",
      change: { endorsedMs: [2_000, 2_100], declined: 1 },
      nowMs: 2_101,
      want: { step: "Decide" },
    },
    {
      name: "too many do not stand for it",
      change: { endorsedMs: [2_000], declined: 2 },
      nowMs: 2_001,
      want: { step: "FallBack", reason: "ProofNotEndorsed" },
    },
  ];
  test.each(cases)("$name", ({ change, nowMs, want }) => {
    expect(decideProofStep(progress(change), timing, nowMs)).toMatchObject(want);
  });
});
