import { id } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidate, computeSeed, selectPanel } from "../../../src/protocol/selection.ts";

const aCandidate = (number: number, change: Partial<Candidate> = {}): Candidate => ({
  name: `v${number}`,
  address: `0x${number.toString(16).padStart(40, "0")}`,
  owner: `0x${(1_000 + number).toString(16).padStart(40, "0")}`,
  nodeName: `node-${number}`,
  stakeWei: 50_000n * 10n ** 18n,
  reputation: 0.8,
  ...change,
});
const worker = { address: `0x${"f".repeat(40)}`, owner: `0x${"e".repeat(40)}`, nodeName: "node-w" };
const seed = id("seed");
const names = (panel: { members: readonly Candidate[] }) => panel.members.map(({ name }) => name);

describe("selectPanel", () => {
  const excluded = [
    { name: "the worker itself", change: { address: worker.address } },
    {
      name: "a validator of the worker's owner, however its address is written",
      change: { owner: worker.owner.toUpperCase().replace("0X", "0x") },
    },
    { name: "a validator on the worker's node", change: { nodeName: worker.nodeName } },
  ];
  for (const { name, change } of excluded) {
    test(`never draws ${name}`, () => {
      const panel = selectPanel([aCandidate(1, change), aCandidate(2)], [worker], { seed, count: 2 });
      expect(names(panel)).toEqual(["v2"]);
      expect(panel.eligible).toBe(1);
    });
  }

  test("candidates without a known owner or node are not taken for one another's", () => {
    const { owner: _, nodeName: __, ...bare } = aCandidate(1);
    expect(selectPanel([bare], [{ address: worker.address }], { seed, count: 1 }).members).toHaveLength(1);
  });

  test("law: the panel does not depend on the order in which candidates are listed", () => {
    const candidates = Array.from({ length: 9 }, (_, number) => aCandidate(number));
    fc.assert(
      fc.property(fc.shuffledSubarray(candidates, { minLength: 9 }), fc.nat(), (shuffled, salt) => {
        const draw = { seed: id(String(salt)), count: 4 };
        expect(names(selectPanel(shuffled, [worker], draw))).toEqual(names(selectPanel(candidates, [worker], draw)));
      }),
    );
  });

  test("law: nobody is drawn twice, and as many as are wanted where there are so many", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 15 }), (size, count) => {
        const panel = selectPanel(
          Array.from({ length: size }, (_, number) => aCandidate(number)),
          [worker],
          { seed, count },
        );
        expect(new Set(names(panel)).size).toBe(Math.min(size, count));
      }),
    );
  });

  test("a validator with nine times the weight is drawn about nine times as often", () => {
    const candidates = [aCandidate(1, { stakeWei: 90n * 10n ** 18n }), aCandidate(2, { stakeWei: 10n * 10n ** 18n })];
    const draws = Array.from({ length: 2_000 }, (_, salt) =>
      selectPanel(candidates, [], { seed: id(String(salt)), count: 1 }),
    );
    const share = draws.filter((panel) => names(panel)[0] === "v1").length / draws.length;
    expect(share).toBeGreaterThan(0.87);
    expect(share).toBeLessThan(0.93);
  });

  test("a validator without weight can still be drawn", () => {
    const candidate = aCandidate(1, { stakeWei: 0n, reputation: Number.NaN });
    expect(() => selectPanel([candidate], [], { seed, count: 1 })).not.toThrow();
    expect(selectPanel([aCandidate(1, { stakeWei: 0n, reputation: 0 })], [], { seed, count: 1 }).members).toHaveLength(
      1,
    );
  });
});

test("the seed changes with each receipt and with the block", () => {
  const [a, b, block, other] = ["a", "b", "block", "other"].map(id) as [string, string, string, string];
  const seeds = [
    computeSeed([a, b], block),
    computeSeed([b, a], block),
    computeSeed([a], block),
    computeSeed([a, b], other),
  ];
  expect(new Set(seeds).size).toBe(4);
});
