/**
 * Proves that a constraint system leaves no choice: which wires follow from the inputs, whatever these are? Rules, applied until none
 * adds a wire:
 *
 * 1. A constraint whose only unknown wire stands in C alone, once, with a constant coefficient: it follows.
 * 2. A linear constraint whose unknown wires are bits (each a root of x * (x - 1)) with coefficients k, 2k, 4k and so on in any order,
 *    fewer than 253: a number has one such expansion.
 * 3. (x - bits) * (x - bits - m) = 0 with x known, where the unknown wires are bits whose coefficients, negated, are together with m as in
 *    rule 2: what the bits leave of x is 0 or m, so that m is one bit more of the expansion.
 * 4. s * inverse = 1 - isZero and s * isZero = 0 with s known: isZero follows, as 1 where s is 0 and as 0 elsewhere. `inverse` may be
 *    anything where s is 0, and is left out if it stands nowhere else.
 *
 * A wire that does not follow is reported. The rules are sound, not complete: what they cannot show is named in the tests and tested
 * otherwise.
 */
import { fieldPrime, invert, mod, safeBits } from "../../../src/zk/field.ts";
import { type Combination, combine, one, type Term } from "../../../src/zk/r1cs/constraint-system.ts";
import type { Constraint } from "../../../src/zk/r1cs/r1cs-file.ts";

export interface Wires {
  readonly all: Iterable<number>;
  /** Inputs, and what is shown to follow in another way. */
  readonly given: Iterable<number>;
}

/** @returns wires that may have several values */
export function findUndetermined(constraints: readonly Constraint[], { all, given }: Wires): number[] {
  const known = new Set([one, ...given]);
  const bits = new Set(constraints.map(bitOf).filter((wire) => wire !== undefined));
  const hints = findInverses(constraints);
  let open = constraints;
  let size = 0;
  while (known.size > size) {
    size = known.size;
    open = open.filter((constraint) => {
      const wires = follow(constraint, known, bits);
      for (const wire of wires) known.add(wire);
      return wires.length === 0;
    });
    for (const { isZero, sum } of hints) if (sum.every(([wire]) => known.has(wire))) known.add(isZero);
  }
  const idle = new Set(hints.filter(({ isZero }) => known.has(isZero)).map(({ inverse }) => inverse));
  return [...all].filter((wire) => !known.has(wire) && !idle.has(wire));
}

export function wiresOf({ a, b, c }: Constraint): number[] {
  return [...new Set([a, b, c].flat().map(([wire]) => wire))];
}

function follow(constraint: Constraint, known: ReadonlySet<number>, bits: ReadonlySet<number>): number[] {
  const isUnknown = ([wire]: Term) => !known.has(wire);
  if (constraint.a.some(isUnknown) || constraint.b.some(isUnknown)) return followRest(constraint, known, bits);
  const unknown = constraint.c.filter(isUnknown);
  const isExpansion = unknown.every(([wire]) => bits.has(wire)) && isBinary(unknown.map(([, factor]) => factor));
  return unknown.length === 1 || isExpansion ? unknown.map(([wire]) => wire) : [];
}

/** Rule 3. */
function followRest({ a, b, c }: Constraint, known: ReadonlySet<number>, bits: ReadonlySet<number>): number[] {
  if (c.length > 0) return [];
  // circom may write a constraint with either side scaled.
  const [wire = one, coefficient = 0n] = a.find(([each]) => each !== one) ?? [];
  const scale = mod((new Map(a).get(wire) ?? 0n) * invert(new Map(b).get(wire) ?? 0n));
  const difference = combine([
    [1n, a],
    [-scale, b],
  ]);
  const [constant] = difference;
  if (coefficient === 0n || difference.length !== 1 || constant?.[0] !== one) return [];
  const unknown = a.filter(([each]) => !known.has(each));
  const isEachBit = unknown.every(([each]) => bits.has(each));
  // Either root may be written first: the further bit says then which of the two it is not.
  return [constant[1], -constant[1]].some((m) => isEachBit && isBinary([m, ...unknown.map(([, factor]) => -factor)]))
    ? unknown.map(([each]) => each)
    : [];
}

const powers = new Map(Array.from({ length: safeBits }, (_, i) => [1n << BigInt(i), i]));

/** Are they k times different powers of two below 2^253, for some k? */
function isBinary(coefficients: readonly bigint[]): boolean {
  return coefficients.some((unit) => {
    const scale = invert(unit);
    const scaled = coefficients.map((coefficient) => powers.get(mod(coefficient * scale)));
    return scaled.every((power) => power !== undefined) && new Set(scaled).size === scaled.length;
  });
}

/** The wire that the constraint makes a bit. */
function bitOf({ a, b, c }: Constraint): number | undefined {
  if (c.length > 0) return undefined;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const [wire] = short[0] ?? [one];
  const root = new Map(long);
  const isRoot = long.length === 2 && mod((root.get(wire) ?? 0n) + (root.get(one) ?? 0n)) === 0n;
  return short.length === 1 && wire !== one && isRoot ? wire : undefined;
}

interface Inverse {
  readonly sum: Combination;
  readonly inverse: number;
  readonly isZero: number;
}

/** Rule 4. */
function findInverses(constraints: readonly Constraint[]): Inverse[] {
  const uses = new Map<number, number>();
  for (const constraint of constraints)
    for (const wire of wiresOf(constraint)) uses.set(wire, (uses.get(wire) ?? 0) + 1);
  const found = constraints.flatMap(({ a, b, c }) => {
    return [
      [a, b],
      [b, a],
    ].flatMap(([sum = [], other = []]) => {
      const inverse = other.length === 1 ? other[0]?.[0] : undefined;
      const isZero = complementOf(c);
      return inverse !== undefined && isZero !== undefined && uses.get(inverse) === 1 ? [{ sum, inverse, isZero }] : [];
    });
  });
  return found.filter(({ sum, isZero }) =>
    constraints.some(({ a, b, c }) => {
      const isAlone = (terms: Combination) => terms.length === 1 && terms[0]?.[0] === isZero;
      return c.length === 0 && ((isSame(a, sum) && isAlone(b)) || (isSame(b, sum) && isAlone(a)));
    }),
  );
}

/** The wire w of k(1 - w). */
function complementOf(terms: Combination): number | undefined {
  const factors = new Map(terms);
  const [wire] = terms.find(([each]) => each !== one) ?? [];
  if (wire === undefined || terms.length !== 2) return undefined;
  return mod((factors.get(one) ?? 0n) + (factors.get(wire) ?? 0n)) === 0n ? wire : undefined;
}

/** The same up to a factor. */
function isSame(left: Combination, right: Combination): boolean {
  const other = new Map(right);
  const [wire = one, coefficient = 0n] = left[0] ?? [];
  const scale = mod((other.get(wire) ?? 0n) * invert(coefficient));
  return (
    left.length === right.length &&
    scale !== 0n &&
    left.every(([each, factor]) => (factor * scale - (other.get(each) ?? 0n)) % fieldPrime === 0n)
  );
}
