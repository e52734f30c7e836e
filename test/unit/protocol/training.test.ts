import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Digest } from "../../../src/base/digest.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import {
  blankResult,
  countSlices,
  describeUnchecked,
  digestTerms,
  drawSlices,
  locateInStore,
  readTrainingResult,
  stepsOf,
  type TrainingTerms,
  toTrainingOutputs,
} from "../../../src/protocol/training.ts";

const terms: TrainingTerms = {
  program: "p",
  hyperparameters: { b: "2", a: "1" },
  steps: 10,
  checkpointEvery: 4,
  seed: 1,
  checkpointStore: "https://store.test/x/",
  sampledSlices: 2,
};
const digest = (byte: string): Digest => `sha256:${byte.repeat(32)}`;
const result = { checkpoints: ["00", "11", "22", "33"].map(digest), model: digest("44") };

describe("a training's slices", () => {
  it("cover every step once, the last one short where it does not divide", () => {
    expect(countSlices(terms)).toBe(3);
    expect([0, 1, 2].map((slice) => stepsOf(terms, slice))).toEqual([
      { from: 0, to: 4 },
      { from: 4, to: 8 },
      { from: 8, to: 10 },
    ]);
  });

  it("are drawn without repetition, the same for everybody, and all of them where as many are asked for", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 50 }),
        (seed, slices, sampled) => {
          const asked = { ...terms, steps: slices, checkpointEvery: 1, sampledSlices: sampled };
          const drawn = drawSlices(asked, seed);
          expect(new Set(drawn).size).toBe(Math.min(slices, sampled));
          expect(drawn.every((slice) => slice >= 0 && slice < slices)).toBe(true);
          expect(drawSlices(asked, seed)).toEqual(drawn);
        },
      ),
    );
  });

  it("are each drawn about as often as the others", () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 3_000; i++)
      for (const slice of drawSlices({ ...terms, sampledSlices: 1 }, `${i}`)) counts[slice]! += 1;
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it("that are not drawn are told of, with their number", () => {
    expect(describeUnchecked(terms)).toBe(
      "The steps of 1 of 3 slices: 2 were drawn after the receipt and computed again.",
    );
    expect(describeUnchecked({ ...terms, sampledSlices: 3 })).toBeUndefined();
  });
});

describe("a training's result", () => {
  it("is the same after its way through the outputs", () => {
    expect(readTrainingResult(terms, toTrainingOutputs(terms, result))).toEqual(result);
  });

  it.each<[string, Partial<TrainingTerms>]>([
    ["another number of checkpoints", { checkpointEvery: 5 }],
    ["another seed", { seed: 2 }],
    ["other hyperparameters", { hyperparameters: { a: "1" } }],
  ])("is not that of %s", (_, change) => {
    expect(() => readTrainingResult({ ...terms, ...change }, toTrainingOutputs(terms, result))).toThrow(
      expect.objectContaining({ code: "InvalidTrainingResult" }),
    );
  });

  it("with tensors missing is none", () => {
    for (const name of ["checkpoints", "model", "terms"]) {
      const outputs = new Map(toTrainingOutputs(terms, result));
      outputs.delete(name);
      expect(() => readTrainingResult(terms, outputs)).toThrow(
        expect.objectContaining({ code: "InvalidTrainingResult" }),
      );
    }
  });

  it("in whose place nothing can be said is the same for everybody, and no worker's", () => {
    const blank = toTrainingOutputs(terms, blankResult(terms, digest("00")));
    expect(digestTensors(blank)).toBe(digestTensors(toTrainingOutputs(terms, blankResult(terms, digest("00")))));
    expect(digestTensors(blank)).not.toBe(digestTensors(toTrainingOutputs(terms, result)));
  });
});

describe("terms", () => {
  it("are the same in whatever order and store, and others with another seed", () => {
    const same = {
      ...terms,
      hyperparameters: { a: "1", b: "2" },
      checkpointStore: "https://other.test",
      sampledSlices: 1,
    };
    expect(digestTerms(same)).toBe(digestTerms(terms));
    expect(digestTerms({ ...terms, seed: 2 })).not.toBe(digestTerms(terms));
  });

  it("name one file in the store for each digest", () => {
    expect(locateInStore("https://store.test/x//", digest("ab"))).toBe(
      `https://store.test/x/sha256-${"ab".repeat(32)}`,
    );
  });
});
