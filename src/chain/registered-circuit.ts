/**
 * Circuits in ModelRegistry: how one is registered, and read with its verifying key, which lies in the code of a contract.
 * Called by whoever registers a model, by validators and by `inferium verify`.
 */
import type { JsonRpcProvider, TransactionReceipt } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { loadArtifact } from "./artifacts.ts";
import type { ChainWriter } from "./bond.ts";
import type { Reader } from "./client.ts";
import { toChainError } from "./revert.ts";
import { sendBatch } from "./send-batch.ts";

/** Digests as 0x-hex of 32 bytes. */
export interface RegisteredCircuit {
  readonly r1csDigest: string;
  readonly powersOfTau: string;
  readonly ceremonyDigest: string;
  /** Made by one party, who can forge proofs if it kept its secret. */
  readonly isDevelopment: boolean;
  /** Of the verifying key, as the chain orders them. */
  readonly keyWords: readonly bigint[];
}

export interface CircuitRegistration extends RegisteredCircuit {
  readonly modelDigest: string;
  readonly rows: number;
}

const zeroAddress = `0x${"0".repeat(40)}`;

/** The signer must be the registry's admin. @throws InferiumError TransactionReverted (AlreadyRegistered, DevelopmentSetupRefused, ...) */
export async function registerCircuit(
  { signer, addresses, timeoutMs }: ChainWriter,
  registration: CircuitRegistration,
): Promise<TransactionReceipt | undefined> {
  const data = encodeRegistration(registration);
  const action = "ModelRegistry.register";
  const planned = { action, to: addresses.modelRegistry, data, gasLimit: 600_000n };
  const [receipt] = await sendBatch(signer, [planned], { timeoutMs: timeoutMs ?? 60_000 });
  return receipt;
}

/** The call of ModelRegistry.register, 0x-hex. */
export function encodeRegistration({ modelDigest, rows, keyWords, ...circuit }: CircuitRegistration): string {
  const values = [modelDigest, rows, { ...circuit, key: zeroAddress }, keyWords];
  return loadArtifact("ModelRegistry").abi.encodeFunctionData("register", values);
}

/** @throws InferiumError RpcFailed */
export async function readCircuit(
  { read, provider }: { readonly read: Reader; readonly provider: JsonRpcProvider },
  modelDigest: string,
  rows: number,
): Promise<RegisteredCircuit | undefined> {
  try {
    const [{ r1csDigest, powersOfTau, ceremonyDigest, isDevelopment, key }] = await read("modelRegistry", "circuitOf", [
      modelDigest,
      rows,
    ]);
    const code = await provider.getCode(key);
    return { r1csDigest, powersOfTau, ceremonyDigest, isDevelopment, keyWords: readWords(code) };
  } catch (error) {
    if (error instanceof InferiumError && error.evidence?.revert === "UnknownModel") return undefined;
    throw toChainError("Reading a registered circuit", error);
  }
}

/** Behind a byte that stops whoever calls the contract. */
function readWords(code: string): bigint[] {
  const words = code.slice("0x00".length).match(/.{64}/g) ?? [];
  return words.map((word) => BigInt(`0x${word}`));
}
