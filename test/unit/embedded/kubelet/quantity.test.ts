import { describe, expect, it } from "vitest";
import { formatMilli, parseMilli } from "../../../../src/embedded/kubelet/quantity.ts";

describe("parseMilli", () => {
  const cases: { quantity: string | number; want: bigint }[] = [
    { quantity: "500m", want: 500n },
    { quantity: "2", want: 2_000n },
    { quantity: 3, want: 3_000n },
    { quantity: "1.5", want: 1_500n },
    { quantity: ".5", want: 500n },
    { quantity: "1Ki", want: 1_024_000n },
    { quantity: "1.5Gi", want: 1_610_612_736_000n },
    { quantity: "16G", want: 16_000_000_000_000n },
    { quantity: "1e3", want: 1_000_000n },
    { quantity: "2E-1", want: 200n },
    { quantity: "1E", want: 1_000_000_000_000_000_000_000n },
    { quantity: "1u", want: 1n },
    { quantity: "-1", want: -1_000n },
  ];
  it.each(cases)("reads $quantity as $want thousandths", ({ quantity, want }) => {
    expect(parseMilli(quantity)).toBe(want);
  });

  it.each(["", "abc", "1KiB", "1 Gi", ".", "1..2"])("refuses '%s'", (quantity) => {
    expect(() => parseMilli(quantity)).toThrow(/not valid/);
  });

  it("writes thousandths in their shortest form", () => {
    expect([formatMilli(1_500n), formatMilli(2_000n)]).toEqual(["1500m", "2"]);
  });
});
