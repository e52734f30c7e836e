/**
 * Kubernetes quantities ("500m", "16Gi", "1e3") as exact integers of 1/1000, so that sums never drift. Pure. Called by
 * the scheduler's resource filter and by the kubelet's resourceFieldRef.
 */
import { InferiumError } from "../../base/errors.ts";
import { parseNanos } from "../quantity.ts";

const nanosPerMilli = 1_000_000n;

/** @returns thousandths, rounded up in magnitude as the API server does; throws `InvalidQuantity` */
export function parseMilli(quantity: string | number): bigint {
  const nanos = parseNanos(quantity);
  if (nanos === undefined) {
    throw new InferiumError(
      "InvalidQuantity",
      `Quantity '${quantity}' is not valid: expected a number such as 500m or 16Gi.`,
    );
  }
  return nanos < 0n ? -ceilDivide(-nanos, nanosPerMilli) : ceilDivide(nanos, nanosPerMilli);
}

export function ceilDivide(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

/** The shortest decimal form of thousandths: 1500n is "1500m", 2000n is "2". */
export function formatMilli(milli: bigint): string {
  return milli % 1000n === 0n ? String(milli / 1000n) : `${milli}m`;
}
