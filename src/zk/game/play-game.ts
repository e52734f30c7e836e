/**
 * The programs of both players. Each turn is decided from the chain's state and the player's own trace, so that a player that was
 * stopped goes on when it is started again, and a move whose fate is unknown is looked up and not repeated blindly. Ends when the game
 * is closed. Called by workers and challengers. Effects: transactions through GameChain.
 */
import { type BackoffOptions, computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { DefenderMove, GameMove, GameState } from "../../protocol/inference-game.ts";
import { decideAnswer, decideDefence, type TileTask } from "./decide-move.ts";
import type { InferenceTrace } from "./inference-trace.ts";
import type { ProveTile } from "./prove-tile.ts";

/** The contract as a player sees it. `src/chain/inference-game.ts` has the same shape. */
export interface GameChain {
  game(id: string): Promise<GameState>;
  /** Seconds of the newest block. */
  now(): Promise<number>;
  /** Mined when it resolves. @throws InferiumError TransactionReverted (reject), and others that may be tried again */
  move(id: string, move: GameMove): Promise<void>;
}

export interface PlayerOptions {
  readonly id: string;
  readonly chain: GameChain;
  readonly trace: InferenceTrace;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between two looks at the chain. */
  readonly pollMs: number;
  readonly signal?: AbortSignal;
}

export interface DefenderOptions extends PlayerOptions {
  /** Data of the receipt's outputs, in the order of their names. */
  readonly outputs: readonly Uint8Array[];
  readonly proveTile: ProveTile;
}

/** @returns the closed game @throws InferiumError CannotMove where the contract refuses every move: an honest player's never are */
export function playDefender(options: DefenderOptions): Promise<GameState> {
  const { trace, outputs, proveTile, signal } = options;
  const decide = async (game: GameState): Promise<DefenderMove> => {
    const move: DefenderMove | TileTask = decideDefence(game, trace, outputs);
    return move.kind === "proveTile" ? { kind: "prove", evidence: await proveTile(move, trace, signal) } : move;
  };
  return play(options, { isChallenger: false, decide });
}

export function playChallenger(options: PlayerOptions): Promise<GameState> {
  return play(options, { isChallenger: true, decide: async (game) => decideAnswer(game, options.trace) });
}

interface Player {
  readonly isChallenger: boolean;
  decide(game: GameState): Promise<GameMove>;
}

const retrying: BackoffOptions = { initialMs: 200, maxMs: 15_000, factor: 2 };

async function play(options: PlayerOptions, player: Player): Promise<GameState> {
  const { id, chain, clock, logger, pollMs, signal } = options;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      const game = await chain.game(id);
      if (game.stage === "Closed") return game;
      if (game.stage === "None") throw new InferiumError("UnknownGame", `There is no game ${id}.`);
      const isOurs = game.isChallengersTurn === player.isChallenger;
      const isOver = (await chain.now()) > game.deadline;
      if (isOver) await chain.move(id, { kind: "timeOut" });
      else if (isOurs) await chain.move(id, await player.decide(game));
      else await clock.sleep(pollMs, signal);
      if (isOurs || isOver) logger.info("moved in a dispute", { game: id, stage: game.stage, isOver });
      failures = 0;
    } catch (error) {
      signal?.throwIfAborted();
      failures += 1;
      if (!(error instanceof InferiumError) || error.code === "UnknownGame") throw error;
      if (error.disposition !== "retry") await checkStillOurs(options, error);
      logger.warn("a move in a dispute failed", { game: id, code: error.code, failures });
      await clock.sleep(computeBackoffMs(failures, retrying), signal);
    }
  }
}

/** A refused move is nothing where the state has changed meanwhile; where it has not, no other one will be taken. */
async function checkStillOurs(
  { id, chain, clock, pollMs, signal }: PlayerOptions,
  cause: InferiumError,
): Promise<void> {
  const before = await chain.game(id);
  await clock.sleep(pollMs, signal);
  const after = await chain.game(id);
  const hasMoved = JSON.stringify(before) !== JSON.stringify(after);
  if (hasMoved || after.stage === "Closed" || (await chain.now()) > after.deadline) return;
  throw new InferiumError("CannotMove", `The contract refuses this player's move at the stage ${after.stage}.`, {
    cause,
  });
}
