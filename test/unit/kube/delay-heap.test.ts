import fc from "fast-check";
import { expect, test } from "vitest";
import { DelayHeap } from "../../../src/kube/delay-heap.ts";

test("a delay heap gives back whatever was pushed, in order of time", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (times) => {
      const heap = new DelayHeap<{ readonly at: number; readonly value: number }>();
      for (const [value, at] of times.entries()) heap.push({ at, value });
      const popped: number[] = [];
      for (let entry = heap.pop(); entry !== undefined; entry = heap.pop()) popped.push(entry.at);
      expect(popped).toEqual(times.toSorted((a, b) => a - b));
    }),
  );
});
