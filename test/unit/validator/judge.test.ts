/** That a Model's calibration reaches the vote, under the policy that it is for alone. */
import { expect, test } from "vitest";
import { digestToBytes32 } from "../../../src/base/digest.ts";
import type { JudgeItem } from "../../../src/pool/duty.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { createTensor, type NamedTensors } from "../../../src/protocol/tensors/tensor.ts";
import { judgeAgainst } from "../../../src/validator/judge.ts";

const floats = (value: number): NamedTensors =>
  new Map([["y", createTensor("float32", [1], new Uint8Array(Float32Array.of(value).buffer))]]);
const digestOf = (outputs: NamedTensors) => digestToBytes32(digestTensors(outputs));
const digests = { modelDigest: "0xm", inputDigest: "0xi" };
const own = {
  state: "Computed",
  outputs: floats(1),
  outputDigest: digestOf(floats(1)),
  runtime: "cpu",
  ...digests,
} as const;

function anItem(change: Partial<JudgeItem>, modelDigest = "0xm"): JudgeItem {
  const output = floats(2);
  return {
    verification: { policy: "Tolerance", tolerance: { absolute: 0.1, relative: 0 } },
    receipt: { message: { ...digests, modelDigest, outputDigest: digestOf(output), runtime: "gpu" }, signature: "" },
    output: writeInline(output),
    ...change,
  } as unknown as JudgeItem;
}

const pair = { first: "cpu", second: "gpu", maxAbsolute: 0.01, maxRelative: 0, samples: 3 };

test.each([
  ["without a Model it is rejected", anItem({}), "Reject"],
  ["of runtimes that were never compared it is not", anItem({ calibration: [] }), "Abstain"],
  ["beyond what they differ by it is", anItem({ calibration: [pair] }), "Reject"],
  ["as much as they differ by it is not", anItem({ calibration: [{ ...pair, maxAbsolute: 1 }] }), "Abstain"],
  ["under Exact nothing is spared", anItem({ calibration: [], verification: { policy: "Exact" } }), "Reject"],
  ["for another model nothing is spared", anItem({ calibration: [] }, "0xother"), "Reject"],
])("a result out of tolerance: %s", (_, item, want) => {
  expect(judgeAgainst(item, own).vote).toBe(want);
});
