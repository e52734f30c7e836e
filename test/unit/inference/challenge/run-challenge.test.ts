import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { buildChallengeGraph } from "../../../../src/inference/challenge/challenge-graph.ts";
import { makeLeft, makeMatrix, makeRight } from "../../../../src/inference/challenge/challenge-inputs.ts";
import { runChallenge } from "../../../../src/inference/challenge/run-challenge.ts";
import type { ChallengePlan } from "../../../../src/protocol/challenge/plan.ts";

const signal = new AbortController().signal;
const plan: ChallengePlan = {
  ...{ seed: `0x${"c4".repeat(32)}`, size: 24, columns: 11, rounds: 7, kept: 4, passes: 3, devices: 1 },
};

/** The definition of a challenge, in whole numbers and without a graph: column by column. */
function computeDigest({ seed, size, rounds, kept, passes }: ChallengePlan, column: number): string {
  const matrix = makeMatrix(seed, size);
  const mod16 = (value: number) => ((value % 16) + 16) % 16;
  const multiply = (x: readonly number[]) =>
    Array.from({ length: size }, (_, row) =>
      x.reduce((sum, value, at) => sum + (matrix[row * size + at] ?? 0) * value, 0),
    );
  const results: number[][] = [];
  const left = makeLeft(seed, size, 16);
  const right = [...makeRight(seed, 16, [column])];
  let x = Array.from({ length: size }, (_, row) =>
    mod16(right.reduce((sum, value, at) => sum + value * left[row * 16 + at]!, 0)),
  );
  for (let round = 0; round < rounds; round++) {
    x = multiply(x).map(mod16);
    results.push(x);
  }
  let weights = x;
  for (let pass = 0; pass < passes; pass++) {
    const before = weights;
    weights = x.map((_, row) => {
      const terms = Array.from({ length: kept }, (_, back) => results[rounds - 1 - back]![row]! * before[back % size]!);
      return mod16(terms.reduce((sum, term) => sum + term, 0));
    });
  }
  const words = Buffer.alloc(64);
  multiply(weights)
    .slice(0, 16)
    .forEach((value, row) => {
      words.writeInt32LE(value, row * 4);
    });
  return createHash("sha256").update(words).digest("hex").slice(0, 8);
}

const digestAt = (digests: Uint8Array, at: number) => Buffer.from(digests.subarray(at * 4, at * 4 + 4)).toString("hex");

describe("a challenge", () => {
  test("gives the digests that its definition gives, for every column", async () => {
    const { digests, provider } = await runChallenge(plan, {}, signal);
    expect(provider).toBe("cpu");
    for (let column = 0; column < plan.columns; column++) {
      expect(digestAt(digests, column)).toBe(computeDigest(plan, column));
    }
  });

  test("gives the same for a few of the columns, and for columns shared out to several devices", async () => {
    const few = await runChallenge(plan, { threads: 2 }, signal, [10, 0, 4]);
    expect([0, 1, 2].map((at) => digestAt(few.digests, at))).toEqual([10, 0, 4].map((at) => computeDigest(plan, at)));
    const shared = await runChallenge({ ...plan, devices: 3 }, {}, signal);
    expect(digestAt(shared.digests, 10)).toBe(computeDigest(plan, 10));
    expect(shared.digests).toHaveLength(plan.columns * 4);
  });

  test.each([
    ["the seed", { seed: `0x${"c5".repeat(32)}` }],
    ["a round", { rounds: 8 }],
    ["what is kept", { kept: 3 }],
    ["a pass", { passes: 2 }],
  ])("gives another answer with another one of %s", async (_, change) => {
    const [as, other] = [
      await runChallenge(plan, {}, signal, [0]),
      await runChallenge({ ...plan, ...change }, {}, signal, [0]),
    ];
    expect(digestAt(other.digests, 0)).not.toBe(digestAt(as.digests, 0));
  });

  test("keeps every result alive to the last pass: each is read once per pass", () => {
    const text = Buffer.from(buildChallengeGraph(plan, 1)).toString("latin1");
    for (let round = plan.rounds - plan.kept + 1; round <= plan.rounds; round++) {
      // A name is written with its length before it.
      const uses = text.split(`\u0002x${round}`).length - 1;
      expect(uses, `x${round}`).toBeGreaterThanOrEqual(plan.passes);
    }
  });

  test.each([
    { size: 8 },
    { size: 2 ** 17 },
    { rounds: 2 },
    { rounds: 1.5 },
    { kept: 0 },
    { devices: 65 },
    { columns: 2 ** 31, size: 4_096 },
  ])("beyond all bounds is refused: %o", async (change) => {
    const columns = change.columns === undefined ? undefined : { length: change.columns };
    const run = runChallenge({ ...plan, ...change }, {}, signal, columns as unknown as number[] | undefined);
    await expect(run).rejects.toMatchObject({ code: "InvalidChallenge" });
  });

  test("entries are whole, within their ranges, and use all of them", () => {
    const values = [...makeMatrix(plan.seed, 64)];
    expect(new Set(values)).toEqual(new Set(Array.from({ length: 16 }, (_, index) => index - 8)));
    expect(new Set(makeRight(plan.seed, 64, [0, 1, 2, 3]))).toEqual(
      new Set(Array.from({ length: 16 }, (_, index) => index)),
    );
  });
});
