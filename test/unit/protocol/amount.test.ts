import { parseUnits } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIfr, parseIfr } from "../../../src/protocol/amount.ts";

describe("an amount of IFR", () => {
  test("law: is as many wei as ethers says, and written as it was read", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 18 });
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.option(digits), (whole, fraction) => {
        const text = fraction === null ? `${whole}` : `${whole}.${fraction}`;
        const wei = parseIfr(text);
        expect(wei).toBe(parseUnits(text, 18));
        expect(parseIfr(formatIfr(wei))).toBe(wei);
      }),
    );
  });

  test.each(["", "-1", "+1", "01", "1.", ".5", "1e3", "0x1", " 1", "1_000", "1.0000000000000000001", "1000000000"])(
    "%j is none",
    (text) => {
      expect(() => parseIfr(text)).toThrow("An amount of IFR is");
    },
  );
});
