import { describe, expect, test } from "vitest";
import { WritePace } from "../../../src/operator/write-pace.ts";

describe("the pace of writes", () => {
  test("lets a burst go at once and the rest in turns, each kept until it comes", () => {
    const pace = new WritePace({ ratePerSecond: 10, burst: 2 });
    expect(["a", "b", "c", "d"].map((name) => pace.take(name, 1_000))).toEqual([0, 0, 100, 200]);
    expect(["d", "c"].map((name) => pace.take(name, 1_050))).toEqual([150, 50]);
    expect(pace.take("c", 1_100)).toBe(0);
    // Its turn is over: the next one comes behind those that wait.
    expect(pace.take("c", 1_100)).toBe(200);
    expect(pace.take("d", 1_200)).toBe(0);
  });

  test("fills up again while nobody writes, and no further than the burst", () => {
    const pace = new WritePace({ ratePerSecond: 10, burst: 2 });
    for (const name of ["a", "b", "c"]) pace.take(name, 0);
    expect(["d", "e", "f"].map((name) => pace.take(name, 60_000))).toEqual([0, 0, 100]);
  });

  test("keeps no turn of who is gone", () => {
    const pace = new WritePace({ ratePerSecond: 10, burst: 1 });
    pace.take("a", 0);
    expect(pace.take("b", 0)).toBe(100);
    pace.forget("b");
    expect(pace.take("b", 0)).toBe(200);
  });
});
