/**
 * What a player does next, from the game's state and its own trace alone: so that whoever was interrupted goes on where the chain
 * stands. Both are honest; docs/zk-game.md argues why each of them wins. Pure but for the proof, which the caller makes.
 */
import { ZeroHash } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { type ChallengerMove, type DefenderMove, type GameState, middleOf } from "../../protocol/inference-game.ts";
import type { InferenceTrace } from "./inference-trace.ts";

/** The one move that takes seconds: the tile to be proven, by its place. */
export interface TileTask {
  readonly kind: "proveTile";
  readonly layer: number;
  readonly block: number;
  readonly tile: number;
}

/** @param outputs of the receipt, as they were when the game was opened */
export function decideDefence(
  game: GameState,
  trace: InferenceTrace,
  outputs: readonly Uint8Array[],
): DefenderMove | TileTask {
  switch (game.stage) {
    case "Claiming":
      return { kind: "claim", logits: trace.logits(), outputs };
    case "Layers":
      return { kind: "propose", first: trace.tree(middleOf(game.low, game.high)).root, second: ZeroHash };
    case "Blocks": {
      const [tree, level, index] = [trace.tree(game.high), game.level - 1, 2 * game.index];
      return { kind: "propose", first: tree.node(level, index), second: tree.node(level, index + 1) };
    }
    case "Opening":
      return { kind: "openBlock", sums: [...trace.sumsAfter(game.high, game.index, trace.layer(game.high).tiles)] };
    case "Sums":
      return { kind: "propose", first: proposedSums(game, trace), second: ZeroHash };
    case "Proving":
      return { kind: "proveTile", layer: game.high, block: game.index, tile: game.sumLow };
    default:
      throw unexpected(game, "the defender");
  }
}

/** The first half where what was proposed is not what it should be: whatever is denied after it follows from that. */
export function decideAnswer(game: GameState, trace: InferenceTrace): ChallengerMove {
  const answer = (inSecondHalf: boolean): ChallengerMove => ({ kind: "answer", inSecondHalf });
  switch (game.stage) {
    case "Layers":
      return answer(game.first === trace.tree(middleOf(game.low, game.high)).root);
    case "Blocks":
      return answer(game.first === trace.tree(game.high).node(game.level - 1, 2 * game.index));
    case "Sums":
      return answer(game.first === proposedSums(game, trace));
    default:
      throw unexpected(game, "the challenger");
  }
}

function proposedSums({ high, index, sumLow, sumHigh }: GameState, trace: InferenceTrace): string {
  return trace.hashSumsAfter(high, index, middleOf(sumLow, sumHigh));
}

function unexpected({ stage }: GameState, player: string): InferiumError {
  return new InferiumError(
    "UnexpectedStage",
    `The game waits for ${player} at the stage ${stage}, which has no such move.`,
  );
}
