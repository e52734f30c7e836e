/** Amounts of IFR: 18 decimals, always a bigint of wei inside and a decimal string outside. Pure. */
import { formatUnits } from "ethers";
import { InferiumError } from "../base/errors.ts";

/** @throws InferiumError InvalidAmount */
export function parseIfr(text: string): bigint {
  if (!/^(0|[1-9][0-9]{0,8})(\.[0-9]{1,18})?$/.test(text)) {
    throw new InferiumError(
      "InvalidAmount",
      `An amount of IFR is "${text.slice(0, 40)}"; expected digits with at most 18 decimals, such as "1.5".`,
    );
  }
  // A task is asked a dozen times what it pays, 100,000 waiting ones at an operator's start: parseUnits takes eight times as long.
  const [whole = "", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(18, "0"));
}

export function formatIfr(wei: bigint): string {
  return formatUnits(wei, 18).replace(/\.0$/, "");
}
