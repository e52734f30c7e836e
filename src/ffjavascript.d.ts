/** The part of ffjavascript, snarkjs' arithmetic of curves, that src/zk uses; the package has no types of its own. */
declare module "ffjavascript" {
  /** An element of a field or a point as the package holds it. */
  export type Value = Uint8Array;

  export class ChaCha {
    /** Eight words of 32 bits. */
    constructor(seed: readonly number[]);
  }

  export interface Group {
    readonly zero: Value;
    /** The generator. */
    readonly g: Value;
    fromRng(rng: ChaCha): Value;
    /** Big-endian, not in Montgomery form, with flags. */
    toRprUncompressed(target: Uint8Array, offset: number, point: Value): void;
    add(left: Value, right: Value): Value;
    neg(point: Value): Value;
    timesFr(point: Value, scalar: Value): Value;
    toAffine(point: Value): Value;
    /** Coordinates as numbers, then 1. */
    toObject(point: Value): readonly (bigint | readonly bigint[])[];
    /** Points are affine, in Montgomery form; scalars all of one size, little-endian. */
    multiExpAffine(points: Uint8Array, scalars: Uint8Array): Promise<Value>;
  }

  export interface ScalarField {
    /** Powers of two that divide the order of the field's group. */
    readonly s: number;
    /** Roots of unity: w[n] of order 2^n. */
    readonly w: readonly Value[];
    /** What moves the largest domain. */
    readonly shift: Value;
    e(value: number | bigint): Value;
    neg(value: Value): Value;
    mul(left: Value, right: Value): Value;
    random(): Value;
    fromRng(rng: ChaCha): Value;
    toObject(value: Value): bigint;
  }

  export type Command =
    | { readonly cmd: "ALLOCSET"; readonly var: number; readonly buff: Uint8Array }
    | { readonly cmd: "ALLOC"; readonly var: number; readonly len: number }
    | {
        readonly cmd: "CALL";
        readonly fnName: string;
        readonly params: readonly ({ readonly var: number } | { readonly val: number })[];
      }
    | { readonly cmd: "GET"; readonly out: number; readonly var: number; readonly len: number };

  export interface Curve {
    readonly Fr: ScalarField;
    readonly G1: Group;
    readonly G2: Group;
    readonly tm: {
      readonly concurrency: number;
      /** WebAssembly; of a curve on one thread. */
      readonly code: Uint8Array<ArrayBuffer>;
      queueAction(commands: readonly Command[]): Promise<readonly Uint8Array[]>;
    };
  }

  /** Kept by the package, with its threads, where they are not refused; snarkjs uses the same one. */
  export function buildBn128(singleThread?: boolean): Promise<Curve>;
}
