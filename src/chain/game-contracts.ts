/**
 * The contracts of the dispute game: where they stand, how they are deployed beside the others, and whether they stand as they must.
 * Apart from the others, since they need the keys of the tile (docs/zk-game.md) and no role of the cluster reads them. Called by
 * `inferium chain deploy --game-keys`. Effects: transactions.
 */

import { concat, id, type JsonRpcProvider, type Signer } from "ethers";
import { InferiumError } from "../base/errors.ts";
import type { ContractAddresses } from "./addresses.ts";
import { type ContractName, loadArtifact } from "./artifacts.ts";
import { gameParameters, type ResolvedParameters } from "./deploy-parameters.ts";
import { computeGasLimit, estimateGas } from "./gas-limit.ts";
import { matchesCode } from "./match-code.ts";
import { toChainError } from "./revert.ts";
import { sendBatch } from "./send-batch.ts";

export interface GameAddresses {
  readonly gameModels: string;
  readonly tileVerifier: string;
  readonly inferenceGame: string;
}

/** In the order of deployment. */
export const gameContractOf: Readonly<Record<keyof GameAddresses, ContractName>> = {
  gameModels: "GameModels",
  tileVerifier: "TileVerifier",
  inferenceGame: "InferenceGame",
};

/** What TileVerifier is told of the tile's keys. Digests are 0x-hex of 32 bytes. */
export interface TileRegistration {
  readonly keyWords: readonly bigint[];
  readonly r1csDigest: string;
  readonly powersOfTau: string;
  readonly ceremonyDigest: string;
  readonly isDevelopment: boolean;
}

export interface GameDeployment {
  readonly signer: Signer;
  readonly addresses: ContractAddresses;
  readonly parameters: ResolvedParameters;
  readonly tile: TileRegistration;
  /** For each transaction to be mined. */
  readonly timeoutMs: number;
}

export interface GameFinding {
  readonly contract: keyof GameAddresses;
  readonly what: string;
}

const slasherRole = id("SLASHER_ROLE");
const adminRole = `0x${"0".repeat(64)}`;

/** @throws InferiumError TransactionReverted, TransactionTimeout, RpcFailed */
export async function deployGame(options: GameDeployment): Promise<GameAddresses> {
  const { addresses: at, parameters: p, tile } = options;
  const gameModels = await create("gameModels", [p.admin], options);
  const setup = [tile.r1csDigest, tile.powersOfTau, tile.ceremonyDigest, tile.isDevelopment];
  const tileVerifier = await create("tileVerifier", [tile.keyWords, setup, p.allowDevelopmentSetup], options);
  const values = [at.token, at.settlement, at.registry, gameModels, tileVerifier, p.admin, gameParameters(p)];
  const inferenceGame = await create("inferenceGame", values, options);
  return { gameModels, tileVerifier, inferenceGame };
}

/**
 * Lets the game take stakes, where the signer is the registry's admin. Elsewhere governance has to: `verifyGame` says so.
 * @returns whether the game may take stakes now
 */
export async function allowSlashing(options: GameDeployment, { inferenceGame }: GameAddresses): Promise<boolean> {
  const { signer, addresses, timeoutMs } = options;
  const { abi } = loadArtifact("NodeRegistry");
  const has = async (role: string, account: string) => {
    const data = abi.encodeFunctionData("hasRole", [role, account]);
    const answer = await signer.call({ to: addresses.registry, data }).catch((error: unknown) => {
      throw toChainError("Reading NodeRegistry.hasRole", error);
    });
    return abi.decodeFunctionResult("hasRole", answer)[0] === true;
  };
  if (await has(slasherRole, inferenceGame)) return true;
  if (!(await has(adminRole, await signer.getAddress()))) return false;
  const data = abi.encodeFunctionData("grantRole", [slasherRole, inferenceGame]);
  const action = "NodeRegistry.grantRole";
  await sendBatch(signer, [{ action, to: addresses.registry, data, gasLimit: 150_000n }], { timeoutMs });
  return true;
}

/** Empty where code, parameters and roles are as they must be. @throws InferiumError RpcFailed */
export async function verifyGame(
  provider: JsonRpcProvider,
  at: ContractAddresses & GameAddresses,
  p: ResolvedParameters,
): Promise<GameFinding[]> {
  const findings: GameFinding[] = [];
  for (const contract of Object.keys(gameContractOf) as (keyof GameAddresses)[]) {
    if (matchesCode(loadArtifact(gameContractOf[contract]).bytecode, await provider.getCode(at[contract]))) continue;
    findings.push({ contract, what: `at ${at[contract]} there is not ${gameContractOf[contract]}'s code` });
  }
  if (findings.length > 0) return findings;
  const wanted: readonly (readonly [keyof GameAddresses, ContractName, string, string, readonly unknown[], unknown])[] =
    [
      ["gameModels", "GameModels", at.gameModels, "hasRole", [adminRole, p.admin], true],
      ["inferenceGame", "InferenceGame", at.inferenceGame, "hasRole", [adminRole, p.admin], true],
      ["inferenceGame", "InferenceGame", at.inferenceGame, "token", [], at.token],
      ["inferenceGame", "InferenceGame", at.inferenceGame, "settlement", [], at.settlement],
      ["inferenceGame", "InferenceGame", at.inferenceGame, "registry", [], at.registry],
      ["inferenceGame", "InferenceGame", at.inferenceGame, "models", [], at.gameModels],
      ["inferenceGame", "InferenceGame", at.inferenceGame, "verifier", [], at.tileVerifier],
      ["inferenceGame", "InferenceGame", at.inferenceGame, "parameters", [], gameParameters(p).map(BigInt).join()],
    ];
  for (const [contract, name, to, call, values, want] of wanted) {
    const got = await read(provider, { to, name, call, values });
    if (got !== want) findings.push({ contract, what: `${call}(${values.join(", ")}) is ${got}, expected ${want}` });
  }
  const role = {
    to: at.registry,
    name: "NodeRegistry",
    call: "hasRole",
    values: [slasherRole, at.inferenceGame],
  } as const;
  if ((await read(provider, role)) === true) return findings;
  const what = `NodeRegistry ${at.registry} has not given it SLASHER_ROLE: its admin ${p.admin} must call grantRole(${slasherRole}, ${at.inferenceGame})`;
  return [...findings, { contract: "inferenceGame", what }];
}

async function create(key: keyof GameAddresses, values: readonly unknown[], options: GameDeployment): Promise<string> {
  const { abi, bytecode, contractName } = loadArtifact(gameContractOf[key]);
  const data = concat([bytecode, abi.encodeDeploy([...values])]);
  const action = `Deploying ${contractName}`;
  const gas = await estimateGas(options.signer, action, { data });
  const { timeoutMs } = options;
  const [receipt] = await sendBatch(options.signer, [{ action, data, gasLimit: computeGasLimit(gas) }], { timeoutMs });
  if (receipt?.contractAddress) return receipt.contractAddress;
  throw new InferiumError("RpcFailed", `The receipt of ${action} names no contract.`, { disposition: "retry" });
}

interface Reading {
  readonly to: string;
  readonly name: ContractName;
  readonly call: string;
  readonly values: readonly unknown[];
}

/** Structs as their fields side by side. */
async function read(provider: JsonRpcProvider, { to, name, call, values }: Reading): Promise<unknown> {
  const { abi } = loadArtifact(name);
  try {
    const data = abi.encodeFunctionData(call, [...values]);
    const [first] = abi.decodeFunctionResult(call, await provider.call({ to, data }));
    return Array.isArray(first) ? first.join() : first;
  } catch (error) {
    throw toChainError(`Reading ${name}.${call}`, error);
  }
}
