/** The words of 32 bytes that a contract's answer is made of where none of it has a length of its own. Pure. */
import { checksumAddress } from "../protocol/checksum-address.ts";

const wordDigits = 64;

export function isDigits(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-f]*$/.test(value);
}

/** An address as a call has it, without 0x. */
export function toWord(address: string): string {
  return address.slice(2).toLowerCase().padStart(wordDigits, "0");
}

/** By the names of the answer's parts in their order, or undefined where it has another number of words. */
export function readWords<Name extends string>(
  data: string,
  names: readonly Name[],
): Readonly<Record<Name, bigint>> | undefined {
  if (data.length !== 2 + names.length * wordDigits) return undefined;
  const words = names.map((name, index) => [name, BigInt(`0x${data.substr(2 + index * wordDigits, wordDigits)}`)]);
  return Object.fromEntries(words) as Record<Name, bigint>;
}

export function toAddress(word: bigint): string {
  return checksumAddress(`0x${word.toString(16).padStart(40, "0")}`);
}
