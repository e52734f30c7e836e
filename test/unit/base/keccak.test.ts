/** The hash is ethers' own, for every length around the blocks' edges and for long ones. */
import { id, keccak256 as ofEthers } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keccak256, keccakText } from "../../../src/base/keccak.ts";

describe("keccak256", () => {
  test("is ethers' for every length up to two blocks", () => {
    for (let length = 0; length <= 2 * 136 + 1; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) % 256);
      expect(keccak256(bytes), `${length} bytes`).toBe(ofEthers(bytes));
    }
  });

  for (const length of [65_143, 65_144, 65_280, 200_000])
    test(`is ethers' for ${length} bytes, and for few after them`, () => {
      const bytes = new Uint8Array(length).fill(7);
      expect(keccak256(bytes)).toBe(ofEthers(bytes));
      expect(keccak256(bytes.subarray(0, 3))).toBe(ofEthers(bytes.subarray(0, 3)));
    });

  test("leaves out what comes after the length", () => {
    expect(keccak256(Uint8Array.of(1, 2, 3), 2)).toBe(ofEthers(Uint8Array.of(1, 2)));
  });
});

describe("keccakText", () => {
  test("hashes UTF-8 as ethers' id does", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => keccakText(text) === id(text)));
  });
});
