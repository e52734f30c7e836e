import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { sha256 } from "../../../src/base/digest.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { deliverWindow } from "../../../src/gateway/meter/deliver-window.ts";
import { createOpenWindow } from "../../../src/gateway/meter/open-window.ts";
import type { CallSink } from "../../../src/pool/agents.ts";
import { PoolRefusal } from "../../../src/pool/refusal.ts";

function aClosedWindow() {
  const options = { receiptKey: `0x${"5a".repeat(32)}`, nonce: `0x${"1".repeat(32)}`, openedAtMs: 0 };
  const window = createOpenWindow({ agentId: "a-1", callerId: "alice" }, options);
  const digests = { inputDigest: sha256("in"), outputDigest: sha256("out"), inputs: undefined, outputs: undefined };
  window.add({ ...digests, outcome: "Ok", priceWei: 5n, startedAtMs: 1, endedAtMs: 2, sizeBytes: 10 });
  return window.close();
}

/** Time passes at once, and how long was to be waited is written down. */
function aClock(slept: number[]): Clock {
  return { ...systemClock, sleep: async (ms) => void slept.push(ms) };
}

function deliver(sink: CallSink) {
  const slept: number[] = [];
  const committed: string[] = [];
  const result = deliverWindow(aClosedWindow(), {
    ...{ sink, clock: aClock(slept), logger: silentLogger, signal: new AbortController().signal },
    onCommitted: ({ window }) => void committed.push(window.windowId),
  });
  return { result, slept, committed };
}

const seed = `0x${"17".repeat(32)}`;

test("a window that is not taken for a passing reason comes again with a growing pause, and is taken", async () => {
  let asked = 0;
  const { result, slept, committed } = deliver({
    async commit() {
      if (++asked < 12) throw new PoolRefusal(503, "AgentPaused", "come again");
      return { seed, samples: 1 };
    },
    open: async (_, calls) => void expect(calls).toHaveLength(1),
  });
  expect(await result).toBe("Opened");
  expect(committed).toHaveLength(1);
  expect(slept).toHaveLength(11);
  expect(slept[0]).toBeLessThanOrEqual(250);
  expect(Math.max(...slept)).toBeGreaterThan(5_000);
  expect(Math.max(...slept)).toBeLessThanOrEqual(15_000);
});

test("a window that is refused for good is not brought again", async () => {
  let asked = 0;
  const { result, slept, committed } = deliver({
    async commit() {
      asked += 1;
      throw new PoolRefusal(422, "UnknownAgent", "there is none");
    },
    open: async () => undefined,
  });
  expect(await result).toBe("Refused");
  expect([asked, slept, committed]).toEqual([1, [], []]);
});

test("an error that nobody foresaw is no refusal: what is behind it may pass", async () => {
  const errors = [new TypeError("fetch failed"), new InferiumError("Odd", "odd", { disposition: "retry" })];
  const { result } = deliver({
    async commit() {
      const error = errors.pop();
      if (error) throw error;
      return { seed, samples: 1 };
    },
    open: async () => undefined,
  });
  expect(await result).toBe("Opened");
});
