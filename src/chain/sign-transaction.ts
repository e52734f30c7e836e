/**
 * Signs what the outbox sends: a new transaction, a dearer form of one that nobody mines, or one that fills a gap in the
 * nonces. Signs only; nothing is sent or stored.
 */
import { keccak256, type Signer, Transaction } from "ethers";
import { computeGasLimit, estimateGas } from "./gas-limit.ts";
import type { JournalEntry, JsonValue } from "./journal.ts";
import { readFees, requireProvider } from "./send-batch.ts";

export interface TransactionContent {
  readonly id: string;
  readonly subject: string;
  readonly payload: JsonValue;
  readonly to: string;
  readonly data: string;
}

/** What a journalled transaction does, to be signed anew. */
export function readContent({ id, subject, payload, rawTransaction }: JournalEntry): TransactionContent {
  const { to, data } = Transaction.from(rawTransaction);
  return { id, subject, payload, to: to ?? "", data };
}

export async function readChainId(signer: Signer): Promise<number> {
  return Number((await requireProvider(signer).getNetwork()).chainId);
}

export async function signNew(signer: Signer, content: TransactionContent, nonce: number): Promise<JournalEntry> {
  const { to, data, id, subject, payload } = content;
  const [from, chainId, gasLimit, fees] = await Promise.all([
    signer.getAddress(),
    readChainId(signer),
    limitGas(signer, content),
    readFees(requireProvider(signer)),
  ]);
  const rawTransaction = await signer.signTransaction({ ...fees, to, data, nonce, chainId, gasLimit });
  const txHash = keccak256(rawTransaction);
  return { id, subject, payload, chainId, from, nonce, rawTransaction, txHash, status: "signed" };
}

/** What the contract would refuse fails here, unsigned. */
async function limitGas(signer: Signer, { id, to, data }: TransactionContent): Promise<bigint> {
  return computeGasLimit(await estimateGas(signer, id, { to, data }));
}

/** A payment of nothing to oneself: it uses up the nonce, so that what comes after can be mined. */
export async function signFiller(signer: Signer, nonce: number): Promise<JournalEntry> {
  const from = await signer.getAddress();
  return signNew(signer, { id: `fill/${nonce}`, subject: "", payload: { kind: "fill" }, to: from, data: "0x" }, nonce);
}

/** Nodes replace a transaction only by one that offers a tenth more; a quarter also catches up with a rising market. */
const raisePercent = 125n;

/** The same transaction with a higher fee, or undefined where it already pays as much as may be paid. */
export async function signDearer(
  signer: Signer,
  entry: JournalEntry,
  maxFeePerGasWei: bigint,
): Promise<JournalEntry | undefined> {
  const known = Transaction.from(entry.rawTransaction);
  const { to, data, nonce, gasLimit, value } = known;
  const { maxFeePerGas, maxPriorityFeePerGas } = await readFees(requireProvider(signer));
  const fee = raise(known.maxFeePerGas, maxFeePerGas);
  const tip = raise(known.maxPriorityFeePerGas, maxPriorityFeePerGas);
  if (fee > maxFeePerGasWei) return undefined;
  const rawTransaction = await signer.signTransaction({
    ...{ type: 2, to, data, nonce, gasLimit, value, chainId: entry.chainId },
    maxFeePerGas: fee,
    maxPriorityFeePerGas: tip,
  });
  const before = { rawTransaction: entry.rawTransaction, txHash: entry.txHash };
  return { ...entry, rawTransaction, txHash: keccak256(rawTransaction), replaced: [...(entry.replaced ?? []), before] };
}

function raise(known: bigint | null, now: unknown): bigint {
  const raised = ((known ?? 0n) * raisePercent) / 100n + 1n;
  const market = BigInt((now as bigint | number | string | null) ?? 0n);
  return market > raised ? market : raised;
}
