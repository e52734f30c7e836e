/** What setup-threads.ts and setup-thread.ts say to each other. Points are affine and as key files hold them. */
import type { RowGroups } from "./group-rows.ts";
import type { PointSums } from "./point-summer.ts";

/** The domain's Lagrange polynomials at the first phase's secret: times one, alpha and beta, and in the second group. */
export interface LagrangePoints {
  readonly g1: Uint8Array;
  readonly g2: Uint8Array;
  readonly alphaG1: Uint8Array;
  readonly betaG1: Uint8Array;
}

/** Which points of each wire: of A, of B in both groups, or what the wire adds to the statement (public wires) or to the proof's C. */
export type WireSum = "a" | "b1" | "b2" | "statement";

export interface CircuitData {
  readonly groups: RowGroups;
  readonly lagrange: LagrangePoints;
  /** Of each group of rows the point that its rows have together. Written between tasks. */
  readonly groupPoints: Readonly<Record<WireSum, Uint8Array>>;
}

/** All of it in shared memory. */
export interface ThreadData {
  readonly module: WebAssembly.Module;
  /** Where a key is made from a circuit. */
  readonly circuit?: CircuitData;
}

export type SetupTask =
  /** Points of groups of rows, from Lagrange points; or of wires, from those of groups. */
  | { readonly kind: "groups" | "wires"; readonly sum: WireSum; readonly from: number; readonly to: number }
  /** Each point times the same scalar. */
  | { readonly kind: "scale"; readonly points: Uint8Array; readonly scalar: bigint }
  /** One list of points less another. */
  | { readonly kind: "subtract"; readonly points: Uint8Array; readonly less: Uint8Array };

export type SetupAnswer = { readonly sums: PointSums } | { readonly error: string };
