/**
 * Sends transactions that belong together back to back, with explicit nonces, gas limits and fees, so that none waits
 * for another's receipt and no estimate is asked for state that is not there yet. For deployment, funding and bonding,
 * where a person can start again; batches and slashes go through the outbox instead.
 */
import {
  JsonRpcProvider,
  type Provider,
  type Signer,
  type TransactionReceipt,
  type TransactionRequest,
  Wallet,
} from "ethers";
import { InferiumError } from "../base/errors.ts";
import { waitForReceipt } from "./receipts.ts";
import { buildRevertError, toChainError } from "./revert.ts";

export interface PlannedTransaction {
  /** For messages: what this transaction does. */
  readonly action: string;
  /** Absent: creates a contract. */
  readonly to?: string;
  readonly data: string;
  readonly gasLimit: bigint;
}

export interface SendOptions {
  /** For each transaction to be mined. */
  readonly timeoutMs: number;
}

/** A burst of thousands stalls an automining node; this many are in flight at once. */
const maxInFlight = 64;

/** @throws InferiumError TransactionReverted, TransactionTimeout, RpcFailed, NoProvider */
export async function sendBatch(
  signer: Signer,
  planned: readonly PlannedTransaction[],
  options: SendOptions,
): Promise<TransactionReceipt[]> {
  const provider = requireProvider(signer);
  const receipts: TransactionReceipt[] = [];
  for (let start = 0; start < planned.length; start += maxInFlight) {
    const slice = planned.slice(start, start + maxInFlight);
    const hashes = await broadcast(signer, provider, slice);
    for (const [index, transaction] of slice.entries()) {
      receipts.push(await confirm(provider, hashes[index] ?? "", { ...options, transaction }));
    }
  }
  return receipts;
}

export function requireProvider(signer: Signer): Provider {
  if (signer.provider !== null) return signer.provider;
  throw new InferiumError("NoProvider", "The signer has no provider: connect it to a JSON-RPC endpoint first.");
}

async function broadcast(signer: Signer, provider: Provider, planned: readonly PlannedTransaction[]) {
  const [firstNonce, fees] = await Promise.all([signer.getNonce("pending"), readFees(provider)]).catch((error) =>
    Promise.reject(toChainError("Reading nonce and fees", error)),
  );
  const hashes: string[] = [];
  for (const [index, { action, ...transaction }] of planned.entries()) {
    const request: TransactionRequest = { ...fees, ...transaction, nonce: firstNonce + index };
    hashes.push(await send(signer, request).catch((error) => Promise.reject(toChainError(action, error))));
  }
  return hashes;
}

/**
 * ethers reads each transaction that it has broadcast once more and recovers who signed it, which for a contract's code takes longer
 * than to sign it. A signer whose key is elsewhere broadcasts by itself.
 */
async function send(signer: Signer, request: TransactionRequest): Promise<string> {
  const provider = requireProvider(signer);
  if (!(signer instanceof Wallet && provider instanceof JsonRpcProvider))
    return (await signer.sendTransaction(request)).hash;
  const { chainId } = await provider.getNetwork();
  return provider.send("eth_sendRawTransaction", [await signer.signTransaction({ chainId, ...request })]);
}

/** EIP-1559 fees with room for the base fee to double. */
export async function readFees(provider: Provider): Promise<TransactionRequest> {
  const { maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
  if (maxFeePerGas === null || maxPriorityFeePerGas === null) {
    throw new InferiumError(
      "UnsupportedChain",
      "The chain reports no EIP-1559 fees; one with the London fork is needed.",
    );
  }
  return { type: 2, maxFeePerGas, maxPriorityFeePerGas };
}

async function confirm(
  provider: Provider,
  hash: string,
  options: SendOptions & { transaction: PlannedTransaction },
): Promise<TransactionReceipt> {
  const { transaction, timeoutMs } = options;
  const receipt = await waitForReceipt(provider, hash, { timeoutMs });
  if (receipt === undefined) {
    throw new InferiumError(
      "TransactionTimeout",
      `${transaction.action}: transaction ${hash} was not mined within ${timeoutMs} ms.`,
      { disposition: "retry" },
    );
  }
  if (receipt.status !== 1) throw await explainFailure(provider, receipt, transaction);
  return receipt;
}

/** Runs the failed call again, which is the only way to learn its reason. On the latest state: older may be pruned. */
async function explainFailure(provider: Provider, receipt: TransactionReceipt, transaction: PlannedTransaction) {
  try {
    await provider.call({ ...toCall(transaction), from: receipt.from });
  } catch (error) {
    return toChainError(transaction.action, error);
  }
  return buildRevertError(transaction.action, undefined, `status 0 in ${receipt.hash}, gas used ${receipt.gasUsed}`);
}

function toCall({ to, data, gasLimit }: PlannedTransaction): TransactionRequest {
  return { data, gasLimit, ...(to === undefined ? {} : { to }) };
}
