/** What the verbs of a dispute game share: the chain with the game's contracts, a player's key, and how a game is told. */

import { readFile } from "node:fs/promises";
import { type Signer, VoidSigner, ZeroAddress } from "ethers";
import { InferiumError } from "../../../base/errors.ts";
import { type ContractName, loadArtifact } from "../../../chain/artifacts.ts";
import type { GameAddresses } from "../../../chain/game-contracts.ts";
import { computeGasLimit, estimateGas } from "../../../chain/gas-limit.ts";
import { InferenceGameClient } from "../../../chain/inference-game.ts";
import { sendBatch } from "../../../chain/send-batch.ts";
import type { GameState } from "../../../protocol/inference-game.ts";
import { type ChainOptions, type ChainSession, withChain } from "../../chain/chain-session.ts";
import { readGameAddresses, requireStanding } from "../../chain/deploy-game.ts";
import { explainRefusal } from "../../chain/explain-refusal.ts";
import type { CommandContext } from "../../commands.ts";

export interface GameSession extends ChainSession {
  readonly game: GameAddresses;
  readonly context: CommandContext;
}

const minedMs = 120_000;

/** @throws InferiumError NotDeployed and those of withChain; what a contract refuses comes with advice */
export function withGame(
  options: ChainOptions,
  context: CommandContext,
  verb: (session: GameSession) => Promise<number>,
): Promise<number> {
  return withChain(options, context, async (session) => {
    const path = options.addresses ?? context.env.INFERIUM_ADDRESSES_FILE ?? "";
    const game = readGameAddresses(JSON.parse(await readFile(path, "utf8")));
    if (game === undefined) {
      const message = `${path} names no contracts of the dispute game. Deploy them: inferium chain deploy --game-keys STORE.`;
      throw new InferiumError("NotDeployed", message);
    }
    await requireStanding(session.client.provider, game);
    return verb({ ...session, game, context }).catch((error: unknown) => Promise.reject(explainRefusal(error)));
  });
}

export function openGameClient({ game }: GameSession, signer: Signer): InferenceGameClient {
  return new InferenceGameClient({ signer, address: game.inferenceGame, timeoutMs: minedMs });
}

/** Reads only. */
export function watchGame(session: GameSession): InferenceGameClient {
  return openGameClient(session, new VoidSigner(ZeroAddress, session.client.provider));
}

/** @throws InferiumError UnknownGame */
export async function requireGame(chain: InferenceGameClient, id: string): Promise<GameState> {
  if (!/^0x[0-9a-fA-F]{64}$/.test(id)) {
    throw new InferiumError(
      "InvalidOption",
      `"${id}" is no game: expected 0x and 64 hex digits, as \`zk game open\` prints.`,
    );
  }
  const state = await chain.game(id);
  if (state.stage !== "None") return state;
  throw new InferiumError(
    "UnknownGame",
    `There is no game ${id} on this chain. See: inferium zk game status --worker ADDRESS.`,
  );
}

export interface GameStep {
  readonly contract: ContractName;
  readonly to: string;
  readonly call: string;
  readonly values: readonly unknown[];
}

export interface SentStep {
  readonly gas: string;
  /** Undefined where nothing was sent. */
  readonly transaction?: string;
}

/** Tried on the chain first, so that nothing is paid for what would be refused; a dry run stops there. */
export async function sendStep(session: GameSession, { contract, to, call, values }: GameStep): Promise<SentStep> {
  const signer = await session.signer();
  const data = loadArtifact(contract).abi.encodeFunctionData(call, [...values]);
  const action = `${contract}.${call}`;
  const gas = await estimateGas(signer, action, { to, data });
  if (session.options.dryRun === true) return { gas: String(gas) };
  const [receipt] = await sendBatch(signer, [{ action, to, data, gasLimit: computeGasLimit(gas) }], {
    timeoutMs: minedMs,
  });
  return { gas: String(receipt?.gasUsed ?? gas), transaction: receipt?.hash ?? "" };
}

/** The result of a verb that sent, or would send, one transaction. */
export function tellSent({ io, options }: GameSession, text: string, facts: object): number {
  const isDry = options.dryRun === true;
  if (options.output === "json") io.out(JSON.stringify({ dryRun: isDry, ...facts }));
  else io.out(isDry ? `Dry run, nothing was sent. ${text}` : text);
  return 0;
}

export interface ToldGame {
  readonly stage: string;
  readonly worker: string;
  readonly challenger: string;
  readonly row: number;
  /** Of a closed game. */
  readonly outcome?: string;
  readonly loser?: string;
  /** Of an open one. */
  readonly turn?: string;
  readonly deadline?: number;
  readonly secondsLeft?: number;
}

/** Who has to move, by which second, or how it ended. */
export function describeGame(state: GameState, now: number): ToldGame {
  const { stage, outcome, isChallengersTurn, deadline, worker, challenger, row } = state;
  const isClosed = stage === "Closed";
  const turn = isChallengersTurn ? "Challenger" : "Worker";
  const place = {
    layers: [state.low, state.high],
    block: [state.level, state.index],
    tiles: [state.sumLow, state.sumHigh],
  };
  return {
    ...{ stage, worker, challenger, row },
    ...(isClosed
      ? { outcome, loser: outcome === "Refuted" ? worker : challenger }
      : { turn, deadline, secondsLeft: deadline - now, ...place }),
  };
}

export function tellGame({ io, options }: GameSession, id: string, told: ToldGame, facts = {}): number {
  if (options.output === "json") {
    io.out(JSON.stringify({ game: id, ...told, ...facts }));
    return 0;
  }
  const { stage, turn, secondsLeft = 0, outcome, loser } = told;
  if (outcome !== undefined) io.out(`Game ${id} is closed: ${outcome}, ${loser} has lost.`);
  else if (secondsLeft < 0)
    io.out(`Game ${id}, stage ${stage}: the ${turn} let its time pass; anybody may end it with resolve.`);
  else io.out(`Game ${id}, stage ${stage}: the ${turn} moves next, within ${secondsLeft} s.`);
  return 0;
}
