import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutItems, joinOutputs } from "../../../../src/protocol/shards/cut-items.ts";
import { planShards } from "../../../../src/protocol/shards/plan-shards.ts";
import { digestTensors } from "../../../../src/protocol/tensors/canonical.ts";
import { tensorsFromJson } from "../../../../src/protocol/tensors/json.ts";
import type { NamedTensors } from "../../../../src/protocol/tensors/tensor.ts";

const rows = (count: number, width = 2): NamedTensors =>
  tensorsFromJson({
    x: { dtype: "int32", shape: [count, width], data: Array.from({ length: count * width }, (_, index) => index) },
  });
const aPart = (count: number, shape: number[]) => {
  const size = shape.reduce((product, length) => product * length, 1);
  const outputs = tensorsFromJson({ y: { dtype: "int32", shape, data: Array.from({ length: size }, () => 1) } });
  return { count, outputs };
};

describe("cutItems", () => {
  test("takes rows of what is named, and the rest whole", () => {
    const inputs = new Map([...rows(4), ["scale", rows(1).get("x")!]]);
    const cut = cutItems(inputs, { from: 1, count: 2, tensors: ["x"] });
    expect(cut.get("x")).toEqual({ dtype: "int32", shape: [2, 2], data: rows(4).get("x")?.data.subarray(8, 24) });
    expect(cut.get("scale")).toBe(inputs.get("scale"));
  });

  const refusals = [
    { name: "more rows than there are", cut: { from: 3, count: 2 }, says: /shape \[4,2\]; items 3 to 4 along axis 0/ },
    { name: "a name that is not there", cut: { from: 0, count: 1, tensors: ["y"] }, says: /names "y".*it has: x/ },
  ];
  for (const { name, cut, says } of refusals) {
    test(`refuses ${name}`, () => expect(() => cutItems(rows(4), cut)).toThrow(says));
  }

  test("refuses a scalar", () => {
    const scalar = tensorsFromJson({ x: { dtype: "int32", shape: [], data: [1] } });
    expect(() => cutItems(scalar, { from: 0, count: 1 })).toThrow(/shape \[\]/);
  });
});

describe("joinOutputs", () => {
  test("what was cut comes together in its order, with the digest of the whole", () => {
    const aBatch = fc
      .integer({ min: 1, max: 40 })
      .chain((count) => fc.tuple(fc.constant(count), fc.integer({ min: 1, max: count })));
    fc.assert(
      fc.property(aBatch, ([count, parallelism]) => {
        const parts = planShards({ from: 0, count }, parallelism).map((range) => ({
          count: range.count,
          outputs: cutItems(rows(count), range),
        }));
        expect(digestTensors(joinOutputs(parts))).toBe(digestTensors(rows(count)));
      }),
    );
  });

  test("several rows an item stay together", () => {
    expect(joinOutputs([aPart(1, [3, 2]), aPart(2, [6, 2])]).get("y")?.shape).toEqual([9, 2]);
  });

  const refusals = [
    { name: "a number of rows that is not that of the items", parts: [aPart(2, [2]), aPart(2, [1])] },
    { name: "another shape in one shard", parts: [aPart(1, [1, 2]), aPart(1, [1, 3])] },
    { name: "a part of a row for each item", parts: [aPart(2, [1]), aPart(2, [1])] },
    { name: "a scalar", parts: [aPart(1, []), aPart(1, [])] },
    { name: "an output that one shard has not", parts: [aPart(1, [1]), { count: 1, outputs: rows(1) }] },
  ];
  for (const { name, parts } of refusals) {
    test(`refuses ${name}`, () =>
      expect(() => joinOutputs(parts)).toThrow(expect.objectContaining({ code: "InvalidItems" })));
  }
});
