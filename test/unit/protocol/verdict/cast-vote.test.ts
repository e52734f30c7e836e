import { describe, expect, test } from "vitest";
import { tensorFrom } from "../../../../src/protocol/tensors/elements.ts";
import { decideVote, toComparePolicy, type VoteCase } from "../../../../src/protocol/verdict/cast-vote.ts";

const digest = (digit: string) => `0x${digit.repeat(64)}`;
const zero = digest("0");
const outputs = (...values: number[]) => new Map([["y", tensorFrom("float32", [values.length], values)]]);

const receipt = { modelDigest: digest("a"), inputDigest: digest("b"), outputDigest: digest("c") };
const own = { state: "Computed" as const, ...receipt, outputs: outputs(1, 2) };
const exact: VoteCase = { policy: { policy: "Exact" }, receipt, own };
const tolerance: VoteCase = {
  policy: { policy: "Tolerance", absolute: 0.01, relative: 0 },
  receipt,
  own: { ...own, outputDigest: digest("d") },
  handedOn: { outputs: outputs(1.001, 2), outputDigest: digest("c") },
};

describe("a validator's vote", () => {
  test.for<{ name: string; given: VoteCase; want: { vote: string; outputDigest: string } }>([
    { name: "the same digest is accepted", given: exact, want: { vote: "Accept", outputDigest: digest("c") } },
    {
      name: "another output is rejected where bits must agree",
      given: { ...exact, own: { ...own, outputDigest: digest("d") } },
      want: { vote: "Reject", outputDigest: digest("d") },
    },
    {
      name: "a receipt for another model is rejected though the output is the same",
      given: { ...exact, receipt: { ...receipt, modelDigest: digest("e") } },
      want: { vote: "Reject", outputDigest: digest("c") },
    },
    {
      name: "a receipt for another input is rejected though the output is the same",
      given: { ...exact, receipt: { ...receipt, inputDigest: digest("e") } },
      want: { vote: "Reject", outputDigest: digest("c") },
    },
    {
      name: "what could not be computed is abstained from",
      given: { ...exact, own: { state: "Unable", reason: "the model is not there" } },
      want: { vote: "Abstain", outputDigest: zero },
    },
    {
      name: "values within tolerance are accepted",
      given: tolerance,
      want: { vote: "Accept", outputDigest: digest("d") },
    },
    {
      name: "values out of tolerance are rejected",
      given: { ...tolerance, handedOn: { outputs: outputs(1.02, 2), outputDigest: digest("c") } },
      want: { vote: "Reject", outputDigest: digest("d") },
    },
    {
      name: "values within tolerance are rejected where bits must agree",
      given: { ...tolerance, policy: { policy: "Exact" } },
      want: { vote: "Reject", outputDigest: digest("d") },
    },
    {
      name: "an output that is not the one the receipt names is no evidence against the worker",
      given: { ...tolerance, handedOn: { outputs: outputs(9, 9), outputDigest: digest("f") } },
      want: { vote: "Abstain", outputDigest: zero },
    },
    {
      name: "a tolerance cannot be applied without the worker's values",
      given: { policy: tolerance.policy, receipt, own: tolerance.own },
      want: { vote: "Abstain", outputDigest: zero },
    },
  ])("$name", ({ given, want }) => {
    const { vote, outputDigest, reason } = decideVote(given);
    expect({ vote, outputDigest }).toEqual(want);
    expect(reason === undefined).toBe(want.vote === "Accept");
  });

  test("a reject says where the values differ", () => {
    const handedOn = { outputs: outputs(1, 5), outputDigest: digest("c") };
    expect(decideVote({ ...tolerance, handedOn }).reason).toMatch(/1 values are out of tolerance; first in y\[1\]/);
  });
});

describe("the policy to compare by", () => {
  test("is taken over with its bounds", () => {
    const bounds = { absolute: 0.5, relative: 0.25 };
    expect(toComparePolicy({ policy: "Tolerance", tolerance: bounds })).toEqual({ policy: "Tolerance", ...bounds });
    expect(toComparePolicy({ policy: "Exact", tolerance: bounds })).toEqual({ policy: "Exact" });
  });

  test.for([{ policy: "None" as const }, { policy: "Tolerance" as const }])(
    "$policy alone gives nothing to judge by",
    (given) => {
      expect(() => toComparePolicy(given)).toThrow(expect.objectContaining({ code: "InvalidPolicy" }));
    },
  );
});
