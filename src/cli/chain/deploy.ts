/** `inferium chain deploy`: all contracts on any EVM chain, once, from parameters in a file; and the proof that they stand so. */
import { access, constants, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { getAddress, type JsonRpcProvider } from "ethers";
import { describeError, InferiumError } from "../../base/errors.ts";
import { type ContractAddresses, contractOf } from "../../chain/addresses.ts";
import { deployOnce, planDeployment } from "../../chain/deploy.ts";
import { type DeployParameters, resolveParameters } from "../../chain/deploy-parameters.ts";
import { type GameAddresses, type GameFinding, gameContractOf, verifyGame } from "../../chain/game-contracts.ts";
import { openSigner } from "../../chain/open-signer.ts";
import { parseParameters } from "../../chain/parse-parameters.ts";
import { openProvider } from "../../chain/provider.ts";
import { type DeploymentFinding, verifyDeployment } from "../../chain/verify-deployment.ts";
import type { CliIo, Environment } from "../context.ts";
import { type ChainOptions, readSource } from "./chain-session.ts";
import { deployGameOnce, readGameAddresses, readTile } from "./deploy-game.ts";

export interface DeployCommandOptions extends ChainOptions {
  readonly parameters: string;
  /** Where the addresses are written, and read by --verify. */
  readonly out: string;
  /** Deploy nothing; compare what stands. */
  readonly verify?: boolean;
  /** Deploy the dispute game too, with the tile's keys of this store. */
  readonly gameKeys?: string;
}

/** What the file holds: the addresses, and where the logs of this deployment begin. */
interface DeploymentFile extends ContractAddresses, Partial<GameAddresses> {
  readonly chainId: number;
  readonly deployer: string;
  readonly fromBlock: number;
}

interface DeployContext {
  readonly env: Environment;
  readonly io: CliIo;
}

const total = Object.keys(contractOf).length;

/** @returns 0 where everything stands as the file says, 1 where something differs */
export async function runDeploy(options: DeployCommandOptions, context: DeployContext): Promise<number> {
  const parameters = parseParameters(await readText(options.parameters));
  const rpcUrl = options.rpcUrl ?? context.env.INFERIUM_RPC_URL;
  if (rpcUrl === undefined)
    throw new InferiumError("InvalidOption", "Neither --rpc-url nor INFERIUM_RPC_URL is given.");
  const chainId = options.chainId === undefined ? {} : { chainId: options.chainId };
  const provider = await openProvider({ rpcUrl, timeoutMs: 15_000, ...chainId });
  try {
    const known = await readDeployment(options.out, provider);
    if (options.verify === true) return await verify(options, context, { parameters, provider, known });
    return await deploy(options, context, { parameters, provider, known });
  } finally {
    provider.destroy();
  }
}

interface Parts {
  readonly parameters: DeployParameters;
  readonly provider: JsonRpcProvider;
  /** Written by an earlier run. */
  readonly known: DeploymentFile | undefined;
}

/** Needs no key but where the parameters leave the admin to be the deployer, whom the file names. */
async function verify(
  options: DeployCommandOptions,
  { io }: DeployContext,
  { parameters, provider, known }: Parts,
): Promise<number> {
  if (known === undefined)
    throw new InferiumError("FileUnreadable", `There is no ${options.out}; --out names the addresses to verify.`);
  const findings = await compare(provider, known, parameters);
  report(options, io, { file: known, findings, news: "" });
  return findings.length === 0 ? 0 : 1;
}

async function deploy(
  options: DeployCommandOptions,
  { env, io }: DeployContext,
  { parameters, provider, known }: Parts,
): Promise<number> {
  const signer = await openSigner(readSource(options, env), provider);
  const deployer = await signer.getAddress();
  // What is wrong with the game is said before anything else is deployed.
  const isGameNew =
    options.gameKeys !== undefined && (known === undefined || readGameAddresses({ ...known }) === undefined);
  const resolveFor = (timelock: string) =>
    resolveParameters(parameters, { deployer: known?.deployer ?? deployer, timelock });
  if (options.gameKeys !== undefined) await readTile(options.gameKeys, resolveFor(known?.timelock ?? deployer));
  if (options.dryRun === true) {
    const plan = known
      ? { addresses: pickAddresses(known), found: total }
      : await planDeployment({ signer, parameters });
    const game = isGameNew ? ", and the dispute game's three" : "";
    const would = `Dry run: ${plan.found} of ${total} contracts stand, ${deployer} would deploy ${total - plan.found}${game}. Nothing was sent.`;
    if (options.output === "json") io.out(JSON.stringify({ dryRun: true, deployer, ...plan, deploysGame: isGameNew }));
    else for (const line of [...listAddresses(plan.addresses), would]) io.out(line);
    return 0;
  }
  await checkWritable(options.out);
  const deployment = known ? undefined : await deployOnce({ signer, parameters });
  const { chainId } = await provider.getNetwork();
  const contracts: DeploymentFile = known ?? {
    chainId: Number(chainId),
    deployer,
    fromBlock: deployment?.fromBlock ?? 0,
    ...(deployment?.addresses as ContractAddresses),
  };
  const save = (file: DeploymentFile) => writeFile(options.out, `${JSON.stringify(file, null, 2)}\n`);
  if (!known) await save(contracts);
  const game =
    options.gameKeys === undefined
      ? {}
      : await deployGameOnce({
          ...{ signer, addresses: contracts, parameters: resolveFor(contracts.timelock), keysDir: options.gameKeys },
          known: readGameAddresses({ ...contracts }),
          save: (addresses) => save({ ...contracts, ...addresses }),
        });
  const file = { ...contracts, ...game };
  const findings = await compare(provider, file, parameters);
  const found = deployment?.found ?? total;
  const news = `${found} of ${total} contracts stood, ${total - found} were deployed; `;
  report(options, io, { file, findings, news, found });
  return findings.length === 0 ? 0 : 1;
}

async function compare(provider: JsonRpcProvider, file: DeploymentFile, parameters: DeployParameters) {
  const { deployer, timelock } = file;
  const resolved = resolveParameters(parameters, { deployer, timelock });
  const findings = await verifyDeployment(provider, file, resolved);
  const game = readGameAddresses({ ...file });
  if (game === undefined) return findings;
  return [...findings, ...(await verifyGame(provider, { ...file, ...game }, resolved))];
}

interface Report {
  readonly file: DeploymentFile;
  readonly findings: readonly (DeploymentFinding | GameFinding)[];
  readonly news: string;
  readonly found?: number;
}

function report(options: DeployCommandOptions, io: CliIo, { file, findings, news, found }: Report): void {
  const { fromBlock } = file;
  const addresses = pickAddresses(file);
  if (options.output === "json") {
    io.out(JSON.stringify({ addresses, findings, fromBlock, ...(found === undefined ? {} : { found }) }));
    return;
  }
  const differ = findings.map(({ contract, what }) => `${contract}: ${what}`);
  const count = findings.length === 1 ? "1 difference" : `${findings.length} differences`;
  const summary = `${news}${findings.length === 0 ? "code and parameters are as they must be" : count}.`;
  for (const line of [...listAddresses(addresses), ...differ, summary]) io.out(line);
}

function listAddresses(addresses: object): string[] {
  return Object.entries(addresses).map(([name, address]) => `${name.padEnd(14)} ${address}`);
}

/** Those of the game too, where the file names them. */
function pickAddresses(file: DeploymentFile): ContractAddresses {
  const given: Readonly<Record<string, unknown>> = { ...file };
  const names = [...Object.keys(contractOf), ...Object.keys(gameContractOf)].filter(
    (name) => given[name] !== undefined,
  );
  return Object.fromEntries(names.map((name) => [name, given[name]])) as unknown as ContractAddresses;
}

/**
 * Undefined where there is no file yet. Another chain's is never written over: its addresses may be the only record of it.
 * @throws InferiumError InvalidAddresses, OtherDeployment
 */
async function readDeployment(path: string, provider: JsonRpcProvider): Promise<DeploymentFile | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw unreadable(path, error);
  });
  if (text === undefined) return undefined;
  const file = parseDeployment(path, text);
  const { chainId } = await provider.getNetwork();
  if (BigInt(file.chainId) === chainId && (await provider.getCode(file.token)) !== "0x") return file;
  throw new InferiumError(
    "OtherDeployment",
    `${path} names a deployment on chain ${file.chainId}; on chain ${chainId}, which was asked, nothing stands at ${file.token}. ` +
      "Name another file with --out.",
  );
}

function parseDeployment(path: string, text: string): DeploymentFile {
  try {
    const given = JSON.parse(text) as Record<string, unknown>;
    const names = [...Object.keys(contractOf), "deployer"];
    const addresses = Object.fromEntries(names.map((name) => [name, getAddress(String(given[name]))]));
    const numbers = { chainId: whole(given.chainId), fromBlock: whole(given.fromBlock) };
    return { ...addresses, ...readGameAddresses(given), ...numbers } as unknown as DeploymentFile;
  } catch (cause) {
    const message = `${path} is not what chain deploy writes: ${describeError(cause)}. Name another file with --out.`;
    throw new InferiumError("InvalidAddresses", message, { cause });
  }
}

function whole(value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw new Error(`a number is ${JSON.stringify(value)}`);
}

/** Before anything is deployed whose addresses could then not be kept. */
async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK);
  } catch (cause) {
    throw new InferiumError("FileUnwritable", `${path} cannot be written: ${describeError(cause)}.`, { cause });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): InferiumError {
  return new InferiumError("FileUnreadable", `Cannot read ${path}: ${describeError(cause)}.`, { cause });
}
