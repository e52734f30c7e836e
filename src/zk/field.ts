/**
 * The scalar field of the curve BN254, over which circuits are written. Elements are bigints in [0, p). Pure.
 */

/** The order of the curve's groups; the field's prime. */
export const fieldPrime = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** What always fits below the prime without wrapping around: the bound for packed values. */
export const safeBits = 252;

export function mod(value: bigint): bigint {
  const rest = value % fieldPrime;
  return rest < 0n ? rest + fieldPrime : rest;
}

/** The integer that an element stands for where values are far smaller than the field: above p/2 is negative. */
export function toSigned(element: bigint): bigint {
  return element > fieldPrime >> 1n ? element - fieldPrime : element;
}

/** 1/x by the extended Euclidean algorithm; 0 for 0, as circuits hint it. */
export function invert(element: bigint): bigint {
  let [oldRest, rest] = [mod(element), fieldPrime];
  let [oldFactor, factor] = [1n, 0n];
  while (rest !== 0n) {
    const quotient = oldRest / rest;
    [oldRest, rest] = [rest, oldRest - quotient * rest];
    [oldFactor, factor] = [factor, oldFactor - quotient * factor];
  }
  return oldRest === 1n ? mod(oldFactor) : 0n;
}

/** How many bits the non-negative number takes; 0 for 0. */
export function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** 32 bytes, least significant first, as r1cs and witness files hold elements. */
export function writeElement(element: bigint, target: Uint8Array, offset: number): void {
  const view = new DataView(target.buffer, target.byteOffset + offset, 32);
  for (let word = 0; word < 4; word++) {
    view.setBigUint64(word * 8, BigInt.asUintN(64, element >> BigInt(word * 64)), true);
  }
}

export function readElement(source: Uint8Array, offset: number): bigint {
  const view = new DataView(source.buffer, source.byteOffset + offset, 32);
  let element = 0n;
  for (let word = 3; word >= 0; word--) element = (element << 64n) | view.getBigUint64(word * 8, true);
  return element;
}
