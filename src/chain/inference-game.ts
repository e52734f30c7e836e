/**
 * The contract InferenceGame for one player: reads a game, sends its moves, opens one. Each move is tried first, so that a refused one
 * costs nothing and names its reason. Shaped as src/zk/game wants it. Effects: transactions.
 */

import type { BytesLike, Provider, Signer } from "ethers";
import { hexlify } from "ethers";
import { InferiumError } from "../base/errors.ts";
import {
  type GameMove,
  type GameOpening,
  type GameState,
  gameOutcomes,
  gameStages,
} from "../protocol/inference-game.ts";
import { type ContractName, loadArtifact } from "./artifacts.ts";
import { compactSignature } from "./certificate.ts";
import { computeGasLimit, estimateGas } from "./gas-limit.ts";
import { maxLogBlocks } from "./logs.ts";
import { toChainError } from "./revert.ts";
import { requireProvider, sendBatch } from "./send-batch.ts";

export interface InferenceGameOptions {
  /** Connected to a provider; the worker's or the challenger's. */
  readonly signer: Signer;
  readonly address: string;
  /** For each transaction to be mined. */
  readonly timeoutMs: number;
}

export interface MinedMove {
  readonly kind: string;
  readonly gas: bigint;
}

export class InferenceGameClient {
  readonly #options: InferenceGameOptions;
  readonly #provider: Provider;
  /** What this player has sent, in order: for reports of what a game costs. */
  readonly mined: MinedMove[] = [];

  constructor(options: InferenceGameOptions) {
    this.#options = options;
    this.#provider = requireProvider(options.signer);
  }

  async game(id: string): Promise<GameState> {
    const [game] = await this.#read("InferenceGame", "gameOf", [id]);
    const { challenger, worker, receiptDigest, agreed, denied, first, second, isChallengersTurn } = game;
    return {
      stage: gameStages[Number(game.stage)] ?? "None",
      outcome: gameOutcomes[Number(game.outcome)] ?? "None",
      deadline: Number(game.deadline),
      row: Number(game.row),
      rows: Number(game.rows),
      low: Number(game.low),
      high: Number(game.high),
      level: Number(game.level),
      index: Number(game.index),
      sumLow: Number(game.sumLow),
      sumHigh: Number(game.sumHigh),
      ...{ challenger, worker, receiptDigest, agreed, denied, first, second, isChallengersTurn },
    };
  }

  async now(): Promise<number> {
    const block = await this.#provider.getBlock("latest").catch((error: unknown) => {
      throw toChainError("Reading the newest block", error);
    });
    if (block !== null) return block.timestamp;
    throw new InferiumError("RpcFailed", "The endpoint knows no newest block.", { disposition: "retry" });
  }

  async bond(): Promise<bigint> {
    const [parameters] = await this.#read("InferenceGame", "parameters", []);
    return parameters.bond as bigint;
  }

  /** The bond must have been approved. @returns the game's id @throws InferiumError TransactionReverted and those of sendBatch */
  async open(opening: GameOpening): Promise<string> {
    const workerSignature = compactSignature(opening.workerSignature);
    const values = [
      { ...opening, workerSignature, input: hexlify(opening.input), outputs: opening.outputs.map(toHex) },
    ];
    const { abi } = loadArtifact("InferenceGame");
    const data = abi.encodeFunctionData("open", values);
    const { signer, address } = this.#options;
    const answer = await signer.call({ to: address, data }).catch((error: unknown) => {
      throw toChainError("InferenceGame.open", error);
    });
    await this.#send("open", values);
    return abi.decodeFunctionResult("open", answer)[0] as string;
  }

  /** Games against a worker since a block, in the chain's order: what a defender watches. @throws InferiumError RpcFailed */
  async gamesAgainst(
    worker: string,
    fromBlock: number,
  ): Promise<{ readonly id: string; readonly receiptDigest: string }[]> {
    const { abi } = loadArtifact("InferenceGame");
    const topics = abi.encodeFilterTopics("GameOpened", [null, null, worker]);
    const games: { id: string; receiptDigest: string }[] = [];
    try {
      const newest = await this.#provider.getBlockNumber();
      for (let from = fromBlock; from <= newest; from += maxLogBlocks) {
        const toBlock = Math.min(newest, from + maxLogBlocks - 1);
        const logs = await this.#provider.getLogs({ address: this.#options.address, topics, fromBlock: from, toBlock });
        games.push(...logs.map((log) => ({ id: log.topics[1] ?? "", receiptDigest: log.topics[2] ?? "" })));
      }
    } catch (error) {
      throw toChainError("Reading the games against a worker", error);
    }
    return games;
  }

  async move(id: string, move: GameMove): Promise<void> {
    await this.#send(move.kind, [id, ...argumentsOf(move)]);
  }

  async #read(contract: ContractName, name: string, values: readonly unknown[]) {
    const { abi } = loadArtifact(contract);
    try {
      const data = abi.encodeFunctionData(name, values);
      return abi.decodeFunctionResult(name, await this.#provider.call({ to: this.#options.address, data }));
    } catch (error) {
      throw toChainError(`Reading ${contract}.${name}`, error);
    }
  }

  async #send(name: string, values: readonly unknown[]): Promise<void> {
    const { signer, address: to, timeoutMs } = this.#options;
    const action = `InferenceGame.${name}`;
    const data = loadArtifact("InferenceGame").abi.encodeFunctionData(name, values);
    const gas = await estimateGas(signer, action, { to, data });
    const [receipt] = await sendBatch(signer, [{ action, to, data, gasLimit: computeGasLimit(gas) }], { timeoutMs });
    this.mined.push({ kind: name, gas: receipt?.gasUsed ?? 0n });
  }
}

const toHex = (bytes: BytesLike) => hexlify(bytes);

/** What follows the game's id. */
function argumentsOf(move: GameMove): readonly unknown[] {
  switch (move.kind) {
    case "claim":
      return [move.logits, move.outputs.map(toHex)];
    case "propose":
      return [move.first, move.second];
    case "answer":
      return [move.inSecondHalf];
    case "openBlock":
      return [move.sums];
    case "prove":
      return [move.evidence];
    case "timeOut":
      return [];
  }
}
