import { describe, expect, test } from "vitest";
import { countSBoxes, poseidonParameters } from "../../../src/zk/poseidon/constants.ts";
import { hashElements, permute, spongeWidthOf } from "../../../src/zk/poseidon/sponge.ts";

describe("Poseidon", () => {
  test.each([
    [3, 7853200120776062878684798364095072458815029376092732009249414926327459813530n],
    [17, 9989051620750914585850546081941653841776809718687451684622678807385399211877n],
  ])("of width %i gives circomlib's hash of 1, 2, 3 and so on, and so has the published constants", (width, hash) => {
    const numbers = Array.from({ length: width }, (_, index) => BigInt(index));
    expect(permute(numbers, poseidonParameters(width))[0]).toBe(hash);
  });

  test("tells inputs of different lengths apart, also where only zeros were added", () => {
    expect(hashElements([1n])).not.toBe(hashElements([1n, 0n]));
    expect(hashElements(new Array(16).fill(1n))).not.toBe(hashElements([...new Array(16).fill(1n), 0n]));
  });

  test("has the width that takes the fewest S-boxes for a length", () => {
    expect([1, 2, 4, 27, 93].map(spongeWidthOf)).toEqual([2, 3, 5, 15, 17]);
    const countBoxes = (length: number, width: number) => Math.ceil(length / (width - 1)) * countSBoxes(width);
    for (let length = 1; length < 200; length++)
      for (let width = 2; width <= 17; width++)
        expect(countBoxes(length, spongeWidthOf(length))).toBeLessThanOrEqual(countBoxes(length, width));
  });

  test("refuses a width that has no parameters", () => {
    expect(() => poseidonParameters(18)).toThrow("expected 2 to 17");
  });
});
