import { expect, test } from "vitest";
import { formatValue, type ParameterUnit, parseValue } from "../../../src/chain/parameter-value.ts";

test.each<[ParameterUnit, string, bigint, string]>([
  ["seconds", "0", 0n, "0s"],
  ["seconds", "90", 90n, "90s"],
  ["seconds", "15m", 900n, "15m"],
  ["seconds", "3600s", 3_600n, "1h"],
  ["seconds", "36h", 129_600n, "36h"],
  ["seconds", "2d", 172_800n, "2d"],
  ["IFR", "12000.5", 12_000_500_000_000_000_000_000n, "12000.5 IFR"],
  ["IFR", "1 IFR", 10n ** 18n, "1 IFR"],
  ["bps", "3000", 3_000n, "3000 bps"],
  ["count", "5", 5n, "5"],
  ["address", `0x${"00".repeat(19)}01`, 1n, `0x${"00".repeat(19)}01`],
])("%s %s", (unit, text, value, shown) => {
  expect(parseValue("a.b", unit, text)).toBe(value);
  expect(formatValue(unit, value)).toBe(shown);
});

test.each<[ParameterUnit, string]>([
  ["seconds", "1w"],
  ["seconds", "-1"],
  ["seconds", "1.5h"],
  ["bps", "30m"],
  ["count", "0x10"],
  ["count", ""],
  ["address", `0x${"00".repeat(20)}`],
  ["address", "0x1"],
])("refuses %s %j", (unit, text) => {
  expect(() => parseValue("a.b", unit, text)).toThrow(expect.objectContaining({ code: "InvalidParameters" }));
});
