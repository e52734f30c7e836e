import { describe, expect, it } from "vitest";
import { checkFlat } from "../../soak/check-flat.ts";

const allowance = { absolute: 2, share: 0.1 };
const series = (count: number, of: (index: number) => number) => Array.from({ length: count }, (_, index) => of(index));

describe("whether a figure has grown", () => {
  it.each([
    { name: "one that stays", values: series(60, () => 50), isFlat: true },
    { name: "one that grows at the start only", values: series(60, (i) => Math.min(i, 15)), isFlat: true },
    { name: "one that swings", values: series(60, (i) => 50 + (i % 2) * 20), isFlat: true },
    { name: "one that falls", values: series(60, (i) => 100 - i), isFlat: true },
    { name: "one that grows all the time", values: series(60, (i) => 10 + i), isFlat: false },
    { name: "one that jumps late", values: series(60, (i) => (i < 42 ? 50 : 60)), isFlat: false },
  ])("$name: $isFlat", ({ values, isFlat }) => {
    expect(checkFlat(values, allowance)?.isFlat).toBe(isFlat);
  });

  it("says nothing of too few samples", () => {
    expect(checkFlat([1, 2, 3, 4, 5, 6, 7, 8], allowance)).toBeUndefined();
  });
});
