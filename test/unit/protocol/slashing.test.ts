import { describe, expect, test } from "vitest";
import { decidePenalty } from "../../../src/protocol/slashing.ts";

describe("decidePenalty", () => {
  const cases = [
    {
      name: "a quorum of signed rejections",
      input: { outcome: "Rejected", rejections: 2, quorum: 2, contractQuorum: 2 },
      want: true,
    },
    {
      name: "fewer than the panel's quorum",
      input: { outcome: "Rejected", rejections: 2, quorum: 3, contractQuorum: 2 },
      want: false,
    },
    {
      name: "fewer than the contract asks for",
      input: { outcome: "Rejected", rejections: 1, quorum: 1, contractQuorum: 2 },
      want: false,
    },
    { name: "a lost machine", input: { outcome: "Expired", rejections: 3, quorum: 2, contractQuorum: 2 }, want: false },
    { name: "a failure", input: { outcome: "Failed", rejections: 3, quorum: 2, contractQuorum: 2 }, want: false },
  ] as const;
  for (const { name, input, want } of cases) {
    test(`${name} ${want ? "costs stake" : "costs no stake"}`, () => expect(decidePenalty(input).slash).toBe(want));
  }
});
