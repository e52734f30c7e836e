import { expect, test } from "vitest";
import { createRunClock, createRunTimes, describeShapes } from "../../../src/inference/run-times.ts";
import { createTensor } from "../../../src/protocol/tensors/tensor.ts";

const noteAll = (times: ReturnType<typeof createRunTimes>, shapes: string, all: readonly number[]) => {
  for (const ms of all) times.note(shapes, ms);
};

test("nothing is said of shapes before sixteen runs of them are known", () => {
  const times = createRunTimes();
  noteAll(times, "a", Array(15).fill(1));
  expect(times.typicalMs("a")).toBeUndefined();
  times.note("a", 1);
  expect(times.typicalMs("a")).toBe(1);
  expect(times.typicalMs("b")).toBeUndefined();
});

test("one run that was held up does not count, and many do, until they are over", () => {
  const times = createRunTimes();
  noteAll(times, "a", [900, ...Array(15).fill(1)]);
  expect(times.typicalMs("a")).toBe(1);
  noteAll(times, "a", Array(16).fill(7));
  expect(times.typicalMs("a")).toBe(7);
  noteAll(times, "a", Array(16).fill(2));
  expect(times.typicalMs("a")).toBe(2);
});

test("of more than 64 shapes the one first seen is forgotten", () => {
  const times = createRunTimes();
  for (let i = 0; i < 65; i++) noteAll(times, `shape ${i}`, Array(16).fill(i));
  expect(times.typicalMs("shape 0")).toBeUndefined();
  expect(times.typicalMs("shape 1")).toBe(1);
  expect(times.typicalMs("shape 64")).toBe(64);
});

test("shapes are told with names and types, so that no two of them are the same", () => {
  const tensors = new Map([
    ["x", createTensor("uint8", [1, 2], new Uint8Array(2))],
    ["y", createTensor("float32", [], new Uint8Array(4))],
  ]);
  expect(describeShapes(tensors)).toBe("x:uint8[1,2] y:float32[] ");
});

test("a run that waited for another is not charged with it", () => {
  let now = 100;
  const clock = createRunClock(() => now);
  const [first, second] = [now, now];
  now = 103;
  expect(clock.end(first)).toBe(3);
  now = 105;
  expect(clock.end(second)).toBe(2);
  now = 200;
  const third = now;
  now = 201;
  expect(clock.end(third)).toBe(1);
});
