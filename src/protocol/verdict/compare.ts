/**
 * Stage 6: is a validator's result the worker's result? Pure, called by validators and by whoever replays a verdict.
 *
 * - Exact: names, dtypes, shapes and canonical bytes are the same (any NaN equals any NaN; 0 and -0 differ).
 * - Tolerance: floats may differ by `absolute + relative * |expected|`; integers and bools are always exact. A NaN
 *   matches only a NaN and an infinity only itself: a broken model must not pass as an imprecise one.
 */
import { InferiumError } from "../../base/errors.ts";
import { isFloat } from "../tensors/dtype.ts";
import { type ElementArray, numberAt, viewElements } from "../tensors/elements.ts";
import { normaliseNans } from "../tensors/nan.ts";
import { sameBytes } from "../tensors/same-bytes.ts";
import { type NamedTensors, namesInOrder, type Tensor } from "../tensors/tensor.ts";

export type ComparePolicy =
  | { readonly policy: "Exact" }
  | { readonly policy: "Tolerance"; readonly absolute: number; readonly relative: number };

export interface Mismatch {
  readonly tensor: string;
  /** Words for people: what differs. */
  readonly reason: string;
  /** Row-major index of the element; absent where names, dtypes or shapes differ. */
  readonly index?: number;
  readonly got?: string;
  readonly expected?: string;
}

export interface Comparison {
  readonly equal: boolean;
  /** Largest difference seen, also where it is within bounds; Infinity where a NaN or infinity met something else. */
  readonly maxAbsolute: number;
  /** Largest difference over |expected|; Infinity where a value differs from an expected zero. */
  readonly maxRelative: number;
  /** Elements out of bounds, plus one for each tensor that is missing, extra or of another dtype or shape. */
  readonly mismatches: number;
  readonly firstMismatch?: Mismatch;
}

interface Tally {
  maxAbsolute: number;
  maxRelative: number;
  mismatches: number;
  first?: Mismatch;
}

/** @throws InferiumError InvalidPolicy */
export function compareOutputs(got: NamedTensors, expected: NamedTensors, policy: ComparePolicy): Comparison {
  checkPolicy(policy);
  const tally: Tally = { maxAbsolute: 0, maxRelative: 0, mismatches: 0 };
  const names = namesInOrder(new Map([...expected, ...got]));
  for (const name of names) compareTensor(tally, name, [got.get(name), expected.get(name)], policy);
  return {
    equal: tally.mismatches === 0,
    maxAbsolute: tally.maxAbsolute,
    maxRelative: tally.maxRelative,
    mismatches: tally.mismatches,
    ...(tally.first === undefined ? {} : { firstMismatch: tally.first }),
  };
}

/** A NaN or infinite tolerance would accept everything. */
function checkPolicy(policy: ComparePolicy): void {
  if (policy.policy === "Exact") return;
  for (const bound of [policy.absolute, policy.relative]) {
    if (Number.isFinite(bound) && bound >= 0) continue;
    throw new InferiumError("InvalidPolicy", `A tolerance is ${bound}; expected a finite number from 0.`);
  }
}

type Pair = readonly [Tensor | undefined, Tensor | undefined];

function compareTensor(tally: Tally, name: string, [got, expected]: Pair, policy: ComparePolicy): void {
  if (got === undefined || expected === undefined) {
    note(tally, { tensor: name, reason: got === undefined ? "missing from the result" : "not expected in the result" });
    return;
  }
  const forms = [describeForm(got), describeForm(expected)] as const;
  if (forms[0] !== forms[1]) {
    note(tally, { tensor: name, reason: "dtype or shape differs", got: forms[0], expected: forms[1] });
    return;
  }
  if (sameBytes(normaliseNans(got), normaliseNans(expected))) return;
  const bounds = policy.policy === "Tolerance" && isFloat(got.dtype) ? policy : undefined;
  compareElements(tally, name, [got, expected], bounds);
}

function describeForm(tensor: Tensor): string {
  return `${tensor.dtype}[${tensor.shape.join(",")}]`;
}

interface Bounds {
  readonly absolute: number;
  readonly relative: number;
}

function compareElements(tally: Tally, name: string, pair: readonly [Tensor, Tensor], bounds?: Bounds): void {
  const [got, expected] = pair;
  const left = viewElements(got);
  const right = viewElements(expected);
  for (let i = 0; i < left.length; i++) {
    const a = valueAt(got, left, i);
    const b = valueAt(expected, right, i);
    if (isSame(a, b)) continue;
    const absolute = difference(a, b);
    const magnitude = Math.abs(Number(b));
    tally.maxAbsolute = Math.max(tally.maxAbsolute, absolute);
    tally.maxRelative = Math.max(tally.maxRelative, relativeTo(magnitude, absolute));
    if (bounds !== undefined && isWithin(bounds, absolute, magnitude)) continue;
    note(tally, { tensor: name, index: i, reason: "value differs", got: show(a), expected: show(b) });
  }
}

function valueAt(tensor: Tensor, elements: ElementArray, index: number): number | bigint {
  return numberAt(tensor.dtype, elements, index);
}

/** Object.is: one NaN is like another, and 0 is not -0. */
function isSame(a: number | bigint, b: number | bigint): boolean {
  return Object.is(a, b);
}

/** Exact for 64-bit integers, whose neighbours may be the same number. Infinity unless both are finite. */
function difference(a: number | bigint, b: number | bigint): number {
  if (typeof a === "bigint" && typeof b === "bigint") return Number(a > b ? a - b : b - a);
  const distance = Math.abs(Number(a) - Number(b));
  return Number.isFinite(Number(a)) && Number.isFinite(Number(b)) ? distance : Number.POSITIVE_INFINITY;
}

function relativeTo(magnitude: number, absolute: number): number {
  if (absolute === 0) return 0;
  return Number.isFinite(absolute) && magnitude > 0 ? absolute / magnitude : Number.POSITIVE_INFINITY;
}

/** Without the first condition any result would be within `relative` of an expected infinity. */
function isWithin(bounds: Bounds, absolute: number, magnitude: number): boolean {
  return Number.isFinite(absolute) && absolute <= bounds.absolute + bounds.relative * magnitude;
}

function note(tally: Tally, mismatch: Mismatch): void {
  tally.mismatches += 1;
  tally.first ??= mismatch;
}

function show(value: number | bigint): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
