import { describe, expect, test } from "vitest";
import { type CapabilityInput, decideProven } from "../../../src/protocol/proven-capability.ts";

const inspected = { level: "Inspected", problems: [] } as const;

describe("decideProven", () => {
  const cases: readonly { name: string; input: Partial<CapabilityInput>; want: object }[] = [
    {
      name: "what nobody has read counts for nothing",
      input: { claimed: undefined },
      want: { holds: false, reason: "NotRead" },
    },
    { name: "agreeing sources suffice", input: {}, want: { holds: true, reason: "Inspected" } },
    {
      name: "one source alone does not",
      input: { claimed: { level: "Declared", problems: [] } },
      want: { holds: false, reason: "Declared" },
    },
    {
      name: "sources that disagree are told",
      input: { claimed: { level: "Declared", problems: ["GPU 0 is not believed: used memory is odd"] } },
      want: { holds: false, reason: "Disputed", message: expect.stringContaining("GPU 0 is not believed") },
    },
    {
      name: "what has expired must be proven again",
      input: { claimed: { ...inspected, expiresAtMs: 1_000 }, nowMs: 1_000 },
      want: { holds: false, reason: "Expired" },
    },
    {
      name: "a moment before it expires it holds",
      input: { claimed: { ...inspected, expiresAtMs: 1_000 }, nowMs: 999 },
      want: { holds: true },
    },
    {
      name: "somebody else's GPU counts for nothing",
      input: { twin: { uuid: "GPU-1", worker: "first" } },
      want: { holds: false, reason: "DuplicateGpu" },
    },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(decideProven({ claimed: inspected, twin: undefined, nowMs: 0, ...input })).toMatchObject(want);
  });
});
