import { describe, expect, test } from "vitest";
import { decideReplicas, type Load, type Need, type ReplicaRules } from "../../../src/protocol/replicas.ts";

const rules: ReplicaRules = {
  ...{ min: 1, max: 5, targetInFlight: 4, targetP95Ms: 0 },
  ...{ scaleUpMs: 5_000, scaleDownMs: 60_000 },
};
const load = (inFlight: number, queued = 0, p95Ms = 10): Load => ({ inFlight, queued, p95Ms });

/** Decides once a second over the loads, and answers how many replicas there were after each. */
function follow(loads: readonly (Load | undefined)[], change: Partial<ReplicaRules> = {}, start = 1): number[] {
  let needs: readonly Need[] = [];
  let current = start;
  return loads.map((one, second) => {
    const decided = decideReplicas({ ...rules, ...change }, { current, load: one, needs, nowMs: second * 1_000 });
    [current, needs] = [decided.replicas, decided.needs];
    return current;
  });
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe("replicas of an agent", () => {
  test("are added once more was needed for a while, as many as calls in flight and waiting ask for", () => {
    const got = follow(times(8, load(6, 5)));
    expect(got.slice(0, 5)).toEqual(times(5, 1));
    expect(got.at(-1)).toBe(3);
  });

  test("are not added for a burst of a moment", () => {
    expect(follow([...times(6, load(1)), load(40), ...times(6, load(1))])).toEqual(times(13, 1));
  });

  test("are removed only when no moment of a while needed them", () => {
    const calm = times(40, load(1));
    const got = follow([...calm, load(11), ...times(70, load(1))], {}, 3);
    expect(got[59]).toBe(3);
    expect(got[99]).toBe(3);
    expect(got.at(-1)).toBe(1);
  });

  test("stay within their bounds, whatever is asked", () => {
    expect(follow(times(10, load(1_000))).at(-1)).toBe(5);
    expect(follow(times(100, load(0)), { min: 2 }, 4).at(-1)).toBe(2);
  });

  test("are one more while latency is above its bound, though few calls wait", () => {
    const slow = { targetP95Ms: 50 };
    expect(follow(times(7, load(2, 0, 80)), slow).at(-1)).toBe(2);
    expect(follow(times(7, load(2, 0, 40)), slow).at(-1)).toBe(1);
    expect(follow(times(7, load(0, 0, 80)), slow).at(-1)).toBe(1);
  });

  test("stay as they are while no gateway reports", () => {
    expect(follow(times(100, undefined), {}, 4)).toEqual(times(100, 4));
  });
});
