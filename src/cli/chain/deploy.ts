/** `inferium chain deploy`: all contracts on any EVM chain, once, from parameters in a file; and the proof that they stand so. */
import { readFile, writeFile } from "node:fs/promises";
import { describeError, InferiumError } from "../../base/errors.ts";
import { type ContractAddresses, contractOf } from "../../chain/addresses.ts";
import { deployOnce } from "../../chain/deploy.ts";
import { resolveParameters } from "../../chain/deploy-parameters.ts";
import { openSigner } from "../../chain/open-signer.ts";
import { parseParameters } from "../../chain/parse-parameters.ts";
import { openProvider } from "../../chain/provider.ts";
import { verifyDeployment } from "../../chain/verify-deployment.ts";
import type { CliIo, Environment } from "../context.ts";
import { type ChainOptions, readSource } from "./chain-session.ts";

export interface DeployCommandOptions extends ChainOptions {
  readonly parameters: string;
  /** Where the addresses are written, and read by --verify. */
  readonly out: string;
  /** Deploy nothing; compare what stands. */
  readonly verify?: boolean;
}

/** @returns 0 where everything stands as the file says, 1 where something differs */
export async function runDeploy(
  options: DeployCommandOptions,
  { env, io }: { readonly env: Environment; readonly io: CliIo },
): Promise<number> {
  const parameters = parseParameters(await readText(options.parameters));
  const rpcUrl = options.rpcUrl ?? env.INFERIUM_RPC_URL;
  if (rpcUrl === undefined)
    throw new InferiumError("InvalidOption", "Neither --rpc-url nor INFERIUM_RPC_URL is given.");
  const chainId = options.chainId === undefined ? {} : { chainId: options.chainId };
  const provider = await openProvider({ rpcUrl, timeoutMs: 15_000, ...chainId });
  try {
    const signer = await openSigner(readSource(options, env), provider);
    const deployer = await signer.getAddress();
    if (options.verify !== true && options.dryRun === true) {
      io.out(
        `Dry run: ${deployer} would deploy ${Object.keys(contractOf).length} contracts, or find them. Nothing was sent.`,
      );
      return 0;
    }
    const known = options.verify === true ? await readAddresses(options.out) : undefined;
    const deployment = known ? undefined : await deployOnce({ signer, parameters });
    const addresses = known ?? (deployment?.addresses as ContractAddresses);
    if (deployment) await writeFile(options.out, `${JSON.stringify(addresses, null, 2)}\n`);
    const resolved = resolveParameters(parameters, { deployer, timelock: addresses.timelock });
    const findings = await verifyDeployment(provider, addresses, resolved);
    const total = Object.keys(contractOf).length;
    const news = deployment
      ? `${deployment.found} of ${total} contracts stood, ${total - deployment.found} were deployed; `
      : "";
    const summary = `${news}${findings.length === 0 ? "code and parameters are as they must be" : `${findings.length} differences`}.`;
    if (options.output === "json")
      io.out(JSON.stringify({ addresses, findings, found: deployment?.found, fromBlock: deployment?.fromBlock }));
    else for (const line of [...findings.map(({ contract, what }) => `${contract}: ${what}`), summary]) io.out(line);
    return findings.length === 0 ? 0 : 1;
  } finally {
    provider.destroy();
  }
}

async function readAddresses(path: string): Promise<ContractAddresses> {
  return JSON.parse(await readText(path)) as ContractAddresses;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new InferiumError("FileUnreadable", `Cannot read ${path}: ${describeError(cause)}.`, { cause });
  }
}
