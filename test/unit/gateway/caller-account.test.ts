import { describe, expect, it } from "vitest";
import { createCallerAccount } from "../../../src/gateway/meter/caller-account.ts";

function anAccount(budgetWei: string) {
  let nowMs = 0;
  const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined };
  const limits = { requestsPerSecond: 10, burst: 20, maxBodyBytes: 1, timeoutMs: 1, queue: 1 };
  const account = createCallerAccount(clock);
  const say = (wei: string, requestsPerSecond?: number) =>
    account.update(
      { id: "a", keyDigest: "", budgetWei: wei, ...(requestsPerSecond ? { requestsPerSecond } : {}) },
      limits,
    );
  say(budgetWei);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { account, say, pass };
}

const isRefused = (act: () => void) => {
  try {
    act();
    return false;
  } catch {
    return true;
  }
};

describe("a caller's budget", () => {
  it("is held back by calls in progress, and free again when they fail", () => {
    const { account } = anAccount("100");
    account.reserve(100n);
    expect(() => account.reserve(1n)).toThrow("The budget is used up: a call costs 1 wei, 100 wei are left");
    account.release(100n);
    account.reserve(100n);
  });

  it("is held back by windows that the operator took, until it says what is left", () => {
    const { account, say } = anAccount("100");
    account.reserve(60n);
    account.hand(60n);
    expect(isRefused(() => account.reserve(50n))).toBe(true);
    say("100");
    expect(isRefused(() => account.reserve(50n))).toBe(true);
    say("40");
    expect(isRefused(() => account.reserve(41n))).toBe(true);
    account.reserve(40n);
  });

  it("is not held back for ever by what the operator says nothing new of", () => {
    const { account, pass } = anAccount("100");
    account.reserve(60n);
    account.hand(60n);
    pass(31_000);
    account.reserve(100n);
  });
});

describe("a caller's rate", () => {
  it("is the lower one of the agent's and its own", () => {
    const { account, say, pass } = anAccount("0");
    say("0", 1);
    expect([1, 2, 3].map(() => isRefused(account.take))).toEqual([false, false, true]);
    pass(1_000);
    expect([1, 2].map(() => isRefused(account.take))).toEqual([false, true]);
  });

  it("is not refilled by an entry that says the same again", () => {
    const { account, say } = anAccount("0");
    for (let i = 0; i < 20; i++) account.take();
    say("5");
    expect(isRefused(account.take)).toBe(true);
  });
});
