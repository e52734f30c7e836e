import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { mapConcurrently } from "../../../src/operator/map-concurrently.ts";
import { OutputCache } from "../../../src/operator/output-cache.ts";
import { Presence } from "../../../src/operator/presence.ts";

describe("Presence", () => {
  let nowMs = 1_000;
  const clock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: () => Promise.resolve() };
  const cases = [
    {
      name: "just after a start nobody is there and nobody is gone",
      seenAt: undefined,
      at: 1_500,
      want: [false, false],
    },
    { name: "who never called in time is gone", seenAt: undefined, at: 2_000, want: [false, true] },
    { name: "who called is connected", seenAt: 1_800, at: 2_799, want: [true, false] },
    { name: "until the silence has lasted too long", seenAt: 1_800, at: 2_800, want: [false, true] },
  ];
  for (const { name, seenAt, at, want } of cases) {
    test(name, () => {
      nowMs = 1_000;
      const presence = new Presence(clock, 1_000);
      if (seenAt !== undefined) nowMs = seenAt;
      if (seenAt !== undefined) presence.see("w", ["m"]);
      nowMs = at;
      expect([presence.isConnected("w"), presence.isGone("w")]).toEqual(want);
    });
  }
});

test("a wall clock that is set makes nobody gone, and nobody that is gone there again", () => {
  let [wallMs, passedMs] = [1_000_000, 0];
  const presence = new Presence({ ...systemClock, now: () => wallMs, monotonic: () => passedMs }, 1_000);
  presence.see("w");
  wallMs += 3_600_000;
  expect([presence.isConnected("w"), presence.isGone("w")]).toEqual([true, false]);
  passedMs += 1_000;
  wallMs -= 3_600_000;
  expect([presence.isConnected("w"), presence.isGone("w")]).toEqual([false, true]);
});

describe("OutputCache", () => {
  test("forgets the oldest first, and never holds more than its bound", () => {
    const cache = new OutputCache();
    for (let i = 0; i < 1_100; i++) cache.keep(String(i), { y: { dtype: "int8", shape: [1], data: [1] } });
    expect(cache.get("0")).toBeUndefined();
    expect(cache.get("75")).toBeUndefined();
    expect(cache.get("76")).toBeDefined();
    const big = { y: { dtype: "int8", shape: [1], base64: "A".repeat(40 * 2 ** 20) } };
    cache.keep("big", big);
    expect(cache.get("1099")).toBeUndefined();
  });
});

describe("mapConcurrently", () => {
  test("keeps the order, runs at most so many at once, and tells the first failure when all have ended", async () => {
    let running = 0;
    let most = 0;
    const work = async (item: number) => {
      running++;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      if (item === 7) throw new Error("seven");
      return item * 2;
    };
    expect(await mapConcurrently([1, 2, 3, 4, 5], 2, work)).toEqual([2, 4, 6, 8, 10]);
    expect(most).toBe(2);
    await expect(mapConcurrently([6, 7, 8, 9], 2, work)).rejects.toThrow("seven");
    expect(running).toBe(0);
  });
});
