/** Coordinates of BN254's points, in the field over which the curve is, and the Montgomery form in which key files hold them. Pure. */
import { readElement, writeElement } from "./field.ts";

/** The prime of the coordinates. */
export const basePrime = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

const radix = 1n << 256n;
const inverseOfRadix = invertBase(radix % basePrime);

/** 32 bytes, least significant first, times 2^256. */
export function encodeCoordinate(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  writeElement((value * radix) % basePrime, bytes, 0);
  return bytes;
}

export function decodeCoordinate(bytes: Uint8Array, offset: number): bigint {
  return (readElement(bytes, offset) * inverseOfRadix) % basePrime;
}

/** Fermat's little theorem. */
function invertBase(value: bigint): bigint {
  let [result, power] = [1n, value];
  for (let exponent = basePrime - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * power) % basePrime;
    power = (power * power) % basePrime;
  }
  return result;
}
