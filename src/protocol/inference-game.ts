/**
 * The dispute game over an integer model's result, as the contract InferenceGame holds it: its stages, its state and the moves. The
 * contract's adapter (src/chain) and both players (src/zk/game) meet in these types. Pure.
 */
import type { ReceiptMessage } from "./typed-data.ts";

/** In the order of the contract's enum. */
export const gameStages = ["None", "Claiming", "Layers", "Blocks", "Opening", "Sums", "Proving", "Closed"] as const;
export type GameStage = (typeof gameStages)[number];

export const gameOutcomes = ["None", "Refuted", "Upheld"] as const;
export type GameOutcome = (typeof gameOutcomes)[number];

/** Hashes are 0x-hex of 32 bytes. See IInferenceGame.Game. */
export interface GameState {
  readonly stage: GameStage;
  readonly outcome: GameOutcome;
  readonly isChallengersTurn: boolean;
  readonly challenger: string;
  readonly worker: string;
  /** Seconds; the move counts up to and including it. */
  readonly deadline: number;
  readonly row: number;
  readonly rows: number;
  /** Layers: agreed on and denied. */
  readonly low: number;
  readonly high: number;
  /** Node of the tree of blocks after layer `high`; level 0 is a block. */
  readonly level: number;
  readonly index: number;
  /** Tiles of that block: sums agreed on and denied. */
  readonly sumLow: number;
  readonly sumHigh: number;
  readonly receiptDigest: string;
  readonly agreed: string;
  readonly denied: string;
  readonly first: string;
  readonly second: string;
}

/** What a challenger needs to begin. Data of tensors are raw little-endian bytes. */
export interface GameOpening {
  readonly receipt: ReceiptMessage;
  readonly workerSignature: string;
  readonly row: number;
  readonly rows: number;
  readonly input: Uint8Array;
  /** In the order of their names. */
  readonly outputs: readonly Uint8Array[];
}

export interface TileEvidence {
  readonly sumsBefore: readonly number[];
  readonly biasProof: readonly string[];
  readonly block31: bigint;
  readonly blockProof: readonly string[];
  readonly weights: bigint;
  readonly weightsProof: readonly string[];
  readonly sums: readonly bigint[];
  /** Eight words: A, B with imaginary parts first, C. */
  readonly proof: readonly bigint[];
}

export type DefenderMove =
  | { readonly kind: "claim"; readonly logits: readonly number[]; readonly outputs: readonly Uint8Array[] }
  | { readonly kind: "propose"; readonly first: string; readonly second: string }
  | { readonly kind: "openBlock"; readonly sums: readonly number[] }
  | { readonly kind: "prove"; readonly evidence: TileEvidence };

export type ChallengerMove = { readonly kind: "answer"; readonly inSecondHalf: boolean };

export type GameMove = DefenderMove | ChallengerMove | { readonly kind: "timeOut" };

/** Halfway between what is agreed on and what is denied, as the contract rounds. */
export function middleOf(low: number, high: number): number {
  return Math.floor((low + high) / 2);
}
