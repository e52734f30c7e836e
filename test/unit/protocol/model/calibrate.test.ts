/** How far runtimes differ on a model, and who is spared by it. */
import { describe, expect, test } from "vitest";
import { type CalibratedPair, calibrate, findPair } from "../../../../src/protocol/model/calibrate.ts";
import { createTensor, type NamedTensors } from "../../../../src/protocol/tensors/tensor.ts";
import { decideVote } from "../../../../src/protocol/verdict/cast-vote.ts";
import { spareUncalibrated } from "../../../../src/protocol/verdict/spare-uncalibrated.ts";

const floats = (...values: number[]): NamedTensors => {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return new Map([["y", createTensor("float32", [values.length], data)]]);
};
const none: NamedTensors = new Map();
const run = (runtime: string, ...outputs: NamedTensors[]) => ({ runtime, outputs });

describe("a pair of runtimes", () => {
  test("is measured by its largest difference on inputs that both ran", () => {
    const pairs = calibrate([run("b", floats(1, 2), none, floats(4)), run("a", floats(1, 2.5), floats(9), floats(4))]);
    expect(pairs).toEqual([{ first: "a", second: "b", maxAbsolute: 0.5, maxRelative: 0.2, samples: 2 }]);
    expect(findPair(pairs, "b", "a")).toBe(pairs[0]);
    expect(findPair(pairs, "a", "a")).toBeUndefined();
  });

  test("may be twice the same, where two validators had it", () => {
    expect(calibrate([run("a", floats(1)), run("a", floats(1))])).toMatchObject([
      { first: "a", second: "a", maxAbsolute: 0 },
    ]);
  });

  test.each([
    ["ran nothing in common", [run("a", floats(1), none), run("b", none, floats(1))]],
    ["gave results of another shape", [run("a", floats(1)), run("b", floats(1, 2))]],
    ["gave what is no number", [run("a", floats(1)), run("b", floats(Number.NaN))]],
    ["is but one", [run("a", floats(1))]],
  ])("is not there where it %s", (_, runs) => {
    expect(calibrate(runs)).toEqual([]);
  });

  test("keeps what was measured before, where that was more", () => {
    const known = [{ first: "a", second: "b", maxAbsolute: 3, maxRelative: 0.1, samples: 2 }];
    const [pair] = calibrate([run("a", floats(1)), run("b", floats(2))], known);
    expect(pair).toEqual({ first: "a", second: "b", maxAbsolute: 3, maxRelative: 0.5, samples: 3 });
  });
});

describe("a result out of tolerance", () => {
  const digests = { modelDigest: "0xm", inputDigest: "0xi" };
  const own = { state: "Computed", outputs: floats(1), outputDigest: "0xo", ...digests } as const;
  const pair: CalibratedPair = { first: "cpu", second: "gpu", maxAbsolute: 0.01, maxRelative: 0, samples: 3 };
  const judge = (value: NamedTensors, calibration: readonly CalibratedPair[], worker = "gpu") => {
    const handedOn = { outputs: value, outputDigest: "0xw" };
    const receipt = { ...digests, outputDigest: "0xw" };
    const policy = { policy: "Tolerance", absolute: 0.001, relative: 0 } as const;
    const decided = decideVote({ policy, receipt, own, handedOn });
    const runtimes = [worker, "cpu"] as const;
    return spareUncalibrated(decided, { calibration, runtimes, handedOn: value, own: own.outputs }).vote;
  };

  test.each([
    ["within it is accepted", floats(1.0005), [pair], "gpu", "Accept"],
    ["is neither where the runtimes differ as much", floats(1.01), [pair], "gpu", "Abstain"],
    ["is neither up to four times as much", floats(1.039), [pair], "gpu", "Abstain"],
    ["is wrong beyond that", floats(1.05), [pair], "gpu", "Reject"],
    ["is neither where the runtimes were never compared", floats(9), [pair], "tpu", "Abstain"],
    ["is neither where none were", floats(9), [], "gpu", "Abstain"],
    ["of another shape is wrong whatever the runtimes", floats(1, 1), [], "gpu", "Reject"],
  ])("%s", (_, value, calibration, worker, want) => {
    expect(judge(value, calibration, worker)).toBe(want);
  });
});
