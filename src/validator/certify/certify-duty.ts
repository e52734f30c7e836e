/**
 * Certification: gather (own record, chain), check everything, record, sign. What is not signed is refused with its
 * reason, so that the operator need not guess. Effects: the record on the disk, one call to the pool, reads of the chain.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { RegisteredCircuit } from "../../chain/registered-circuit.ts";
import { listValidators } from "../../pool/batch-data.ts";
import type { BatchData } from "../../pool/batch-evidence.ts";
import type { PoolClient } from "../../pool/client.ts";
import type { CertifyDuty } from "../../pool/duty.ts";
import type { ProtocolSigner } from "../../pool/signer.ts";
import type { AttestResponse } from "../../pool/wire.ts";
import { batchHeaderTypes, hashMessage, type ProtocolDomain } from "../../protocol/typed-data.ts";
import type { CheckProof } from "../proof/check-proof.ts";
import type { VoteRecords } from "../vote-record.ts";
import { type CertifiedRecord, maySign, wasSigned } from "./certified-record.ts";
import type { RegisteredAgent } from "./check-agents.ts";
import { type BatchRules, checkBatch } from "./check-batch.ts";
import { listPayers } from "./check-deposits.ts";
import { attemptKey } from "./check-missed.ts";
import { type ChainHead, checkChainHead, followsOwnRecord } from "./check-previous.ts";
import { type Finding, finding } from "./finding.ts";
import { type ParsedBatch, parseBatch, parseHeader } from "./parse-batch.ts";
import type { SettledTasks } from "./settled-tasks.ts";

/** What a validator may ask the chain; each that is left out leaves its check out, but for readHead after a gap. */
export interface ChainView {
  readonly readHead?: () => Promise<ChainHead>;
  /** Checksummed members of an epoch's validator set. */
  readonly readValidators?: (epoch: bigint) => Promise<readonly string[]>;
  /** Header hash of a settled batch; undefined where there is none of that sequence. */
  readonly readHeaderHash?: (sequence: bigint) => Promise<string | undefined>;
  /** Who is paid for the work of each node, checksummed, in their order. */
  readonly readPayouts?: (nodes: readonly string[]) => Promise<readonly string[]>;
  /** What a requester may ever have spent. */
  readonly readSpendable?: (requester: string) => Promise<bigint>;
  /** Who is paid for an agent's calls, and how; undefined where no such agent is registered. */
  readonly readAgent?: (agentId: string) => Promise<RegisteredAgent | undefined>;
  /** Address of ModelRegistry: proofs are bound to it. */
  readonly readModelRegistry?: () => Promise<string>;
  /** What proofs of a model are checked with; undefined where it is not registered for so many rows. */
  readonly readCircuit?: (modelDigest: string, rows: number) => Promise<RegisteredCircuit | undefined>;
}

export interface CertifyContext {
  readonly client: Pick<PoolClient, "attest">;
  readonly signer: ProtocolSigner;
  readonly domain: ProtocolDomain;
  readonly record: CertifiedRecord;
  readonly settled: SettledTasks;
  readonly records: Pick<VoteRecords, "hasJudged">;
  readonly chain: ChainView;
  readonly rules: Pick<BatchRules, "pool" | "treasury" | "minimumQuorum" | "allowUnverified">;
  readonly clock: Clock;
  readonly checkProof: CheckProof;
}

export type CertifyResult = AttestResponse & { readonly refused?: Finding };

/** @throws InferiumError of the record, the chain and the client (retry: the duty comes again) */
export async function certifyBatch(
  context: CertifyContext,
  duty: CertifyDuty,
  signal: AbortSignal,
): Promise<CertifyResult> {
  const { sequence } = duty.batch.header;
  const header = readHeader(context.domain, duty.batch);
  if ("code" in header) return refuse(context, { sequence, headerHash: zeroHash, found: header }, signal);
  const { headerHash } = header;
  const found = await decide(context, duty.batch, { headerHash, signal });
  if (found !== undefined) return refuse(context, { sequence, headerHash, found }, signal);
  const signature = await context.signer.signTypedData(context.domain, batchHeaderTypes, header.message);
  return context.client.attest({ kind: "certify", sequence, headerHash, signature }, signal);
}

function readHeader(domain: ProtocolDomain, data: BatchData) {
  try {
    const message = parseHeader(data.header);
    return { message, headerHash: hashMessage(domain, batchHeaderTypes, message) };
  } catch (error) {
    return finding("MalformedBatch", describeError(error));
  }
}

/** Undefined where the header may be signed; then it is in the record. */
async function decide(
  context: CertifyContext,
  data: BatchData,
  { headerHash, signal }: { readonly headerHash: string; readonly signal: AbortSignal },
): Promise<Finding | undefined> {
  const batch = tryParse(data);
  if ("code" in batch) return batch;
  const state = context.record.read();
  const { sequence, epoch } = batch.header;
  if (wasSigned(state, { sequence, epoch, headerHash })) return undefined;
  if (!maySign(state, { sequence, epoch, headerHash })) {
    return finding("AlreadyCertified", `Another header was signed for sequence ${sequence}, or a later one.`);
  }
  if (!followsOwnRecord(batch, state.last)) {
    const found = checkChainHead(batch, await context.chain.readHead?.(), context.domain);
    if (found !== undefined) return found;
  }
  const outcome = await checkBatch(batch, await gatherRules(context, batch, signal));
  if (!(outcome instanceof Map)) return outcome;
  const { balances, spent, tasks } = batch;
  await context.settled.add({ sequence, headerHash, previousHash: batch.header.previousHash }, listSettledIds(tasks));
  await context.record.save({ sequence, epoch, headerHash, balances, spent }, outcome);
  return undefined;
}

function tryParse(data: BatchData): ParsedBatch | Finding {
  try {
    return parseBatch(data);
  } catch (error) {
    return finding("MalformedBatch", describeError(error));
  }
}

async function gatherRules(
  { chain, checkProof, clock, domain, record, records, rules, settled }: CertifyContext,
  batch: ParsedBatch,
  signal: AbortSignal,
): Promise<BatchRules> {
  const members = await chain.readValidators?.(batch.header.epoch);
  const { header } = batch;
  const agentIds = new Set(batch.tasks.flatMap(({ agent }) => agent?.window.agentId ?? []));
  const position = { ...header, ancestors: await readAncestors({ chain, settled }, batch) };
  return {
    ...rules,
    domain,
    validators: members && new Set(members),
    payouts: chain.readPayouts && (await readPayouts(listNodes(batch), chain.readPayouts)),
    spendable: chain.readSpendable && (await readAll(listPayers(batch), chain.readSpendable)),
    agents: chain.readAgent && dropUnknown(await readAll([...agentIds], chain.readAgent)),
    // A batch that takes the place of one that lapsed holds its tasks again.
    settledTasks: { has: (id) => settled.isBefore(id, position) },
    answered: await readAnswered(records, batch),
    spentWei: record.spentBefore(header.previousHash),
    nowMs: clock.now(),
    checkProof: (task) => checkProof({ ...task.proven, receipt: task.receipt }, task.proven.proof, signal),
  };
}

async function readAnswered(records: CertifyContext["records"], { missed }: ParsedBatch): Promise<Set<string>> {
  const answered = new Set<string>();
  for (const { message } of missed) if (await records.hasJudged(message)) answered.add(attemptKey(message));
  return answered;
}

/** After a gap in our own record the chain says which batches were settled in it. */
async function readAncestors({ chain, settled }: Pick<CertifyContext, "chain" | "settled">, batch: ParsedBatch) {
  const ancestors = new Map<bigint, string>();
  for (const sequence of settled.listUnknown(listSettledIds(batch.tasks), batch.header)) {
    const headerHash = await chain.readHeaderHash?.(sequence);
    if (headerHash !== undefined) ancestors.set(sequence, headerHash);
  }
  return ancestors;
}

/** All that may be in one batch only: tasks, and windows of calls, which another task must not settle again. */
const listSettledIds = (tasks: ParsedBatch["tasks"]) =>
  tasks.flatMap(({ taskId, agent }) => (agent ? [taskId, agent.window.windowId] : [taskId]));

function dropUnknown<Value>(values: ReadonlyMap<string, Value | undefined>): Map<string, Value> {
  return new Map([...values].filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

const listNodes = (batch: ParsedBatch) => [
  ...new Set(batch.tasks.flatMap((task) => [task.worker, ...listValidators(task).map(({ validator }) => validator)])),
];

async function readAll<Value>(
  accounts: readonly string[],
  read: (account: string) => Promise<Value>,
): Promise<Map<string, Value>> {
  const values = new Map<string, Value>();
  for (const account of accounts) values.set(account, await read(account));
  return values;
}

async function readPayouts(nodes: readonly string[], read: NonNullable<ChainView["readPayouts"]>) {
  const payouts = await read(nodes);
  return new Map(nodes.map((node, index) => [node, payouts[index] ?? ""]));
}

interface Refusal {
  readonly sequence: string;
  readonly headerHash: string;
  readonly found: Finding;
}

const zeroHash = `0x${"0".repeat(64)}`;

async function refuse(context: CertifyContext, refusal: Refusal, signal: AbortSignal): Promise<CertifyResult> {
  const { sequence, headerHash, found } = refusal;
  if (!/^(0|[1-9][0-9]{0,19})$/.test(sequence)) {
    throw new InferiumError(
      "InvalidDuty",
      `A batch's sequence is "${String(sequence).slice(0, 40)}"; it cannot be answered.`,
    );
  }
  const reason = `${found.code}: ${found.message}`.slice(0, 2000);
  const answer = await context.client.attest({ kind: "refuse", sequence, headerHash, reason }, signal);
  return { ...answer, refused: found };
}
