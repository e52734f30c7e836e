/** Batch data as it came over the wire, as numbers and checksummed addresses; whatever is not is a Malformed batch. */
import { parseDigest } from "../../base/digest.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type {
  AgentEvidence,
  BatchData,
  BatchHeaderData,
  BatchTask,
  ProofEvidence,
  VoteEvidence,
} from "../../pool/batch-evidence.ts";
import type { SignedReceipt } from "../../pool/wire.ts";
import type { SignedClaim } from "../../pool/work-assignment.ts";
import { checksumAddress } from "../../protocol/checksum-address.ts";
import type { Order } from "../../protocol/order.ts";
import { maxBatchTasks } from "../../protocol/settlement.ts";
import type { BatchHeaderMessage } from "../../protocol/typed-data.ts";

export interface ParsedTask {
  readonly taskId: string;
  readonly attempt: number;
  readonly receipt: SignedReceipt;
  readonly receiptDigest: string;
  readonly worker: string;
  readonly payee: string;
  readonly requester: string;
  readonly rewardWei: bigint;
  /** None where the task was proven. */
  readonly votes: readonly VoteEvidence[];
  readonly proven?: ProofEvidence;
  readonly order: Order | undefined;
  readonly agent?: AgentEvidence;
}

export interface ProvenTask extends ParsedTask {
  readonly proven: ProofEvidence;
}

export const isProven = (task: ParsedTask): task is ProvenTask => task.proven !== undefined;

export interface ParsedBatch {
  readonly header: BatchHeaderMessage;
  readonly previousHeader: BatchHeaderMessage | undefined;
  readonly tasks: readonly ParsedTask[];
  readonly missed: readonly SignedClaim[];
  readonly treasury: string;
  readonly previousBalances: ReadonlyMap<string, bigint>;
  readonly balances: ReadonlyMap<string, bigint>;
  readonly previousSpent: ReadonlyMap<string, bigint>;
  readonly spent: ReadonlyMap<string, bigint>;
}

/** @throws InferiumError MalformedBatch */
export function parseBatch(data: BatchData): ParsedBatch {
  try {
    if (data.tasks.length > maxBatchTasks) throw new Error(`it has ${data.tasks.length} tasks`);
    return {
      header: parseHeader(data.header),
      previousHeader: data.previousHeader && parseHeader(data.previousHeader),
      tasks: data.tasks.map(parseTask),
      missed: (data.missed ?? []).map(parseMissed),
      treasury: address(data.treasury),
      previousBalances: parseBalances(data.previousBalances),
      balances: parseBalances(data.balances),
      previousSpent: parseBalances(data.previousSpent),
      spent: parseBalances(data.spent),
    };
  } catch (cause) {
    throw new InferiumError("MalformedBatch", `The batch cannot be read: ${describeError(cause)}.`, { cause });
  }
}

export function parseHeader(header: BatchHeaderData): BatchHeaderMessage {
  return {
    sequence: whole(header.sequence),
    previousHash: bytes32(header.previousHash),
    epoch: whole(header.epoch),
    taskRoot: bytes32(header.taskRoot),
    balanceRoot: bytes32(header.balanceRoot),
    taskCount: header.taskCount,
    settledWei: whole(header.settledWei),
    createdAt: whole(header.createdAt),
  };
}

function parseTask(task: BatchTask): ParsedTask {
  return {
    taskId: bytes32(task.taskId),
    attempt: task.attempt,
    receipt: task.receipt,
    receiptDigest: bytes32(task.receiptDigest),
    worker: address(task.worker),
    payee: address(task.payee),
    requester: address(task.requester),
    rewardWei: whole(task.rewardWei),
    votes: task.votes.map((vote) => ({ ...vote, validator: address(vote.validator), payee: address(vote.payee) })),
    order: task.order === undefined ? undefined : parseOrder(task.order),
    ...(task.proven === undefined ? {} : { proven: parseProven(task.proven, task.votes) }),
    ...(task.agent === undefined ? {} : { agent: parseAgent(task.agent) }),
  };
}

/** What the window says is checked against the receipt, and the split against the chain, in check-agents.ts. */
function parseAgent({ window, creator, shares }: AgentEvidence): AgentEvidence {
  const { creatorBps, hostBps, validatorsBps, treasuryBps } = shares;
  const parts = [creatorBps, hostBps, validatorsBps, treasuryBps];
  const isSplit = parts.every((bps) => Number.isInteger(bps) && bps >= 0) && sum(parts) === 10_000;
  if (!isSplit) throw new Error(`an agent's shares are ${parts.join(", ")} bps; they must sum to 10000`);
  for (const id of [window.windowId, window.agentId, window.receiptKey, window.seed]) bytes32(id);
  whole(window.revenueWei);
  return { window, creator: address(creator), shares: { creatorBps, hostBps, validatorsBps, treasuryBps } };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** Model, input and output are checked against the receipt, where they are read. */
function parseProven({ proof, endorsements, ...rest }: ProofEvidence, votes: BatchTask["votes"]): ProofEvidence {
  if (votes.length > 0) throw new Error("a task has votes and a proof");
  const decimals = (texts: readonly string[], count: number) => {
    if (texts.length !== count) throw new Error(`a proof has ${texts.length} numbers, expected ${count}`);
    return texts.map((text) => String(whole(text)));
  };
  const [inputCommitment = "", result = "", task = ""] = decimals(proof.signals, 3);
  return {
    ...rest,
    proof: {
      taskId: bytes32(proof.taskId),
      attempt: proof.attempt,
      worker: address(proof.worker),
      modelDigest: parseDigest(proof.modelDigest),
      verifyingKeyDigest: parseDigest(proof.verifyingKeyDigest),
      rows: proof.rows,
      salt: String(whole(proof.salt)),
      signals: [inputCommitment, result, task],
      words: decimals(proof.words, 8),
    },
    endorsements: endorsements.map(({ validator, payee, signature }) => ({
      validator: address(validator),
      payee: address(payee),
      signature,
    })),
  };
}

function parseMissed({ message, signature }: SignedClaim): SignedClaim {
  const { taskId, attempt, worker, deadlineMs } = message;
  if (!Number.isSafeInteger(deadlineMs) || deadlineMs < 0) throw new Error(`a deadline is ${deadlineMs}`);
  return { message: { taskId: bytes32(taskId), attempt, worker: address(worker), deadlineMs }, signature };
}

function parseOrder({ message, signature, models }: NonNullable<BatchTask["order"]>): Order {
  return {
    message: {
      requester: address(message.requester),
      pool: message.pool,
      maxPerTaskWei: whole(message.maxPerTaskWei),
      maxTotalWei: whole(message.maxTotalWei),
      modelsRoot: bytes32(message.modelsRoot),
      expiresAt: message.expiresAt,
      nonce: whole(message.nonce),
    },
    signature,
    ...(models === undefined ? {} : { models }),
  };
}

function parseBalances(balances: Readonly<Record<string, string>>): Map<string, bigint> {
  return new Map(Object.entries(balances).map(([account, wei]) => [address(account), whole(wei)]));
}

/** Only in its checksummed form: in two forms one account would have two balances. */
function address(text: string): string {
  if (checksumAddress(text) === text) return text;
  throw new Error(`${text} is not in its checksummed form`);
}

function bytes32(text: string): string {
  if (/^0x[0-9a-f]{64}$/.test(text)) return text;
  throw new Error(`"${String(text).slice(0, 80)}" is not 32 bytes in lower-case hex`);
}

function whole(text: string): bigint {
  if (/^(0|[1-9][0-9]{0,77})$/.test(text)) return BigInt(text);
  throw new Error(`"${String(text).slice(0, 80)}" is not a whole number`);
}
