/** Values of governed parameters as text: what people write, and what they read. Pure. */
import { getAddress, isAddress, ZeroAddress } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { formatIfr, parseIfr } from "../protocol/amount.ts";

export type ParameterUnit = "IFR" | "seconds" | "bps" | "count" | "address";

const perUnit: Readonly<Record<string, bigint>> = { s: 1n, m: 60n, h: 3_600n, d: 86_400n };

/** IFR with decimals; seconds as 90, 90s, 15m, 12h or 2d; an address; else a whole number. @throws InferiumError InvalidParameters, InvalidAmount */
export function parseValue(name: string, unit: ParameterUnit, text: string): bigint {
  if (unit === "IFR") return parseIfr(text.replace(/ ?IFR$/, ""));
  if (unit === "address") {
    if (isAddress(text) && text !== ZeroAddress) return BigInt(getAddress(text));
    throw new InferiumError("InvalidParameters", `${name} is an address; "${text.slice(0, 80)}" is none.`);
  }
  const [, digits, suffix = "s"] = /^(\d{1,15})([smhd]?)$/.exec(text) ?? [];
  const factor = perUnit[suffix === "" ? "s" : suffix];
  if (digits !== undefined && factor !== undefined && (unit === "seconds" || suffix === ""))
    return BigInt(digits) * factor;
  const expected = unit === "seconds" ? "seconds, or such as 15m, 12h, 2d" : "a whole number";
  throw new InferiumError("InvalidParameters", `${name} is "${text.slice(0, 80)}"; expected ${expected}.`);
}

/** As `parseValue` reads it, times in the largest unit that divides them. */
export function formatValue(unit: ParameterUnit, value: bigint): string {
  if (unit === "IFR") return `${formatIfr(value)} IFR`;
  if (unit === "address") return toAddress(value);
  if (unit === "count") return String(value);
  if (unit === "bps") return `${value} bps`;
  const [suffix, factor] = Object.entries(perUnit).findLast(([, each]) => value !== 0n && value % each === 0n) ?? [
    "s",
    1n,
  ];
  return `${value / factor}${suffix}`;
}

export function toAddress(value: bigint): string {
  return getAddress(`0x${value.toString(16).padStart(40, "0")}`);
}
