import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ChallengeGpu,
  computeScore,
  countUsable,
  decideChallenge,
  describeGpus,
  findWrongColumns,
} from "../../../../src/protocol/challenge/decide-challenge.ts";
import { decideCheck } from "../../../../src/protocol/challenge/decide-check.ts";
import { findPeakRate } from "../../../../src/protocol/challenge/hardware-class.ts";
import { countMemoryBytes, countOperations } from "../../../../src/protocol/challenge/plan.ts";

const seed = `0x${"5e".repeat(32)}`;
const aGpu = (parts: Partial<ChallengeGpu> = {}): ChallengeGpu => ({
  uuid: "GPU-1",
  product: "NVIDIA A100-SXM4-80GB",
  memoryMiB: 81_920,
  computeCapability: "8.0",
  ...parts,
});
/** 10^12 operations per second over the time that the claim allows. */
const floorOf = (gpus: readonly ChallengeGpu[]) => {
  const { plan, limitMs } = decideChallenge(gpus, seed);
  return computeScore(plan, limitMs);
};

describe("what is asked of a claim", () => {
  test("an A100 holds half of its memory and shows more than a quarter of its published rate, all overhead counted", () => {
    const { plan, limitMs, claim } = decideChallenge([aGpu()], seed);
    expect(claim).toBe("1x NVIDIA A100-SXM4-80GB");
    expect(countMemoryBytes(plan)).toBeGreaterThanOrEqual(40 * 2 ** 30);
    expect(countOperations(plan)).toBeGreaterThan(9.7e13);
    expect(limitMs).toBeLessThan(32_000);
    expect(floorOf([aGpu()])).toBeGreaterThan(19.5 / 4);
  });

  test("four of them hold and compute four times as much in little more time", () => {
    const one = decideChallenge([aGpu()], seed);
    const four = decideChallenge(
      [1, 2, 3, 4].map((n) => aGpu({ uuid: `GPU-${n}` })),
      seed,
    );
    expect(four.plan).toMatchObject({ devices: 4, columns: one.plan.columns * 4 });
    expect(countOperations(four.plan)).toBeGreaterThanOrEqual(4 * countOperations(one.plan));
    expect(four.limitMs).toBeLessThan(one.limitMs * 1.5);
  });

  test("an instance is asked for its share of rate and memory", () => {
    const whole = decideChallenge([aGpu()], seed);
    const cut = decideChallenge([aGpu({ unitMemoryMiB: 10_240 })], seed);
    expect(countMemoryBytes(cut.plan) / countMemoryBytes(whole.plan)).toBeCloseTo(1 / 8, 1);
    expect(countOperations(cut.plan) / countOperations(whole.plan)).toBeCloseTo(1 / 8, 1);
  });

  test("of a machine with instances one unit is asked, the weakest: its process sees no other", () => {
    const cut = aGpu({ uuid: "GPU-cut", unitMemoryMiB: 9_728, migEnabled: true });
    const decided = decideChallenge([aGpu(), cut, aGpu({ uuid: "GPU-3" })], seed);
    expect(decided).toMatchObject({ gpus: 1, plan: { devices: 1 } });
    expect(decided.plan).toEqual(decideChallenge([cut], seed).plan);
    expect([countUsable([aGpu(), cut]), countUsable([aGpu(), aGpu()]), countUsable([])]).toEqual([1, 2, 0]);
  });

  test("a machine without a GPU is asked for little, and has time for it", () => {
    const { plan, limitMs, claim } = decideChallenge([], seed);
    expect(claim).toBe("no GPU");
    expect(countOperations(plan)).toBeLessThan(3e9);
    expect(countMemoryBytes(plan)).toBeLessThan(64 * 2 ** 20);
    expect(limitMs).toBe(120_000);
  });

  test("of a GPU on which nothing can run nothing is asked", () => {
    expect(decideChallenge([aGpu({ unitMemoryMiB: 0 })], seed)).toEqual(decideChallenge([], seed));
  });

  test.each([
    ["NVIDIA H100 80GB HBM3", "9.0", 60],
    ["NVIDIA H100 PCIe", "9.0", 48],
    ["Tesla T4", "7.5", 8.1],
    ["NVIDIA L40S", "8.9", 91.6],
    ["NVIDIA-L4", "8.9", 30.3],
    ["NVIDIA X9000", "8.6", 4.5],
    ["NVIDIA X9000", undefined, 2],
    ["NVIDIA X9000", "constructor", 2],
  ])("%s of capability %s is measured against %d TFLOPS", (product, capability, want) => {
    expect(findPeakRate(product, capability) / 1e12).toBe(want);
  });

  test("whatever is claimed, the plan stays within the bounds of a call, of memory and of whole numbers", () => {
    const anyGpu = fc.record({
      product: fc.constantFrom("NVIDIA H200", "Tesla P4", "NVIDIA GeForce RTX 5090", "unheard of"),
      memoryMiB: fc.integer({ min: 1, max: 4 * 1024 * 1024 }),
      unitMemoryMiB: fc.integer({ min: 0, max: 300_000 }),
    });
    fc.assert(
      fc.property(fc.array(anyGpu, { minLength: 1, maxLength: 64 }), (gpus) => {
        const { plan, limitMs } = decideChallenge(
          gpus.map((gpu, index) => aGpu({ ...gpu, uuid: `GPU-${index}` })),
          seed,
        );
        expect(plan.columns).toBeLessThanOrEqual(600_000);
        expect(plan.columns * 4 * 1.4).toBeLessThan(4 * 1024 * 1024);
        expect(plan.kept).toBeLessThanOrEqual(plan.rounds);
        // The largest sum of products of an entry from -8 to 7 with one from 0 to 15.
        expect(plan.size * 8 * 15).toBeLessThan(2 ** 24);
        expect(plan.kept * 15 * 15).toBeLessThan(2 ** 24);
        for (const value of Object.values({ ...plan, seed: 1, limitMs }))
          expect(Number.isSafeInteger(value)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

test("what a challenge was about changes with every fact that decides it, and not with the order", () => {
  const a = aGpu();
  const b = aGpu({ uuid: "GPU-2" });
  expect(describeGpus([a, b])).toBe(describeGpus([b, a]));
  const others = [
    { uuid: "GPU-3" },
    { product: "NVIDIA A30" },
    { memoryMiB: 40_960 },
    { unitMemoryMiB: 10_240 },
    { migEnabled: true },
  ];
  for (const other of others) expect(describeGpus([{ ...a, ...other }, b])).not.toBe(describeGpus([a, b]));
});

describe("what validators find", () => {
  const answer = Uint8Array.from({ length: 40 }, (_, index) => index);
  const columns = [1, 7];
  const right = Buffer.concat(columns.map((column) => answer.subarray(column * 4, column * 4 + 4)));
  const other = Uint8Array.from(right, (byte, index) => (index === 7 ? byte ^ 1 : byte));
  const vote = (digests: Uint8Array | undefined, validator = "v") => ({ validator, digests });

  test("a column that differs in one bit is told", () => {
    expect(findWrongColumns(answer, right, columns)).toEqual([]);
    expect(findWrongColumns(answer, other, columns)).toEqual([7]);
    expect(findWrongColumns(answer, right.subarray(0, 4), columns)).toEqual([7]);
    expect(findWrongColumns(answer.subarray(0, 30), right, columns)).toEqual([7]);
  });

  test.each([
    ["one that finds it right suffices", [vote(right)], "Right"],
    ["even after one that does not", [vote(other), vote(right)], "Right"],
    ["one alone does not make it wrong", [vote(other)], "Open"],
    ["two of one mind do", [vote(other, "a"), vote(other, "b")], "Wrong"],
    ["two of different minds do not", [vote(other), vote(Uint8Array.of(1))], "Open"],
    ["nor three", [vote(other), vote(Uint8Array.of(1)), vote(Uint8Array.of(2))], "Undecided"],
    ["who cannot compute it says nothing", [vote(undefined), vote(undefined), vote(undefined)], "Undecided"],
  ] as const)("%s", (_, votes, want) => {
    expect(decideCheck(answer, columns, votes, 3)).toBe(want);
  });
});
