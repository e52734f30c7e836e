import { describe, expect, test } from "vitest";
import {
  type CapabilityInput,
  type ChallengeFinding,
  type ClaimedCapability,
  decideProven,
  defaultProofPolicy,
} from "../../../src/protocol/proven-capability.ts";

const claimed: ClaimedCapability = { level: "Inspected", problems: [], simulated: false, hasGpus: true };
const challenge = (outcome: ChallengeFinding["outcome"], expiresAtMs = 1_000): ChallengeFinding => ({
  ...{ outcome, gpus: 1, attested: false, expiresAtMs, message: `It was ${outcome}.` },
});
const strict = { ...defaultProofPolicy, minimumLevel: "Challenged" } as const;
const trial = { ...defaultProofPolicy, acceptSimulated: true };

const nothing = { holds: false, level: "Declared", gpusCount: false };
const machine = { holds: true, level: "Inspected", gpusCount: false };
const gpus = { holds: true, gpusCount: true };

const cases: readonly { name: string; input: Partial<CapabilityInput>; want: object }[] = [
  {
    name: "what nobody has read is given nothing",
    input: { claimed: undefined },
    want: { ...nothing, reason: "NotRead" },
  },
  {
    name: "one source alone is given nothing",
    input: { claimed: { ...claimed, level: "Declared" } },
    want: { ...nothing, reason: "Declared" },
  },
  {
    name: "sources that disagree are told",
    input: { claimed: { ...claimed, level: "Declared", problems: ["GPU 0 is not believed: used memory is odd"] } },
    want: { ...nothing, reason: "Disputed", message: expect.stringContaining("GPU 0 is not believed") },
  },
  {
    name: "what has expired must be shown again",
    input: { claimed: { ...claimed, expiresAtMs: 500 }, nowMs: 500 },
    want: { ...nothing, reason: "Expired" },
  },
  { name: "a moment before it holds", input: { claimed: { ...claimed, expiresAtMs: 500 }, nowMs: 499 }, want: gpus },
  {
    name: "somebody else's GPU is given nothing, even with a challenge passed",
    input: { twin: { uuid: "GPU-1", worker: "first" }, challenge: challenge("Passed") },
    want: { ...nothing, reason: "DuplicateGpu" },
  },
  { name: "agreeing sources count", input: {}, want: { ...gpus, level: "Inspected" } },
  {
    name: "where the pool asks for more they are a machine without GPUs",
    input: { policy: strict },
    want: { ...machine, reason: "NotChallenged" },
  },
  {
    name: "a passed challenge counts",
    input: { policy: strict, challenge: challenge("Passed") },
    want: { ...gpus, level: "Challenged", reason: "Challenged" },
  },
  {
    name: "with evidence of its GPUs it is attested",
    input: { policy: strict, challenge: { ...challenge("Passed"), attested: true } },
    want: { ...gpus, level: "Attested", reason: "Attested" },
  },
  {
    name: "an expired one no longer does",
    input: { policy: strict, challenge: challenge("Passed", 100), nowMs: 100 },
    want: { ...machine, reason: "NotChallenged" },
  },
  {
    name: "where inspection suffices an expired one falls back to it",
    input: { challenge: challenge("Passed", 100), nowMs: 100 },
    want: { ...gpus, level: "Inspected" },
  },
  {
    name: "a failed challenge leaves a machine without GPUs, whatever the pool asks for",
    input: { challenge: challenge("Failed") },
    want: { ...machine, reason: "ChallengeFailed" },
  },
  {
    name: "a failure does not expire",
    input: { challenge: challenge("Failed", 0), nowMs: 1e15 },
    want: { ...machine, reason: "ChallengeFailed" },
  },
  {
    name: "a wrong result is given nothing",
    input: { challenge: challenge("Wrong") },
    want: { ...nothing, reason: "WrongResult" },
  },
  {
    name: "an agent cannot say that its hardware was challenged",
    input: { claimed: { ...claimed, level: "Attested" }, policy: strict },
    want: { ...machine, reason: "NotChallenged" },
  },
  {
    name: "simulated hardware is a machine without GPUs",
    input: { claimed: { ...claimed, simulated: true } },
    want: { ...machine, reason: "Simulated" },
  },
  {
    name: "in a trial it counts as if it were there",
    input: { claimed: { ...claimed, simulated: true }, policy: { ...trial, minimumLevel: "Challenged" } },
    want: { ...gpus, level: "Inspected" },
  },
  {
    name: "a machine without GPUs needs no challenge",
    input: { claimed: { ...claimed, hasGpus: false }, policy: strict },
    want: { holds: true, level: "Inspected" },
  },
  {
    name: "GPUs that only labels speak of are not proven by a machine's own challenge",
    input: { policy: strict, challenge: { ...challenge("Passed"), gpus: 0 } },
    want: { ...machine, reason: "NotChallenged" },
  },
  {
    name: "and loses nothing by one that it cannot run",
    input: { claimed: { ...claimed, hasGpus: false }, challenge: challenge("Failed") },
    want: { holds: true, level: "Inspected", reason: "Inspected" },
  },
];

describe("decideProven", () => {
  test.each(cases)("$name", ({ input, want }) => {
    const base = { claimed, twin: undefined, challenge: undefined, policy: defaultProofPolicy, nowMs: 0 };
    expect(decideProven({ ...base, ...input })).toMatchObject(want);
  });
});
