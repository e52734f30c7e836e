/**
 * Values as words of 32 bytes one behind the other, as Solidity's abi.encode and EIP-712 have them, and the hash over them. Takes
 * only what is written in the usual form; whoever has something else asks ethers, which knows every form and what is none. Pure.
 */
import { keccak256, keccakText } from "../base/keccak.ts";
import { checksumAddress } from "./checksum-address.ts";

/** One value; false where this is not its usual form. @param at byte of the word */
export type WriteWord = (value: unknown, at: number) => boolean;

const wordBytes = 32;
const maxWords = 32;
/** Nothing here waits, so one is enough. */
const buffer = Buffer.alloc(maxWords * wordBytes);
const digits = buildDigits();

/** How a value of the type is written, or undefined for types that have no word of their own. */
export function chooseWord(type: string): WriteWord | undefined {
  if (type === "bytes32") return writeBytes32;
  if (type === "address") return writeAddress;
  if (type === "string") return writeText;
  const bits = Number(/^uint(8|32|64|256)$/.exec(type)?.[1]);
  return Number.isNaN(bits) ? undefined : (value, at) => writeUint(value, at, bits);
}

export const writeBytes32: WriteWord = (value, at) => typeof value === "string" && writeHex(value, at, wordBytes);

/** Of words written before. @param count from the first on */
export function hashWords(count: number): string {
  return keccak256(buffer, count * wordBytes);
}

/** Of the word pairs of trees: what was hashed goes in again. */
export function hashTwo(first: string, second: string): string | undefined {
  return writeBytes32(first, 0) && writeBytes32(second, wordBytes) ? hashWords(2) : undefined;
}

/** Words of one kind of struct or leaf. @returns a function that answers undefined where a value is not in its usual form */
export function createWordHasher(types: readonly string[]): (values: readonly unknown[]) => string | undefined {
  const writers = types.map(chooseWord);
  if (writers.length > maxWords) return () => undefined;
  return (values) => {
    for (const [index, write] of writers.entries()) {
      if (!write?.(values[index], index * wordBytes)) return undefined;
    }
    return hashWords(writers.length);
  };
}

/** What EIP-712 signs: version bytes, domain, struct. */
export function hashSigned(domainHash: string, structHash: string): string {
  buffer[0] = 0x19;
  buffer[1] = 0x01;
  writeHex(domainHash, 2, wordBytes);
  writeHex(structHash, 2 + wordBytes, wordBytes);
  return keccak256(buffer, 2 + 2 * wordBytes);
}

/** Mixed case is a checksum, which must be right. */
const writeAddress: WriteWord = (value, at) => {
  if (typeof value !== "string") return false;
  buffer.fill(0, at, at + 12);
  return writeHex(value, at + 12, 20) && (!/[A-F]/.test(value) || checksumAddress(value) === value);
};

/** EIP-712 has texts as their hash. */
const writeText: WriteWord = (value, at) =>
  typeof value === "string" && value.isWellFormed() && writeHex(keccakText(value), at, wordBytes);

function writeUint(value: unknown, at: number, bits: number): boolean {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** bits) return false;
    buffer.fill(0, at, at + 24);
    buffer.writeUInt32BE(Math.floor(value / 2 ** 32), at + 24);
    buffer.writeUInt32BE(value % 2 ** 32, at + 28);
    return true;
  }
  if (typeof value !== "bigint" || value < 0n || value >> BigInt(bits) !== 0n) return false;
  for (let word = 0; word < 4; word++) {
    buffer.writeBigUInt64BE(BigInt.asUintN(64, value >> BigInt(192 - 64 * word)), at + 8 * word);
  }
  return true;
}

/** @param size bytes */
function writeHex(text: string, at: number, size: number): boolean {
  if (text.length !== 2 + 2 * size || text.charCodeAt(0) !== 48 || text.charCodeAt(1) !== 120) return false;
  for (let i = 0, from = 2; i < size; i++, from += 2) {
    const byte = ((digits[text.charCodeAt(from)] ?? -1) << 4) | (digits[text.charCodeAt(from + 1)] ?? -1);
    if (byte < 0) return false;
    buffer[at + i] = byte;
  }
  return true;
}

/** By character code; -1 for what is no hexadecimal digit. */
function buildDigits(): Int8Array {
  const table = new Int8Array(128).fill(-1);
  for (const [value, digit] of [..."0123456789abcdef"].entries()) {
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}
