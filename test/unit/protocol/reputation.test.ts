import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  computeScore,
  defaultReputationOptions,
  newcomer,
  type Outcome,
  type OutcomeEvent,
  recordOutcome,
} from "../../../src/protocol/reputation.ts";

const { halfLifeMs } = defaultReputationOptions;
const fold = (events: readonly OutcomeEvent[]) =>
  events.reduce((state, event) => recordOutcome(state, event), newcomer);
const outcome = fc.constantFrom<Outcome>("Completed", "Failed", "Expired", "Rejected");
const event = fc.record({ outcome, atMs: fc.integer({ min: 1, max: 1e12 }) });

describe("reputation", () => {
  test("a newcomer starts at the prior, not at nothing", () => expect(computeScore(newcomer, 5)).toBe(0.8));

  test("law: the score stays between 0 and 1 and counts every outcome once", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 50 }), (events) => {
        const state = fold(events);
        const score = computeScore(state, 2e12);
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThan(1);
        expect(state.completed + state.failed + state.rejected).toBe(events.length);
      }),
    );
  });

  test("law: a success never lowers the score, anything else never raises it", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), outcome, (events, last) => {
        const state = fold(events);
        const atMs = Math.max(1, state.updatedAtMs);
        const before = computeScore(state, atMs);
        const after = computeScore(recordOutcome(state, { outcome: last, atMs }), atMs);
        if (last === "Completed") expect(after).toBeGreaterThanOrEqual(before);
        else expect(after).toBeLessThanOrEqual(before);
      }),
    );
  });

  test("law: what happened is forgotten towards the prior, and never past it", () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 1e12 }),
        (events, later) => {
          const state = fold(events);
          const prior = computeScore(newcomer, 0);
          const now = computeScore(state, state.updatedAtMs);
          const then = computeScore(state, state.updatedAtMs + later);
          expect(Math.abs(then - prior)).toBeLessThanOrEqual(Math.abs(now - prior) + 1e-12);
        },
      ),
    );
  });

  test("after one half-life an outcome weighs half", () => {
    const state = recordOutcome(newcomer, { outcome: "Completed", atMs: 1_000 });
    const later = recordOutcome(state, { outcome: "Completed", atMs: 1_000 + halfLifeMs });
    expect(later.success).toBeCloseTo(1.5, 9);
  });

  test("an outcome that is told late counts as much as if it had been told in time", () => {
    const early: OutcomeEvent = { outcome: "Rejected", atMs: 1_000 };
    const late: OutcomeEvent = { outcome: "Completed", atMs: 1_000 + halfLifeMs };
    const [a, b] = [fold([early, late]), fold([late, early])];
    expect(b.success).toBeCloseTo(a.success, 9);
    expect(b.failure).toBeCloseTo(a.failure, 9);
  });

  test("a rejection weighs more than a lost machine", () => {
    const scoreAfter = (one: Outcome) => computeScore(recordOutcome(newcomer, { outcome: one, atMs: 1 }), 1);
    expect(scoreAfter("Rejected")).toBeLessThan(scoreAfter("Expired"));
    expect(scoreAfter("Expired")).toBeLessThan(scoreAfter("Failed"));
  });
});
