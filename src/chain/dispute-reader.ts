/** What the contract Disputes says, typed. Used by validators and the command line; changes nothing, caches nothing. */
import type { Result } from "ethers";
import { type ChainTime, type DisputeView, disputeRulings, disputeStates } from "../protocol/dispute.ts";
import { loadArtifact } from "./artifacts.ts";
import { type ChainClient, createReader } from "./client.ts";
import { findNewestLog, readAllLogs } from "./logs.ts";
import { toChainError } from "./revert.ts";

export interface DisputeParameters {
  readonly bondWei: bigint;
  readonly jurySize: number;
  readonly commitSeconds: number;
  readonly revealSeconds: number;
  readonly vetoSeconds: number;
  readonly evidenceSeconds: number;
  readonly workerBps: number;
}

export interface OpenedDispute {
  readonly id: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly worker: string;
  readonly challenger: string;
  readonly blockNumber: number;
  readonly txHash: string;
}

/** All throw InferiumError RpcFailed (retry). */
export interface DisputeReader {
  parameters(): Promise<DisputeParameters>;
  /** Of state None where there is none of this id. */
  dispute(id: string): Promise<DisputeView>;
  /** Ascending. */
  accused(id: string): Promise<string[]>;
  /** Empty before the draw. */
  jury(id: string): Promise<string[]>;
  /** Bonds that came free and were not collected. */
  owedTo(account: string): Promise<bigint>;
  /** @param fromBlock of the opening, or an earlier one */
  hasCommitted(id: string, juror: string, fromBlock: number): Promise<boolean>;
  /** Second in which the epoch ended; 0 while it goes on. */
  retiredAt(epoch: bigint): Promise<number>;
  now(): Promise<ChainTime>;
  /** In the order of opening. */
  list(fromBlock: number): Promise<OpenedDispute[]>;
}

export function createDisputeReader(client: ChainClient): DisputeReader {
  const read = createReader(client.provider, client.addresses);
  return {
    parameters: async () => toParameters((await read("disputes", "parameters", []))[0]),
    dispute: async (id) => toView((await read("disputes", "disputeOf", [id]))[0]),
    accused: async (id) => [...(await read("disputes", "accusedOf", [id]))[0]],
    jury: async (id) => [...(await read("disputes", "juryOf", [id]))[0]],
    owedTo: async (account) => (await read("disputes", "owedTo", [account]))[0],
    hasCommitted: async (id, juror, fromBlock) => {
      const topics = loadArtifact("Disputes").abi.encodeFilterTopics("Committed", [id, juror]);
      const filter = { address: client.addresses.disputes, topics };
      return (await findNewestLog(client, filter, fromBlock)) !== undefined;
    },
    retiredAt: async (epoch) => Number((await read("validatorSets", "retiredAt", [epoch]))[0]),
    now: () => readNow(client),
    list: (fromBlock) => listOpened(client, fromBlock),
  };
}

async function readNow({ provider }: ChainClient): Promise<ChainTime> {
  try {
    const block = await provider.getBlock("latest");
    return { block: block?.number ?? 0, timestamp: block?.timestamp ?? 0 };
  } catch (error) {
    throw toChainError("Reading the newest block", error);
  }
}

async function listOpened(client: ChainClient, fromBlock: number): Promise<OpenedDispute[]> {
  const { abi } = loadArtifact("Disputes");
  const filter = { address: client.addresses.disputes, topics: abi.encodeFilterTopics("Opened", []) };
  const opened: OpenedDispute[] = [];
  for (const log of await readAllLogs(client, filter, fromBlock)) {
    const args = abi.parseLog(log)?.args;
    if (args === undefined) continue;
    const { id, taskId, worker, challenger } = args;
    const place = { blockNumber: log.blockNumber, txHash: log.transactionHash };
    opened.push({ id, taskId, attempt: Number(args.attempt), worker, challenger, ...place });
  }
  return opened;
}

function toParameters(result: Result): DisputeParameters {
  return {
    bondWei: result.bond,
    jurySize: Number(result.jurySize),
    commitSeconds: Number(result.commitSeconds),
    revealSeconds: Number(result.revealSeconds),
    vetoSeconds: Number(result.vetoSeconds),
    evidenceSeconds: Number(result.evidenceSeconds),
    workerBps: Number(result.workerBps),
  };
}

function toView(result: Result): DisputeView {
  return {
    challenger: result.challenger,
    worker: result.worker,
    state: disputeStates[Number(result.state)] ?? "None",
    ruling: disputeRulings[Number(result.ruling)] ?? "None",
    deadline: Number(result.deadline),
    seedBlock: Number(result.seedBlock),
    bondWei: result.bond,
    overturn: Number(result.overturn),
    uphold: Number(result.uphold),
  };
}
