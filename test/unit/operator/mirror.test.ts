import { describe, expect, test } from "vitest";
import { createMirror, type MirrorOptions } from "../../../src/operator/controllers/mirror.ts";

/** One worker whose status never stays the same, a clock that is moved by hand, and what was written. */
function aScene() {
  let nowMs = 10_000;
  let active = 0;
  const writes: unknown[] = [];
  const worker = { metadata: { name: "w1", generation: 1 }, spec: { role: "Worker", address: "0x1" }, status: {} };
  const mirror = createMirror({
    client: { applyStatus: async ({ status }: { status: unknown }) => writes.push(status) },
    directory: {
      get: (name: string) => (name === "w1" ? worker : undefined),
      isBonded: () => true,
      isDisqualified: () => false,
      provenOf: () => ({ holds: true, reason: "Proven", message: "It is." }),
    },
    bonds: { of: () => undefined },
    presence: { of: () => ({ lastSeenMs: 0, models: new Set() }), isConnected: () => true },
    recordOf: () => undefined,
    reputations: { of: () => ({ completed: 0, failed: 0, rejected: 0, updatedAtMs: 0 }), scoreOf: () => 1 },
    clock: { now: () => nowMs, monotonic: () => nowMs },
    countActive: () => active,
    earningsOf: () => ({}),
  } as unknown as MirrorOptions);
  const look = async () => {
    active++;
    return mirror.reconcile("w1", new AbortController().signal);
  };
  return { mirror, look, writes, pass: (ms: number) => (nowMs += ms) };
}

describe("the mirror of what is known of a worker", () => {
  test("looks at once at one it has not looked at, or not lately", async () => {
    const { mirror, look, pass } = aScene();
    expect(mirror.decideDelay("w1")).toBe(0);
    await look();
    pass(2_000);
    expect(mirror.decideDelay("w1")).toBe(0);
  });

  test("plans one look where there is news soon after the last, however much of it", async () => {
    const { mirror, look, pass } = aScene();
    await look();
    pass(500);
    expect([1, 2, 3].map(() => mirror.decideDelay("w1"))).toEqual([1_500, undefined, undefined]);
    pass(1_500);
    await look();
    pass(100);
    expect(mirror.decideDelay("w1")).toBe(1_900);
  });

  test("writes what changed, at most once in two seconds", async () => {
    const { look, writes, pass } = aScene();
    await look();
    expect(await look()).toEqual({ requeueAfterMs: 2_000 });
    expect(writes).toHaveLength(1);
    pass(2_000);
    expect(await look()).toEqual({ requeueAfterMs: 15_000 });
    expect(writes).toHaveLength(2);
  });
});
