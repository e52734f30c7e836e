/** What the chain's verbs work with: the contracts, a key where one is needed, and transactions that can be tried first. */

import { readFile } from "node:fs/promises";
import { getAddress, type Signer } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { type ContractAddresses, contractOf } from "../../chain/addresses.ts";
import { loadArtifact } from "../../chain/artifacts.ts";
import { type ChainClient, connectChain } from "../../chain/client.ts";
import { computeGasLimit } from "../../chain/gas-limit.ts";
import { openSigner, type SignerSource } from "../../chain/open-signer.ts";
import { toChainError } from "../../chain/revert.ts";
import { sendBatch } from "../../chain/send-batch.ts";
import type { CliIo, Environment } from "../context.ts";
import { explainRefusal } from "./explain-refusal.ts";

export interface ChainOptions {
  readonly rpcUrl?: string;
  readonly addresses?: string;
  /** The text of such a file, which goes before it. */
  readonly addressBook?: string;
  readonly chainId?: number;
  readonly fromBlock?: number;
  readonly keyFile?: string;
  readonly passwordFile?: string;
  readonly signerUrl?: string;
  readonly signerAddress?: string;
  readonly dryRun?: boolean;
  readonly output?: "text" | "json";
}

export interface ChainSession {
  readonly client: ChainClient;
  readonly io: CliIo;
  readonly options: ChainOptions;
  /** @throws InferiumError NoSigner and those of openSigner */
  signer(): Promise<Signer>;
}

const timeoutMs = 15_000;
const minedMs = 120_000;

/** Runs `work` with the chain that the options or INFERIUM_RPC_URL and INFERIUM_ADDRESSES_FILE name. */
export async function withChain<T>(
  options: ChainOptions,
  { env, io }: { readonly env: Environment; readonly io: CliIo },
  work: (session: ChainSession) => Promise<T>,
): Promise<T> {
  const rpcUrl = options.rpcUrl ?? env.INFERIUM_RPC_URL;
  const path = options.addresses ?? env.INFERIUM_ADDRESSES_FILE;
  if (rpcUrl === undefined) throw missing("--rpc-url", "INFERIUM_RPC_URL");
  if (options.addressBook === undefined && path === undefined) throw missing("--addresses", "INFERIUM_ADDRESSES_FILE");
  const chainId = options.chainId === undefined ? {} : { chainId: options.chainId };
  const client = await connectChain({
    rpcUrl,
    timeoutMs,
    ...chainId,
    addresses: await readAddressBook(path ?? "", options),
  });
  try {
    await checkDeployed(client);
    const signer = () => openSigner(readSource(options, env), client.provider);
    return await work({ client, io, options, signer });
  } finally {
    client.close();
  }
}

export function readSource(options: ChainOptions, env: Environment): SignerSource {
  return {
    keyFile: options.keyFile ?? env.INFERIUM_KEY_FILE,
    passwordFile: options.passwordFile ?? env.INFERIUM_PASSWORD_FILE,
    url: options.signerUrl ?? env.INFERIUM_SIGNER_URL,
    address: options.signerAddress ?? env.INFERIUM_SIGNER_ADDRESS,
  };
}

function missing(flag: string, variable: string): InferiumError {
  return new InferiumError("InvalidOption", `Neither ${flag} nor ${variable} is given; the chain's verbs need it.`);
}

/** Where `chain deploy` wrote them, or the operator's file. */
async function readAddressBook(file: string, { addressBook }: ChainOptions): Promise<ContractAddresses> {
  const path = addressBook === undefined ? file : "The cluster's addresses.json";
  try {
    const given = JSON.parse(addressBook ?? (await readFile(file, "utf8"))) as Record<string, unknown>;
    const names = Object.keys(contractOf);
    return Object.fromEntries(
      names.map((name) => [name, getAddress(String(given[name]))]),
    ) as unknown as ContractAddresses;
  } catch (cause) {
    const message = `${path} does not hold the contracts' addresses (${Object.keys(contractOf).join(", ")}) as JSON.`;
    throw new InferiumError("FileUnreadable", message, { cause });
  }
}

async function checkDeployed(client: ChainClient): Promise<void> {
  const { settlement } = client.addresses;
  if ((await client.provider.getCode(settlement)) !== "0x") return;
  const message = `Chain ${client.chainId} has no contract at ${settlement}, where Settlement should be: a wrong chain, or wrong addresses.`;
  throw new InferiumError("NotDeployed", message);
}

export interface Step {
  readonly contract: keyof ContractAddresses;
  readonly call: string;
  readonly values?: readonly unknown[];
  /** In place of values: the call as it is encoded elsewhere. */
  readonly data?: string;
}

export interface StepResult {
  readonly action: string;
  readonly to: string;
  readonly txHash?: string;
  readonly gas?: string;
}

/**
 * Sends the steps one after another, each tried on the chain first, so that nothing is paid for what would be refused. A dry
 * run stops there; what depends on a step before it cannot be tried.
 */
export async function runSteps(session: ChainSession, steps: readonly Step[]): Promise<StepResult[]> {
  const signer = await session.signer();
  // What is approved is then pulled: told before, nothing is paid for an approval in vain.
  if (steps.some(({ contract, call }) => contract === "token" && call === "approve")) await requireMovable(session);
  const results: StepResult[] = [];
  for (const [index, { contract, call, values = [], data: encoded }] of steps.entries()) {
    const to = session.client.addresses[contract];
    const data = encoded ?? loadArtifact(contractOf[contract]).abi.encodeFunctionData(call, values);
    const action = `${contractOf[contract]}.${call}`;
    if (session.options.dryRun === true && index > 0) {
      results.push({ action, to });
      continue;
    }
    const gas = await tryOut(signer, { to, data }, action).catch((error: unknown) => explain(session, error));
    if (session.options.dryRun === true) results.push({ action, to, gas: gas.toString() });
    else results.push(await send(signer, { action, to, data, gasLimit: computeGasLimit(gas) }));
  }
  return results;
}

async function tryOut(signer: Signer, transaction: { to: string; data: string }, action: string): Promise<bigint> {
  try {
    return await signer.estimateGas(transaction);
  } catch (error) {
    throw toChainError(action, error);
  }
}

/** A paused token refuses in words of its own, which no contract of ours knows. */
async function explain(session: ChainSession, error: unknown): Promise<never> {
  if (error instanceof InferiumError && error.code === "TransactionReverted") await requireMovable(session);
  throw explainRefusal(error);
}

/** @throws InferiumError TokenPaused */
async function requireMovable({ client }: ChainSession): Promise<void> {
  if (!(await client.isTokenPaused())) return;
  const message = `The IFR token at ${client.addresses.token} is paused by its administrator: no IFR can be moved until that ends. Nothing was sent; try again then.`;
  throw new InferiumError("TokenPaused", message, { disposition: "retry" });
}

async function send(
  signer: Signer,
  planned: { action: string; to: string; data: string; gasLimit: bigint },
): Promise<StepResult> {
  const [receipt] = await sendBatch(signer, [planned], { timeoutMs: minedMs }).catch((error: unknown) =>
    Promise.reject(explainRefusal(error)),
  );
  return { action: planned.action, to: planned.to, txHash: receipt?.hash ?? "", gas: String(receipt?.gasUsed ?? 0n) };
}

/** The result of a verb that sent, or would send, transactions. @param facts more fields of the JSON form */
export function printSteps(
  { io, options }: ChainSession,
  results: readonly StepResult[],
  summary: string,
  facts: object = {},
): number {
  if (options.output === "json") {
    io.out(JSON.stringify({ dryRun: options.dryRun === true, summary, ...facts, transactions: results }));
    return 0;
  }
  for (const { action, to, txHash, gas } of results) {
    const what =
      txHash === undefined
        ? gas === undefined
          ? "would be sent next"
          : `would use ${gas} gas`
        : `${txHash}, ${gas} gas`;
    io.note(`${action} at ${to}: ${what}`);
  }
  io.out(options.dryRun === true ? `Dry run, nothing was sent. ${summary}` : summary);
  return 0;
}
