/**
 * How much gas a transaction may use. An estimate runs on the newest block, the transaction in a later one, and there it can cost
 * more: what counts votes writes a new checkpoint where the last one is of another second (44,532 gas were measured for the two of a
 * slash). What is not used is not paid.
 */
import type { Signer } from "ethers";
import { toChainError } from "./revert.ts";

/** Three checkpoints, and more. */
const laterBlockGas = 100_000n;

/** @param gas an estimate */
export function computeGasLimit(gas: bigint): bigint {
  return (gas * 5n) / 4n + laterBlockGas;
}

/**
 * @param action for messages: what the transaction does
 * @throws InferiumError TransactionReverted (what the contract would refuse), RpcFailed
 */
export async function estimateGas(
  signer: Signer,
  action: string,
  transaction: { readonly to?: string; readonly data: string },
): Promise<bigint> {
  try {
    return await signer.estimateGas(transaction);
  } catch (error) {
    throw toChainError(action, error);
  }
}
