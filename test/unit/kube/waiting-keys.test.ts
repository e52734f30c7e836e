import fc from "fast-check";
import { expect, test } from "vitest";
import { type WaitingKey, WaitingKeys } from "../../../src/kube/waiting-keys.ts";

const step = fc.oneof(
  fc.record({ key: fc.constantFrom("a", "b", "c", "d", "e"), priority: fc.integer({ min: -2, max: 2 }) }),
  fc.constant("take" as const),
);

test("waiting keys come in the order of a sorted list, whatever is put, put again and taken", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const keys = new WaitingKeys();
      let model: WaitingKey[] = [];
      for (const [since, next] of steps.entries()) {
        if (next === "take") {
          // Sorting is stable, so equal priorities stay in order of arrival.
          const first = model.toSorted((a, b) => b.priority - a.priority)[0];
          expect(keys.shift()).toEqual(first);
          model = model.filter((item) => item !== first);
        } else {
          keys.put({ ...next, since });
          model = [...model.filter((item) => item.key !== next.key), { ...next, since }];
        }
        expect(keys.size).toBe(model.length);
      }
    }),
  );
});

test("keys that rise or are taken again and again leave little behind, though a lower priority never gets its turn", () => {
  const keys = new WaitingKeys();
  const taken = new Set<number | undefined>();
  for (let i = 0; i < 5_000; i++) {
    keys.put({ key: "busy", priority: 0, since: i });
    keys.put({ key: "busy", priority: 1, since: i });
    taken.add(keys.shift()?.priority);
  }
  expect(taken).toEqual(new Set([1]));
  expect(keys.kept).toBeLessThan(2_000);
  keys.put({ key: "patient", priority: 0, since: 0 });
  expect(keys.shift()).toEqual({ key: "patient", priority: 0, since: 0 });
  expect([keys.shift(), keys.kept]).toEqual([undefined, 0]);
});
