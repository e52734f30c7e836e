/**
 * Kubernetes quantities ("500m", "16Gi", "1e3") as exact integers of 1/1000, so that sums never drift. Pure. Called by
 * the scheduler's resource filter and by the kubelet's resourceFieldRef.
 */
import { InferiumError } from "../../base/errors.ts";

const binary: Readonly<Record<string, bigint>> = {
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
};
/** Powers of ten of the decimal suffixes. */
const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d{1,2})|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)?)$/;

/** @returns thousandths, rounded up in magnitude as the API server does; throws `InvalidQuantity` */
export function parseMilli(quantity: string | number): bigint {
  const text = String(quantity);
  const match = pattern.exec(text);
  const whole = match?.[2] ?? "";
  const fraction = match?.[3] ?? "";
  if (match === null || whole + fraction === "") {
    throw new InferiumError(
      "InvalidQuantity",
      `Quantity '${text}' is not valid: expected a number such as 500m or 16Gi.`,
    );
  }
  const digits = BigInt(whole + fraction);
  const multiplier = binary[match[5] ?? ""];
  const exponent = match[4] === undefined ? (decimal[match[5] ?? ""] ?? 0) : Number(match[4].slice(1));
  const power = (multiplier === undefined ? exponent : 0) + 3 - fraction.length;
  const scaled = scaleByTen(digits * (multiplier ?? 1n), power);
  return match[1] === "-" ? -scaled : scaled;
}

function scaleByTen(value: bigint, power: number): bigint {
  if (power >= 0) return value * 10n ** BigInt(power);
  return ceilDivide(value, 10n ** BigInt(-power));
}

export function ceilDivide(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

/** The shortest decimal form of thousandths: 1500n is "1500m", 2000n is "2". */
export function formatMilli(milli: bigint): string {
  return milli % 1000n === 0n ? String(milli / 1000n) : `${milli}m`;
}
