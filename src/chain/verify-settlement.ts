/**
 * Checks what a task's status says of its settlement against the chain alone: no operator, no validator and no record of the
 * pool is asked. Every check is named and says what it found; nothing is taken for granted because an earlier one passed.
 */
import { InferiumError } from "../base/errors.ts";
import { hashTaskLeaf, verifyMerkleProof } from "../protocol/merkle.ts";
import { hashMessage, type ReceiptMessage, receiptTypes, recoverSigner } from "../protocol/typed-data.ts";
import { computeQuorum } from "./certificate.ts";
import type { ChainClient } from "./client.ts";
import { readSettledHeader, type SettledHeader } from "./settled-headers.ts";

export interface SettlementClaim {
  readonly receipt: { readonly message: ReceiptMessage; readonly signature: string; readonly digest: string };
  readonly requester: string;
  readonly rewardWei: bigint;
  /** Of what a proof showed; undefined where validators re-executed. */
  readonly statementHash?: string | undefined;
  readonly batch: bigint;
  readonly proof: readonly string[];
  /** What the status shows as the result, as 0x-hex. */
  readonly outputDigest: string | undefined;
}

export interface Check {
  readonly name:
    | ("Receipt" | "Output" | "Inclusion" | "Chain" | "Certificate" | "Final")
    | ("Statement" | "Circuit" | "Proof" | "Inputs");
  readonly passed: boolean;
  /** It could not be looked at, and so speaks neither for nor against. */
  readonly open?: true;
  readonly detail: string;
}

const checkpointInterval = 256n;

/** @throws InferiumError BatchNotSettled, HeaderNotInCalldata, RpcFailed */
export async function verifySettlement(
  client: ChainClient,
  claim: SettlementClaim,
  fromBlock: number,
): Promise<Check[]> {
  const path = await readPath(client, claim.batch, fromBlock);
  const [own] = path;
  if (own === undefined) return [];
  const offline = [checkReceipt(client, claim), checkOutput(claim), checkInclusion(claim, own)];
  return [
    ...offline,
    await checkChain(client, claim, path),
    await checkCertificate(client, own),
    await checkFinal(client, path),
  ];
}

/** From the task's batch to the last one, or to the next whose hash the contract keeps for ever. */
async function readPath(client: ChainClient, first: bigint, fromBlock: number): Promise<SettledHeader[]> {
  const { sequence: last } = await client.lastBatch();
  if (first > last) {
    throw new InferiumError(
      "BatchNotSettled",
      `The task is said to be in batch ${first}; the chain's last is ${last}.`,
    );
  }
  const checkpoint = ((first + checkpointInterval - 1n) / checkpointInterval) * checkpointInterval;
  const end = checkpoint < last ? checkpoint : last;
  const path: SettledHeader[] = [];
  for (let sequence = first; sequence <= end; sequence++)
    path.push(await readSettledHeader(client, sequence, fromBlock));
  return path;
}

function checkReceipt({ domain }: ChainClient, { receipt }: SettlementClaim): Check {
  const { message, signature, digest } = receipt;
  const signer = recoverSigner(domain, receiptTypes, message, signature);
  const isWhole = hashMessage(domain, receiptTypes, message) === digest;
  const passed = isWhole && signer === message.worker;
  if (passed) return { name: "Receipt", passed, detail: `worker ${message.worker} signed the receipt` };
  const found = isWhole ? `signed by ${signer ?? "nobody"}, not by ${message.worker}` : "not what its digest names";
  return { name: "Receipt", passed, detail: `the receipt is ${found}` };
}

function checkOutput({ receipt, outputDigest }: SettlementClaim): Check {
  const passed = outputDigest === receipt.message.outputDigest;
  const detail = passed
    ? `the result is the one of the receipt: ${outputDigest}`
    : `the status shows result ${outputDigest ?? "none"}, the receipt ${receipt.message.outputDigest}`;
  return { name: "Output", passed, detail };
}

function leafOf({ receipt, requester, rewardWei, statementHash }: SettlementClaim) {
  const { taskId, attempt, worker } = receipt.message;
  return { taskId, attempt, receiptDigest: receipt.digest, worker, requester, rewardWei, statementHash };
}

function checkInclusion(claim: SettlementClaim, { header, txHash }: SettledHeader): Check {
  const passed = verifyMerkleProof(header.taskRoot, hashTaskLeaf(leafOf(claim)), claim.proof);
  const detail = passed
    ? `task, attempt, receipt, worker, requester, reward${claim.statementHash ? " and what was proven" : ""} are a leaf of batch ${header.sequence}, transaction ${txHash}`
    : `the proof does not lead from this task to the root of batch ${header.sequence}, ${header.taskRoot}`;
  return { name: "Inclusion", passed, detail };
}

/** The contract itself walks from the task to what it holds. */
async function checkChain(client: ChainClient, claim: SettlementClaim, path: readonly SettledHeader[]): Promise<Check> {
  const headers = path.map(({ header }) => header);
  const end = headers.at(-1)?.sequence;
  try {
    const passed = await client.verifyTask(headers, leafOf(claim), claim.proof);
    const detail = passed ? `Settlement confirms it, from its batch to batch ${end}` : "Settlement does not confirm it";
    return { name: "Chain", passed, detail };
  } catch (error) {
    if (!(error instanceof InferiumError) || error.code !== "TransactionReverted") throw error;
    return { name: "Chain", passed: false, detail: error.message };
  }
}

async function checkCertificate(client: ChainClient, { header, bitmap }: SettledHeader): Promise<Check> {
  const members = await client.validators(header.epoch);
  const signers = members.filter((_, index) => (bitmap >> BigInt(index)) & 1n);
  const quorum = computeQuorum(members.length);
  const detail = `${signers.length} of ${members.length} validators of epoch ${header.epoch} signed the batch, ${quorum} are needed`;
  return { name: "Certificate", passed: signers.length >= quorum, detail };
}

async function checkFinal(client: ChainClient, path: readonly SettledHeader[]): Promise<Check> {
  const finalHash = await client.finalHeader();
  const isFinal =
    path.some(({ headerHash }) => headerHash === finalHash) || (await isBeforeFinal(client, path, finalHash));
  const detail = isFinal ? "the batch is final and can be claimed" : "not final yet: it can still be challenged";
  return { name: "Final", passed: isFinal, detail };
}

/** Where the final header is a later one than the path reaches, everything on the path is final too. */
async function isBeforeFinal(client: ChainClient, path: readonly SettledHeader[], finalHash: string): Promise<boolean> {
  const end = path.at(-1);
  const { sequence: last, headerHash } = await client.lastBatch();
  if (end === undefined || end.header.sequence === last) return false;
  if (headerHash === finalHash) return true;
  for (let sequence = end.header.sequence + 1n; sequence <= last; sequence++)
    if ((await readSettledHeader(client, sequence, end.blockNumber)).headerHash === finalHash) return true;
  return false;
}
