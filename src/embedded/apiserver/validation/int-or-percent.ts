/** Counts that may be given as a share of the whole: `3` or `25%`. Pure. */
import type { Findings } from "./findings.ts";
import { checkPercent } from "./names.ts";

export function checkIntOrPercent(value: unknown, path: string, found: Findings): void {
  if (typeof value === "string") found.holds(path, value, checkPercent);
  else found.notNegative(path, value);
}

export function checkAtMostWhole(value: unknown, path: string, found: Findings): void {
  if (typeof value === "string" && checkPercent(value) === undefined && Number(value.slice(0, -1)) > 100)
    found.invalid(path, value, "must not be greater than 100%");
}

export const isZero = (value: unknown): boolean => Number(String(value ?? 0).replace("%", "")) === 0;
