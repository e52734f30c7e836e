/** The contracts' events, typed and decoded. Pure. */
import type { Log, Result } from "ethers";
import { type DisputeRuling, disputeRulings } from "../protocol/dispute.ts";
import { type ContractAddresses, contractOf } from "./addresses.ts";
import { loadArtifact } from "./artifacts.ts";
import { type NodeRole, nodeRoles } from "./node-reader.ts";

export interface EventPlace {
  /** Block hash and log index: unique, and different after a reorg. */
  readonly id: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly txHash: string;
}

interface EventFields {
  Settled: { sequence: bigint; headerHash: string };
  Slashed: { node: string; fault: string; reporter: string; amountWei: bigint; reporterWei: bigint; burntWei: bigint };
  Disqualified: { node: string; fault: string };
  Bonded: { node: string; role: NodeRole; owner: string; payout: string; amountWei: bigint; activeWei: bigint };
  Claimed: { account: string; payout: string; amountWei: bigint; cumulativeWei: bigint };
  Deposited: { requester: string; from: string; amountWei: bigint };
  WithdrawalRequested: { requester: string; amountWei: bigint; readyAt: number };
  Rotated: { epoch: bigint; validators: readonly string[] };
  /** Of disputes, as are Drawn, Ruled and Executed. */
  Opened: { dispute: string; taskId: string; attempt: number; worker: string; challenger: string };
  Drawn: { dispute: string; jury: readonly string[]; commitUntil: number };
  Ruled: { dispute: string; ruling: DisputeRuling; executableAt: number };
  Executed: { dispute: string; ruling: DisputeRuling };
  ModelRegistered: { modelDigest: string; rows: number; r1csDigest: string; isDevelopment: boolean };
}

export type EventKind = keyof EventFields;
export type ChainEvent = { [K in EventKind]: EventPlace & { readonly kind: K } & Readonly<EventFields[K]> }[EventKind];

const decoders: { readonly [K in EventKind]: (args: Result) => EventFields[K] } = {
  Settled: ({ sequence, headerHash }) => ({ sequence, headerHash }),
  Slashed: ({ node, fault, reporter, amount, reporterAmount, burnt }) => ({
    ...{ node, fault, reporter },
    ...{ amountWei: amount, reporterWei: reporterAmount, burntWei: burnt },
  }),
  Disqualified: ({ node, fault }) => ({ node, fault }),
  Bonded: ({ node, role, owner, payout, amount, active }) => ({
    ...{ node, owner, payout, amountWei: amount, activeWei: active },
    role: nodeRoles[Number(role)] ?? "None",
  }),
  Claimed: ({ account, payout, amount, cumulativeWei }) => ({ account, payout, amountWei: amount, cumulativeWei }),
  Deposited: ({ requester, from, amount }) => ({ requester, from, amountWei: amount }),
  WithdrawalRequested: ({ requester, amount, readyAt }) => ({
    ...{ requester, amountWei: amount },
    readyAt: Number(readyAt),
  }),
  Rotated: ({ epoch, validators }) => ({ epoch, validators: [...validators] }),
  Opened: ({ id, taskId, attempt, worker, challenger }) => ({
    ...{ dispute: id, taskId, worker, challenger },
    attempt: Number(attempt),
  }),
  Drawn: ({ id, jury, commitUntil }) => ({ dispute: id, jury: [...jury], commitUntil: Number(commitUntil) }),
  Ruled: ({ id, ruling, executableAt }) => ({
    ...{ dispute: id, ruling: toRuling(ruling) },
    executableAt: Number(executableAt),
  }),
  Executed: ({ id, ruling }) => ({ dispute: id, ruling: toRuling(ruling) }),
  ModelRegistered: ({ modelDigest, rows, r1csDigest, isDevelopment }) => ({
    ...{ modelDigest, rows: Number(rows), r1csDigest, isDevelopment },
  }),
};

function toRuling(code: bigint): DisputeRuling {
  return disputeRulings[Number(code)] ?? "None";
}

/** Where each event comes from. The same name in another contract is something else. */
const emitters: Readonly<Record<EventKind, keyof ContractAddresses>> = {
  Settled: "settlement",
  Slashed: "registry",
  Disqualified: "registry",
  Bonded: "registry",
  Claimed: "distributor",
  Deposited: "escrow",
  WithdrawalRequested: "escrow",
  Rotated: "validatorSets",
  Opened: "disputes",
  Drawn: "disputes",
  Ruled: "disputes",
  Executed: "disputes",
  ModelRegistered: "modelRegistry",
};

/** Hashes of the events' signatures; asked for at every look at the chain, and always the same. */
let topics: readonly string[] | undefined;

/** What to ask the endpoint for: every known event of every contract that emits one. */
export function buildLogFilter(addresses: ContractAddresses): { address: string[]; topics: string[][] } {
  const kinds = Object.keys(emitters) as EventKind[];
  const contracts = new Set(kinds.map((kind) => emitters[kind]));
  const topic = (kind: EventKind) => loadArtifact(contractOf[emitters[kind]]).abi.getEvent(kind)?.topicHash ?? "";
  topics ??= kinds.map(topic);
  return { address: [...contracts].map((contract) => addresses[contract]), topics: [[...topics]] };
}

/** Undefined for a log of none of the known events. */
export function decodeLog(addresses: ContractAddresses, log: Log): ChainEvent | undefined {
  for (const kind of Object.keys(emitters) as EventKind[]) {
    const contract = emitters[kind];
    if (addresses[contract].toLowerCase() !== log.address.toLowerCase()) continue;
    const parsed = loadArtifact(contractOf[contract]).abi.parseLog(log);
    if (parsed?.name !== kind) continue;
    return { kind, ...toPlace(log), ...decoders[kind](parsed.args) } as ChainEvent;
  }
  return undefined;
}

function toPlace(log: Log): EventPlace {
  const { blockNumber, blockHash, transactionHash, index } = log;
  return { id: `${blockHash}/${index}`, blockNumber, blockHash, txHash: transactionHash };
}
