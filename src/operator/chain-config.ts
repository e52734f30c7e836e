/** The part of the operator's configuration that says which chain it settles on, and with which key. Read by config.ts. */
import { readFile } from "node:fs/promises";
import { getAddress } from "ethers";
import type { EnvironmentReader } from "../base/environment.ts";
import { InferiumError } from "../base/errors.ts";
import { type ContractAddresses, contractOf } from "../chain/addresses.ts";
import type { SignerSource } from "../chain/open-signer.ts";

export interface ChainConfig {
  readonly rpcUrl: string;
  readonly addresses: ContractAddresses;
  /** Whose transactions settle: a key file, a keystore with its password, or a remote signer. */
  readonly signer: SignerSource;
  /** No transaction's fee is raised above this. */
  readonly maxFeePerGasWei: bigint;
  /** Checksummed. */
  readonly treasury: string;
  /** Where searches of the logs begin. */
  readonly fromBlock: number;
  readonly confirmations: number;
  readonly refreshMs: number;
  /** Rejections that the SlashingManager asks for. */
  readonly slashQuorum: number;
}

/** @throws InferiumError InvalidConfiguration */
export async function readChain(env: EnvironmentReader): Promise<ChainConfig> {
  return {
    rpcUrl: env.required("INFERIUM_RPC_URL"),
    addresses: await readAddresses(env.required("INFERIUM_ADDRESSES_FILE")),
    signer: readSigner(env),
    maxFeePerGasWei: BigInt(env.whole("INFERIUM_MAX_FEE_GWEI", 500, { min: 1, max: 1_000_000 })) * 10n ** 9n,
    treasury: readAddress("INFERIUM_TREASURY", env.required("INFERIUM_TREASURY")),
    fromBlock: env.whole("INFERIUM_FROM_BLOCK", 0, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    confirmations: env.whole("INFERIUM_CONFIRMATIONS", 1, { min: 1, max: 1_000 }),
    refreshMs: env.whole("INFERIUM_BOND_REFRESH_SECONDS", 15, { min: 1, max: 604_800 }) * 1_000,
    slashQuorum: env.whole("INFERIUM_SLASH_QUORUM", 2, { min: 2, max: 64 }),
  };
}

function readSigner(env: EnvironmentReader): SignerSource {
  const url = env.text("INFERIUM_SIGNER_URL");
  return {
    url,
    address: env.text("INFERIUM_SIGNER_ADDRESS"),
    keyFile: url === undefined ? env.required("INFERIUM_SETTLER_KEY_FILE") : undefined,
    passwordFile: env.text("INFERIUM_SETTLER_PASSWORD_FILE"),
  };
}

async function readAddresses(path: string): Promise<ContractAddresses> {
  try {
    const given = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
    const names = Object.keys(contractOf);
    const entries = names.map((name) => [name, readAddress(`${path}: ${name}`, String(given[name]))]);
    return Object.fromEntries(entries) as ContractAddresses;
  } catch (cause) {
    if (cause instanceof InferiumError) throw cause;
    const message = `INFERIUM_ADDRESSES_FILE ${path} cannot be read; expected JSON with the address of each contract.`;
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
  }
}

function readAddress(name: string, text: string): string {
  try {
    return getAddress(text);
  } catch (cause) {
    const message = `${name} is "${text.slice(0, 80)}"; expected an address of 20 bytes whose checksum holds.`;
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
  }
}
