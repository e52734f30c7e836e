/**
 * `inferium zk game answer | bisect | resolve | play`: one move of a player, or all of them until the game is over. What a player says
 * is decided from the chain's state and its own computation of the result, so that it may be stopped and started at any time.
 */
import { getAddress } from "ethers";
import { InferiumError } from "../../../base/errors.ts";
import { silentLogger } from "../../../base/log.ts";
import type { InferenceGameClient } from "../../../chain/inference-game.ts";
import type { GameMove, GameState } from "../../../protocol/inference-game.ts";
import { hashMessage, receiptTypes } from "../../../protocol/typed-data.ts";
import { findWrongRow, outputData, readRows } from "../../../zk/game/check-receipt.ts";
import { decideAnswer, decideDefence } from "../../../zk/game/decide-move.ts";
import type { InferenceTrace } from "../../../zk/game/inference-trace.ts";
import { playChallenger, playDefender } from "../../../zk/game/play-game.ts";
import { createTileProver, type ProveTile } from "../../../zk/game/prove-tile.ts";
import { ProofArtifactStore } from "../../../zk/proving/artifact-store.ts";
import { createSnarkjsBackend } from "../../../zk/proving/snarkjs-backend.ts";
import { type DisputedResult, type ResultOptions, readDisputed } from "./disputed-result.ts";
import { describeGame, type GameSession, openGameClient, requireGame, tellGame } from "./game-session.ts";

/** The result as the player has it. */
export type MoveOptions = ResultOptions;

export interface ProofOptions {
  /** Store with the tile's keys, for the worker's last move. */
  readonly gameKeys?: string;
}

export type ResolveOptions = Partial<ResultOptions> & ProofOptions;

export interface PlayOptions extends ResultOptions, ProofOptions {
  readonly pollMs: number;
}

const proofMs = 600_000;

/** The challenger's next move. */
export async function runAnswer(id: string, options: MoveOptions, session: GameSession): Promise<number> {
  const player = await openPlayer(id, session);
  requireTurn(player, "challenger");
  const { trace } = await readTrace(options, player);
  return finish(player, decideAnswer(player.state, trace));
}

/** The worker's next move, but for the last. */
export async function runBisect(id: string, options: MoveOptions, session: GameSession): Promise<number> {
  const player = await openPlayer(id, session);
  requireTurn(player, "worker");
  const { trace, outputs } = await readDefence(options, player);
  const move = decideDefence(player.state, trace, outputs);
  if (move.kind !== "proveTile") return finish(player, move);
  throw new InferiumError(
    "ProofNeeded",
    `Game ${id} waits for the proof of one tile. Give it: inferium zk game resolve.`,
  );
}

/** The worker's proof, or the end of a game whose time has passed, which anybody may call. */
export async function runResolve(id: string, options: ResolveOptions, session: GameSession): Promise<number> {
  const player = await openPlayer(id, session);
  const { state, chain } = player;
  if ((await chain.now()) > state.deadline) return finish(player, { kind: "timeOut" });
  if (state.stage !== "Proving") {
    const who = state.isChallengersTurn ? "challenger" : "worker";
    throw new InferiumError(
      "NothingToResolve",
      `Game ${id} is at the stage ${state.stage}: the ${who} has until ${new Date(state.deadline * 1_000).toISOString()} for its move.`,
    );
  }
  requireTurn(player, "worker");
  const { trace, outputs } = await readDefence(requireResult(options), player);
  const move = decideDefence(state, trace, outputs);
  if (move.kind !== "proveTile") throw new InferiumError("UnexpectedStage", `Game ${id} waits for no proof.`);
  const evidence = await withProver(options, (proveTile) => proveTile(move, trace, session.context.signal));
  return finish(player, { kind: "prove", evidence });
}

/** All moves of the side that the key is on, until the game is closed. @returns 0 where this side has won, 1 where it has lost */
export async function runPlay(id: string, options: PlayOptions, session: GameSession): Promise<number> {
  const player = await openPlayer(id, session);
  const { chain, state, account } = player;
  const isWorker = account === getAddress(state.worker);
  requireSide(player, isWorker ? "worker" : "challenger");
  const { trace, outputs } = await (isWorker ? readDefence : readTrace)(options, player);
  const { clock, signal } = session.context;
  const common = { id, chain, trace, clock, signal, logger: silentLogger, pollMs: options.pollMs };
  const end = isWorker
    ? await withProver(options, (proveTile) => playDefender({ ...common, outputs, proveTile }))
    : await playChallenger(common);
  tellGame(session, id, describeGame(end, await chain.now()), { moves: chain.mined.map(({ kind }) => kind) });
  return (end.outcome === "Upheld") === isWorker ? 0 : 1;
}

interface Player {
  readonly id: string;
  readonly session: GameSession;
  readonly chain: InferenceGameClient;
  readonly state: GameState;
  readonly account: string;
}

/** @throws InferiumError UnknownGame, GameClosed */
async function openPlayer(id: string, session: GameSession): Promise<Player> {
  const signer = await session.signer();
  const chain = openGameClient(session, signer);
  const state = await requireGame(chain, id);
  if (state.stage === "Closed") {
    const loser = state.outcome === "Refuted" ? "the worker" : "the challenger";
    throw new InferiumError("GameClosed", `Game ${id} is closed: ${state.outcome}, ${loser} has lost.`);
  }
  return { id, session, chain, state, account: getAddress(await signer.getAddress()) };
}

type Side = "worker" | "challenger";

function requireTurn(player: Player, side: Side): void {
  requireSide(player, side);
  const next: Side = player.state.isChallengersTurn ? "challenger" : "worker";
  if (next === side) return;
  throw new InferiumError(
    "NotYourTurn",
    `Game ${player.id} waits for the ${next}, at the stage ${player.state.stage}.`,
  );
}

function requireSide({ id, state, account }: Player, side: Side): void {
  if (account === getAddress(state[side])) return;
  throw new InferiumError(
    "NotAPlayer",
    `${account} is not the ${side} of game ${id}, which is ${state[side]}: use its key.`,
  );
}

interface Trace {
  readonly trace: InferenceTrace;
  readonly outputs: readonly Uint8Array[];
  readonly result: DisputedResult;
}

/** A worker whose own computation says otherwise than its receipt can make no move that the contract takes. */
async function readDefence(options: ResultOptions, player: Player): Promise<Trace> {
  const read = await readTrace(options, player);
  const { model, input, output } = read.result;
  const wrong = findWrongRow(model, input, output);
  if (wrong === undefined) return read;
  throw new InferiumError(
    "ReceiptIsWrong",
    `Row ${wrong.row} of the result is not what this model makes of this input: the receipt is wrong, and no defence of it is possible.`,
  );
}

async function readTrace(options: ResultOptions, { state, session }: Player): Promise<Trace> {
  const result = await readDisputed(options);
  const { receipt, model, input, output } = result;
  const digest = hashMessage(session.client.domain, receiptTypes, receipt);
  if (digest !== state.receiptDigest) {
    throw new InferiumError(
      "AnotherReceipt",
      `The task's receipt is ${digest}; the game is about ${state.receiptDigest}.`,
    );
  }
  return { trace: readRows(model, input).traceOf(state.row), outputs: outputData(output), result };
}

async function finish({ id, session, chain }: Player, move: GameMove): Promise<number> {
  if (session.options.dryRun === true) {
    session.io.out(
      session.options.output === "json"
        ? JSON.stringify({ game: id, dryRun: true, move: move.kind })
        : `Dry run, nothing was sent. The next move of game ${id} is ${move.kind}.`,
    );
    return 0;
  }
  await chain.move(id, move);
  const state = await requireGame(chain, id);
  return tellGame(session, id, describeGame(state, await chain.now()), { move: move.kind });
}

function requireResult({ task, model, ...rest }: ResolveOptions): ResultOptions {
  if (task !== undefined && model !== undefined) return { task, model, ...rest };
  throw new InferiumError("InvalidOption", "The worker's proof needs --task and --model.");
}

/** @throws InferiumError InvalidOption, NoTileKeys once a proof is needed */
async function withProver<T>({ gameKeys }: ProofOptions, work: (proveTile: ProveTile) => Promise<T>): Promise<T> {
  if (gameKeys === undefined) {
    throw new InferiumError("InvalidOption", "The worker needs the tile's keys for its last move: --game-keys STORE.");
  }
  const store = new ProofArtifactStore(gameKeys);
  const keys = await store.readTileKeys();
  if (keys === undefined) {
    throw new InferiumError(
      "NoTileKeys",
      `${gameKeys} holds no keys of the tile. Keep them there: inferium zk register --tile.`,
    );
  }
  const backend = createSnarkjsBackend({ timeoutMs: proofMs });
  try {
    return await work(createTileProver({ store, backend, provingKeyDigest: keys.provingKeyDigest }));
  } finally {
    await backend.close();
  }
}
