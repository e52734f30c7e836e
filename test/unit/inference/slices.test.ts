import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStack, cutTensor } from "../../../src/inference/slices.ts";
import { tensorFrom } from "../../../src/protocol/tensors/elements.ts";

const range = (length: number) => Array.from({ length }, (_, i) => i);

describe("cutting and stacking along axis 0", () => {
  it("are each other's inverse", () => {
    const sizes = {
      steps: fc.integer({ min: 1, max: 5 }),
      rows: fc.integer({ min: 1, max: 4 }),
      width: fc.integer({ min: 0, max: 3 }),
    };
    fc.assert(
      fc.property(fc.record(sizes), ({ steps, rows, width }) => {
        const tensor = tensorFrom("int16", [steps * rows, width], range(steps * rows * width));
        const stack = createStack("y", steps, 1000);
        for (const part of cutTensor("x", tensor, steps)) stack.push(part);
        expect({ ...stack.finish(), data: [...stack.finish().data] }).toEqual({ ...tensor, data: [...tensor.data] });
      }),
    );
  });

  it("cut without copying", () => {
    const tensor = tensorFrom("uint8", [4], [0, 1, 2, 3]);
    const second = cutTensor("x", tensor, 2)[1];
    expect(second).toMatchObject({ shape: [2] });
    expect([...second!.data]).toEqual([2, 3]);
    expect(second!.data.buffer).toBe(tensor.data.buffer);
  });

  it("make a vector of one scalar for each step", () => {
    const stack = createStack("y", 2, 1000);
    stack.push(tensorFrom("float32", [], [1]));
    stack.push(tensorFrom("float32", [], [2]));
    expect(stack.finish().shape).toEqual([2]);
  });

  it.each([
    { what: "a length that is not a multiple", shape: [5], count: 2 },
    { what: "a scalar", shape: [], count: 1 },
    { what: "nothing", shape: [0, 2], count: 1 },
  ])("cannot cut $what", ({ shape, count }) => {
    const tensor = tensorFrom("uint8", shape, range(shape.reduce((a, b) => a * b, 1)));
    expect(() => cutTensor("x", tensor, count)).toThrow(expect.objectContaining({ code: "InvalidSteps" }));
  });

  it("cannot stack outputs that change their shape", () => {
    const stack = createStack("y", 2, 1000);
    stack.push(tensorFrom("uint8", [2], [1, 2]));
    expect(() => stack.push(tensorFrom("uint8", [1, 2], [1, 2]))).toThrow(/changes its shape/);
  });

  it("refuse a stack over the limit at its first step", () => {
    const stack = createStack("y", 1000, 1999);
    expect(() => stack.push(tensorFrom("uint8", [2], [1, 2]))).toThrow(expect.objectContaining({ code: "TooLarge" }));
  });
});
