import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { RequeueRests } from "../../../src/operator/requeue-rests.ts";
import { computeRequeueDelay } from "../../../src/protocol/failure-class.ts";

const endedMs = Date.parse("2026-01-01T00:00:00.000Z");
const failed = { attempt: 1, worker: "w", outcome: "Failed", reason: "OutOfMemory", message: "" } as const;
const attempts = [{ ...failed, endedAt: new Date(endedMs).toISOString() }];
const entry = { key: "default/t", uid: "u", status: { attempts } } as never;
const delayMs = computeRequeueDelay(attempts);

function aScene(aheadMs: number) {
  const time = { wallMs: endedMs + aheadMs, passedMs: 0 };
  const rests = new RequeueRests({ ...systemClock, now: () => time.wallMs, monotonic: () => time.passedMs });
  return { time, rests };
}

test("a task rests for the delay from the end of its last attempt, also across a restart", () => {
  expect(delayMs).toBeGreaterThan(500);
  expect(aScene(0).rests.leftOf(entry)).toBe(delayMs);
  expect(aScene(200).rests.leftOf(entry)).toBe(delayMs - 200);
  expect(aScene(3_600_000).rests.leftOf(entry)).toBeLessThan(0);
});

test("an end that lies ahead, under a clock that was set back since, costs no more than the delay", () => {
  const { time, rests } = aScene(-3_600_000);
  expect(rests.leftOf(entry)).toBe(delayMs);
  time.passedMs += delayMs;
  expect(rests.leftOf(entry)).toBe(0);
});

test("a clock that is set while it rests neither ends the rest nor prolongs it", () => {
  const { time, rests } = aScene(0);
  rests.leftOf(entry);
  time.passedMs += 100;
  for (const jumpMs of [7_200_000, -14_400_000]) {
    time.wallMs += jumpMs;
    expect(rests.leftOf(entry)).toBe(delayMs - 100);
  }
});

test("a task without a failed attempt does not rest", () => {
  expect(aScene(0).rests.leftOf({ key: "default/t", uid: "u", status: {} } as never)).toBe(0);
});
