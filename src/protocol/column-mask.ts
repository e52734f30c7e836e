/** Sets of small whole numbers, one bit each in words of 32: what a worker fits and what a tenant offers meet in a few of them. */
export type Mask = Int32Array;

export function hasBit(mask: Mask, bit: number): boolean {
  // Beyond its end a mask has no bits.
  return (((mask[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
}

export function setBit(mask: Mask, bit: number, on: boolean): void {
  const word = mask[bit >>> 5] ?? 0;
  mask[bit >>> 5] = on ? word | (1 << (bit & 31)) : word & ~(1 << (bit & 31));
}

/** Into `target`, which is as long as `a`: what is in both. */
export function intersect(target: Mask, a: Mask, b: Mask): Mask {
  for (let word = 0; word < target.length; word++) target[word] = (a[word] ?? 0) & (b[word] ?? 0);
  return target;
}

export function widen(mask: Mask, words: number): Mask {
  const wider = new Int32Array(words);
  wider.set(mask);
  return wider;
}
