import { describe, expect, test } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import { createRateLimiter } from "../../../src/base/rate-limit.ts";
import { createChallenges } from "../../../src/pool/challenge.ts";
import { createSessionStore } from "../../../src/pool/sessions.ts";

function aClock(): Clock & { advance(ms: number): void } {
  let nowMs = 1_000_000;
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async () => undefined,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

describe("the rate limiter", () => {
  test("lets a burst pass, then the rate, and says how long to wait", () => {
    const clock = aClock();
    const limiter = createRateLimiter({ perSecond: 2, burst: 3 }, clock);
    expect([1, 2, 3, 4].map(() => limiter.take("a"))).toEqual([0, 0, 0, 500]);
    expect(limiter.take("b")).toBe(0);
    clock.advance(500);
    expect([limiter.take("a"), limiter.take("a")]).toEqual([0, 500]);
    clock.advance(60_000);
    expect([1, 2, 3, 4].map(() => limiter.take("a"))).toEqual([0, 0, 0, 500]);
  });

  test("forgets the key used longest ago beyond its bound, not a busy one", () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1 }, aClock(), 2);
    for (const key of ["busy", "idle", "busy", "new"]) limiter.take(key);
    expect(limiter.take("busy")).toBeGreaterThan(0);
    // Forgotten, so it starts afresh.
    expect(limiter.take("idle")).toBe(0);
  });
});

describe("challenges", () => {
  const account = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
  const claim = (challenges: ReturnType<typeof createChallenges>) => ({
    account,
    role: "Worker" as const,
    ...challenges.issue(account, "Worker"),
  });

  test("are redeemed once, in either spelling", () => {
    const challenges = createChallenges(1000, aClock());
    const given = claim(challenges);
    const loud = { ...given, challenge: `0x${given.challenge.slice(2).toUpperCase()}` };
    expect([challenges.redeem(given), challenges.redeem(given), challenges.redeem(loud)]).toEqual([
      "Valid",
      "Used",
      "Used",
    ]);
  });

  test.for([
    { name: "a later expiry", change: { expiresAtMs: 9_999_999 } },
    { name: "another account", change: { account: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" } },
    { name: "another role", change: { role: "Validator" as const } },
    { name: "other bytes", change: { challenge: `0x${"0".repeat(64)}` } },
    { name: "too few bytes", change: { challenge: "0x00" } },
  ])("with $name are forged", ({ change }) => {
    const challenges = createChallenges(1000, aClock());
    expect(challenges.redeem({ ...claim(challenges), ...change })).toBe("Forged");
  });

  test("never forget a used one that is still good, and forget it when it has expired", () => {
    const clock = aClock();
    const challenges = createChallenges(1000, clock, 2);
    const used = [claim(challenges), claim(challenges)];
    expect(used.map((given) => challenges.redeem(given))).toEqual(["Valid", "Valid"]);
    const third = claim(challenges);
    expect(challenges.redeem(third)).toBe("Full");
    expect(used.map((given) => challenges.redeem(given))).toEqual(["Used", "Used"]);
    clock.advance(1001);
    expect(challenges.redeem(claim(challenges))).toBe("Valid");
    expect(challenges.redeem(third)).toBe("Expired");
  });
});

describe("the store of sessions", () => {
  const caller = (account: string) => ({ account, role: "Worker" as const, node: "n" });

  test("opens none beyond its bound until one expires", () => {
    const clock = aClock();
    const store = createSessionStore({ ttlMs: 1000, maxSessions: 2, maxPerAccount: 9, clock });
    const first = store.open(caller("a"));
    clock.advance(600);
    store.open(caller("b"));
    expect(store.open(caller("c"))).toBeUndefined();
    expect(store.find(first?.token ?? "")).toEqual(caller("a"));
    clock.advance(500);
    expect(store.open(caller("c"))).toBeDefined();
    expect(store.find(first?.token ?? "")).toBeUndefined();
  });
});
