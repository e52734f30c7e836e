/**
 * Deploys all contracts to any EVM chain, from the committed artifacts. Called by `inferium up` and by deployments.
 * The contracts name each other in immutable fields; their addresses follow from the deployer's nonce, so all the
 * transactions go out at once and no setter is left behind for anybody to call.
 */
import { concat, getCreateAddress, type Provider, type Signer, ZeroAddress } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { type ContractAddresses, contractOf } from "./addresses.ts";
import { loadArtifact } from "./artifacts.ts";
import { sortAddresses } from "./certificate.ts";
import { findCreationBlock } from "./creation-block.ts";
import { checkBounds, checkGovernance } from "./deploy-bounds.ts";
import {
  type DeployParameters,
  disputeParameters,
  type ResolvedParameters,
  registryParameters,
  resolveParameters,
  slashingParameters,
} from "./deploy-parameters.ts";
import { matchesCode } from "./match-code.ts";
import { type PlannedTransaction, requireProvider, sendBatch } from "./send-batch.ts";

export interface Deployment {
  readonly addresses: ContractAddresses;
  /** How many contracts stood already. */
  readonly found: number;
  /** Nothing of it is in an earlier block. */
  readonly fromBlock: number;
}

export interface DeployOptions {
  /** Connected to a provider; pays the gas and is the default admin. */
  readonly signer: Signer;
  readonly parameters: DeployParameters;
  /** For each transaction to be mined. Default 60 s. */
  readonly timeoutMs?: number;
}

type Key = keyof ContractAddresses;
const keys = Object.keys(contractOf) as Key[];

/** @throws InferiumError InvalidParameters, TransactionReverted, TransactionTimeout, RpcFailed, NonceTaken */
export async function deployContracts(options: DeployOptions): Promise<ContractAddresses> {
  return deployFrom(options, { nonce: await options.signer.getNonce("pending"), found: 0 });
}

/**
 * As `deployContracts`, but finds what the same deployer has deployed with the same parameters, whole or in part, and goes on
 * from there: to run it twice deploys once.
 */
export async function deployOnce(options: DeployOptions): Promise<Deployment> {
  const { signer } = options;
  const start = await findDeployment(options);
  const provider = requireProvider(signer);
  const before = await provider.getBlockNumber();
  const addresses = await deployFrom(options, start);
  const fromBlock = start.found === 0 ? before : await findCreationBlock(provider, addresses.token);
  return { addresses, found: start.found, fromBlock };
}

/** What `deployOnce` would do: where the contracts stand, or would. Sends nothing. @throws InferiumError InvalidParameters */
export async function planDeployment(options: DeployOptions): Promise<Omit<Deployment, "fromBlock">> {
  const { nonce, found } = await findDeployment(options);
  const deployer = await options.signer.getAddress();
  const addresses = predictAddresses(deployer, nonce);
  resolveChecked(options, { deployer, timelock: addresses.timelock });
  return { addresses, found };
}

function resolveChecked({ parameters }: DeployOptions, known: { deployer: string; timelock: string }) {
  const resolved = resolveParameters(parameters, known);
  checkBounds(resolved);
  checkGovernance(resolved, known.timelock, parameters.guardian);
  return resolved;
}

interface Start {
  /** Of the first contract. */
  readonly nonce: number;
  readonly found: number;
}

/** Nonces that are looked at, newest first. */
const searchedNonces = 512;

async function findDeployment({ signer }: DeployOptions): Promise<Start> {
  const provider = requireProvider(signer);
  const deployer = await signer.getAddress();
  const used = await signer.getNonce("latest");
  for (let nonce = used - 1; nonce >= Math.max(0, used - searchedNonces); nonce--) {
    const at = predictAddresses(deployer, nonce);
    if (!matchesCode(loadArtifact(contractOf.token).bytecode, await provider.getCode(at.token))) continue;
    let found = 1;
    while (found < keys.length && (await stands(provider, at, keys[found]))) found += 1;
    // Where the account has sent something else in between, the rest can never get its addresses.
    if (found === keys.length || nonce + found === used) return { nonce, found };
  }
  return { nonce: used, found: 0 };
}

async function stands(provider: Provider, at: ContractAddresses, key: Key | undefined): Promise<boolean> {
  if (key === undefined) return false;
  return matchesCode(loadArtifact(contractOf[key]).bytecode, await provider.getCode(at[key]));
}

async function deployFrom(options: DeployOptions, { nonce, found }: Start): Promise<ContractAddresses> {
  const { signer } = options;
  const deployer = await signer.getAddress();
  const addresses = predictAddresses(deployer, nonce);
  const parameters = resolveChecked(options, { deployer, timelock: addresses.timelock });
  const missing = keys.slice(found);
  const planned = missing.map((key) => {
    const creation = planCreation(key, constructorArguments(key, addresses, parameters));
    const extraGas = key === "token" ? allocationGas * BigInt(parameters.allocations.length) : 0n;
    return { ...creation, gasLimit: creation.gasLimit + extraGas };
  });
  const receipts = await sendBatch(signer, planned, { timeoutMs: options.timeoutMs ?? 60_000 });
  for (const [index, key] of missing.entries()) checkAddress(key, addresses[key], receipts[index]?.contractAddress);
  return addresses;
}

/** Balance, votes and their checkpoints, of the holder and in all. */
const allocationGas = 250_000n;

/** @param nonce of the first contract */
export function predictAddresses(deployer: string, nonce: number): ContractAddresses {
  const predicted = keys.map((key, index) => [key, getCreateAddress({ from: deployer, nonce: nonce + index })]);
  return Object.fromEntries(predicted) as Record<Key, string>;
}

function constructorArguments(key: Key, at: ContractAddresses, p: ResolvedParameters): unknown[] {
  const table: Record<Key, () => unknown[]> = {
    token: () => [p.admin, p.allocations.map(({ account, amountWei }) => [account, amountWei])],
    registry: () => [at.token, p.admin, [at.slashing, at.disputes, at.zkFaults], registryParameters(p)],
    validatorSets: () => [
      at.registry,
      at.settlement,
      p.admin,
      [at.slashing, at.disputes, at.settlement, at.zkFaults],
      p.graceSeconds,
      sortAddresses(p.validators),
    ],
    escrow: () => [at.token, at.distributor, at.settlement, p.withdrawalSeconds],
    settlement: () => [at.validatorSets, at.escrow, at.slashing, p.admin, p.guardian, p.challengeSeconds],
    distributor: () => [at.settlement, at.escrow, at.registry],
    slashing: () => [at.settlement, at.registry, at.validatorSets, p.admin, slashingParameters(p)],
    disputes: () => [at.token, at.settlement, at.registry, at.validatorSets, p.admin, p.guardian, disputeParameters(p)],
    agentRevenue: () => [at.token, at.registry, at.validatorSets, p.admin, p.treasury, splitOf(p)],
    // Proposes through the governor alone; anybody may execute; it administers itself.
    timelock: () => [p.timelockSeconds, [at.governor], [ZeroAddress]],
    governor: () => [at.token, at.registry, at.timelock, governorSettings(p)],
    modelRegistry: () => [p.admin, p.allowDevelopmentSetup],
    zkVerifier: () => [at.modelRegistry],
    zkFaults: () => [at.zkVerifier, at.settlement, at.registry, at.validatorSets],
  };
  return table[key]();
}

function splitOf(p: ResolvedParameters): unknown[] {
  return [p.agentSplitBps.creator, p.agentSplitBps.host, p.agentSplitBps.validators, p.agentSplitBps.treasury];
}

function governorSettings(p: ResolvedParameters): unknown[] {
  return [p.votingDelaySeconds, p.votingPeriodSeconds, p.proposalThresholdWei, p.governorQuorumBps];
}

function planCreation(key: Key, values: unknown[]): PlannedTransaction {
  const { abi, bytecode, contractName } = loadArtifact(contractOf[key]);
  const data = concat([bytecode, abi.encodeDeploy(values)]);
  return { action: `Deploying ${contractName}`, data, gasLimit: computeCreationGas(data) };
}

/** An upper bound; what is not used is not paid. 200 gas a byte of code, 16 of calldata, the rest for constructors. */
function computeCreationGas(data: string): bigint {
  const bytes = BigInt(data.length / 2);
  return 1_500_000n + 220n * bytes;
}

function checkAddress(key: Key, wanted: string, got: string | null | undefined): void {
  if (got === wanted) return;
  throw new InferiumError(
    "NonceTaken",
    `${contractOf[key]} was deployed to ${got}, expected ${wanted}: the deployer's account sent something else meanwhile. Deploy again.`,
    { disposition: "retry" },
  );
}
