import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { ClaimAges } from "../../../src/operator/claim-ages.ts";

const claimedMs = Date.parse("2026-01-01T00:00:00.000Z");
const iso = (ms: number) => new Date(ms).toISOString();

function aScene() {
  const time = { wallMs: claimedMs, passedMs: 100 };
  const clock = { ...systemClock, now: () => time.wallMs, monotonic: () => time.passedMs };
  const pass = (ms: number) => {
    time.wallMs += ms;
    time.passedMs += ms;
  };
  const assignment = (attempt: number) => ({
    ...{ attempt, worker: "w", address: "0x" },
    ...{ claimedAt: iso(claimedMs), deadline: iso(claimedMs + 60_000) },
  });
  const entry = (attempt = 1) => ({ key: "default/t", uid: "u", status: { assignment: assignment(attempt) } }) as never;
  return { time, pass, ages: new ClaimAges(clock), entry };
}

test("a claim's age and what is left of it pass with time", () => {
  const { pass, ages, entry } = aScene();
  pass(1_000);
  expect(ages.of(entry())).toEqual({ ageMs: 1_000, leftMs: 59_000 });
  pass(70_000);
  expect(ages.of(entry())).toEqual({ ageMs: 71_000, leftMs: -11_000 });
});

test.each([3_600_000, -3_600_000])("a wall clock that is set by %i ms while it runs changes neither", (jumpMs) => {
  const { time, pass, ages, entry } = aScene();
  ages.of(entry());
  time.wallMs += jumpMs;
  pass(2_000);
  expect(ages.of(entry())).toEqual({ ageMs: 2_000, leftMs: 58_000 });
});

test("another attempt, and one seen again after it was forgotten, begin with the wall's time", () => {
  const { time, ages, entry } = aScene();
  ages.of(entry());
  time.wallMs += 10_000;
  expect(ages.of(entry(2))).toEqual({ ageMs: 10_000, leftMs: 50_000 });
  time.wallMs += 10_000;
  ages.forget("default/t");
  expect(ages.of(entry(2))).toEqual({ ageMs: 20_000, leftMs: 40_000 });
});

test("what nobody has claimed has no age", () => {
  const { ages } = aScene();
  expect(ages.of({ key: "default/t", uid: "u", status: {} } as never)).toBeUndefined();
});
