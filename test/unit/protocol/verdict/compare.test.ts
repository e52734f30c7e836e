import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DType } from "../../../../src/protocol/tensors/dtype.ts";
import { tensorFrom } from "../../../../src/protocol/tensors/elements.ts";
import { type ComparePolicy, compareOutputs } from "../../../../src/protocol/verdict/compare.ts";
import { anyTensors } from "../tensors/arbitrary-tensors.ts";

const exact: ComparePolicy = { policy: "Exact" };
const tolerance = (absolute: number, relative = 0): ComparePolicy => ({ policy: "Tolerance", absolute, relative });
const one = (dtype: DType, ...values: (number | bigint)[]) =>
  new Map([["y", tensorFrom(dtype, [values.length], values)]]);
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe("comparing outputs", () => {
  it.each([
    {
      name: "equal floats are equal",
      got: one("float32", 1, 2),
      expected: one("float32", 1, 2),
      policy: exact,
      want: true,
    },
    {
      name: "one last bit of a float is a mismatch when exact",
      got: one("float32", 1 + 2 ** -23),
      expected: one("float32", 1),
      policy: exact,
      want: false,
    },
    {
      name: "one last bit of a float is within a tolerance",
      got: one("float32", 1 + 2 ** -23),
      expected: one("float32", 1),
      policy: tolerance(1e-6),
      want: true,
    },
    {
      name: "a difference at the absolute bound is within it",
      got: one("float64", 1.5),
      expected: one("float64", 1),
      policy: tolerance(0.5),
      want: true,
    },
    {
      name: "a difference just over the absolute bound is a mismatch",
      got: one("float64", 1.5000001),
      expected: one("float64", 1),
      policy: tolerance(0.5),
      want: false,
    },
    {
      name: "a relative bound grows with the expected value",
      got: one("float64", 1010),
      expected: one("float64", 1000),
      policy: tolerance(0, 0.01),
      want: true,
    },
    {
      name: "a relative bound does not grow with the worker's value",
      got: one("float64", 1000),
      expected: one("float64", 10),
      policy: tolerance(0, 0.99),
      want: false,
    },
    {
      name: "both bounds add up",
      got: one("float64", 111),
      expected: one("float64", 100),
      policy: tolerance(1, 0.1),
      want: true,
    },
    {
      name: "integers are exact under any tolerance",
      got: one("int32", 11),
      expected: one("int32", 10),
      policy: tolerance(100, 100),
      want: false,
    },
    {
      name: "64-bit integers are exact where numbers cannot tell them apart",
      got: one("int64", 2n ** 60n + 1n),
      expected: one("int64", 2n ** 60n),
      policy: tolerance(100),
      want: false,
    },
    {
      name: "bools are exact under any tolerance",
      got: one("bool", 1),
      expected: one("bool", 0),
      policy: tolerance(100),
      want: false,
    },
    {
      name: "half precision has a tolerance too",
      got: one("float16", 1.001),
      expected: one("float16", 1),
      policy: tolerance(0.01),
      want: true,
    },
    { name: "NaN matches NaN", got: one("float32", nan), expected: one("float32", nan), policy: exact, want: true },
    {
      name: "NaN matches NaN within a tolerance",
      got: one("float32", nan, 1.1),
      expected: one("float32", nan, 1),
      policy: tolerance(0.2),
      want: true,
    },
    {
      name: "NaN does not match a number",
      got: one("float32", nan),
      expected: one("float32", 1),
      policy: tolerance(1e30),
      want: false,
    },
    {
      name: "a number does not match NaN",
      got: one("float32", 1),
      expected: one("float32", nan),
      policy: tolerance(1e30),
      want: false,
    },
    {
      name: "infinity matches itself",
      got: one("float32", inf),
      expected: one("float32", inf),
      policy: tolerance(1),
      want: true,
    },
    {
      name: "infinity does not match minus infinity",
      got: one("float32", -inf),
      expected: one("float32", inf),
      policy: tolerance(1, 1),
      want: false,
    },
    {
      name: "a number is not within a share of infinity",
      got: one("float32", 1),
      expected: one("float32", inf),
      policy: tolerance(0, 0.5),
      want: false,
    },
    {
      name: "infinity is not within any bound of a number",
      got: one("float32", inf),
      expected: one("float32", 1),
      policy: tolerance(1e300, 1e300),
      want: false,
    },
    {
      name: "zeros of two signs differ when exact",
      got: one("float32", -0),
      expected: one("float32", 0),
      policy: exact,
      want: false,
    },
    {
      name: "zeros of two signs are within a tolerance of nothing",
      got: one("float32", -0),
      expected: one("float32", 0),
      policy: tolerance(0),
      want: true,
    },
    {
      name: "another dtype is a mismatch",
      got: one("int64", 1),
      expected: one("int32", 1),
      policy: tolerance(9),
      want: false,
    },
    {
      name: "another shape is a mismatch",
      got: one("int32", 1, 2),
      expected: one("int32", 1),
      policy: tolerance(9),
      want: false,
    },
    {
      name: "a missing tensor is a mismatch",
      got: new Map(),
      expected: one("int32", 1),
      policy: tolerance(9),
      want: false,
    },
    {
      name: "an extra tensor is a mismatch",
      got: one("int32", 1),
      expected: new Map(),
      policy: tolerance(9),
      want: false,
    },
    { name: "nothing equals nothing", got: new Map(), expected: new Map(), policy: exact, want: true },
  ])("$name", ({ got, expected, policy, want }) => {
    const result = compareOutputs(got, expected, policy);
    expect(result.equal).toBe(want);
    expect(result.mismatches > 0).toBe(!want);
    expect(result.firstMismatch === undefined).toBe(want);
  });

  it("says where the first mismatch is, how many there are and how large the differences", () => {
    const got = new Map([...one("float64", 1, 2.5, 4), ["z", tensorFrom("int32", [2], [1, 5])] as const]);
    const expected = new Map([...one("float64", 1, 2, 3), ["z", tensorFrom("int32", [2], [1, 2])] as const]);
    expect(compareOutputs(got, expected, tolerance(0.6))).toEqual({
      equal: false,
      maxAbsolute: 3,
      maxRelative: 1.5,
      mismatches: 2,
      firstMismatch: { tensor: "y", index: 2, reason: "value differs", got: "4", expected: "3" },
    });
  });

  it("reports differences that are within bounds, so that tolerances can be calibrated", () => {
    const result = compareOutputs(one("float64", 2.5), one("float64", 2), tolerance(1));
    expect(result).toEqual({ equal: true, maxAbsolute: 0.5, maxRelative: 0.25, mismatches: 0 });
  });

  it("calls a difference to an expected zero, or to what is not finite, infinitely large", () => {
    expect(compareOutputs(one("float64", 1), one("float64", 0), tolerance(2))).toMatchObject({
      maxAbsolute: 1,
      maxRelative: inf,
    });
    expect(compareOutputs(one("float64", nan), one("float64", 5), tolerance(2))).toMatchObject({
      maxAbsolute: inf,
      maxRelative: inf,
    });
  });

  it("measures differences of 64-bit integers that numbers cannot hold", () => {
    const result = compareOutputs(one("uint64", 2n ** 63n + 1n), one("uint64", 2n ** 63n), exact);
    expect(result.maxAbsolute).toBe(1);
  });

  it("finds tensors equal to themselves, whatever their bits, under every policy", () => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        expect(compareOutputs(tensors, tensors, exact).equal).toBe(true);
        expect(compareOutputs(tensors, tensors, tolerance(0)).equal).toBe(true);
      }),
    );
  });

  it("rejects the twin of an integer output with any one bit flipped", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 1 }), fc.nat(), (values, place) => {
        const bit = place % (values.length * 8);
        const twin = Int8Array.from(values);
        twin[bit >> 3]! ^= 1 << (bit & 7);
        const result = compareOutputs(one("int8", ...twin), one("int8", ...values), tolerance(1000));
        expect(result).toMatchObject({ equal: false, mismatches: 1, firstMismatch: { index: bit >> 3 } });
      }),
    );
  });

  it.each([nan, inf, -1])("refuses a tolerance of %s, which would accept anything or nothing", (bound) => {
    expect(() => compareOutputs(new Map(), new Map(), tolerance(bound))).toThrow(/finite number from 0/);
    expect(() => compareOutputs(new Map(), new Map(), tolerance(0, bound))).toThrow(/finite number from 0/);
  });
});
