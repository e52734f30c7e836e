/**
 * Randomness and the exponential, the same to the last bit in every JavaScript engine: only operations that IEEE 754 and
 * ECMAScript define exactly are used. Math.exp and Math.random are not among them.
 */

const weylStep = 0x9e3779b9;

/**
 * Uniform in [0, 1) with 32 bits: a counter through the finaliser of MurmurHash3 (Weyl sequence, public domain).
 * @param skipped numbers of the sequence that were drawn before
 */
export function createRandom(seed: number, skipped = 0): () => number {
  let state = (seed + Math.imul(skipped, weylStep)) >>> 0;
  return () => {
    state = (state + weylStep) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Fisher-Yates, in place. */
export function shuffle(values: Uint32Array, random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const swapped = values[i] ?? 0;
    values[i] = values[j] ?? 0;
    values[j] = swapped;
  }
}

const halvings = 7;

/** exp(x) for x <= 0, to about 1e-12: the Taylor polynomial of x / 128, squared seven times. */
export function exactExp(x: number): number {
  if (x < -60) return 0;
  const t = x / 2 ** halvings;
  let sum = 1;
  for (let n = 12; n >= 1; n--) sum = 1 + (t / n) * sum;
  for (let i = 0; i < halvings; i++) sum *= sum;
  return sum;
}
