/** The validator's configuration from its environment: the one place of the role that reads it. */
import { getAddress } from "ethers";
import {
  createEnvironmentReader,
  type Environment,
  type EnvironmentReader,
  invalidVariable,
} from "../base/environment.ts";
import { InferiumError } from "../base/errors.ts";
import { type MemberConfig, readMemberConfig } from "../pool/member-config.ts";
import type { ChainConfig } from "./chain-view.ts";
import type { DisputeConfig } from "./dispute/run-disputes.ts";
import type { ProofConfig } from "./proof/open-proofs.ts";

export interface ValidatorConfig extends MemberConfig {
  /** Holds votes, salts and what was signed: losing it may mean signing twice, which costs the bond. */
  readonly stateDir: string;
  /** Name of the pool that orders must be for. */
  readonly pool: string;
  /** Checksummed address that gets the treasury's share. */
  readonly treasury: string;
  /** Fewest accepting votes of distinct validators for a task in a batch. */
  readonly minimumQuorum: number;
  /** Whether tasks that nobody checked may be paid. */
  readonly allowUnverified: boolean;
  /** Where the validator set, payouts and the last batch are read; left out, they are taken on the operator's word. */
  readonly chain: ChainConfig | undefined;
  /** Jury duty and the watch over settled results; none without a chain, or where it is switched off. */
  readonly disputes: DisputeConfig | undefined;
  readonly proofs: ProofConfig;
  /** What checking a model may take of this machine. */
  readonly modelChecks: { readonly maxMemoryBytes: number };
  readonly heartbeatMs: number;
  readonly claimWaitMs: number;
}

/** @throws InferiumError InvalidConfiguration */
export function readValidatorConfig(variables: Environment = process.env): ValidatorConfig {
  const env = createEnvironmentReader(variables);
  const chain = readChain(env);
  const treasury = env.matching("INFERIUM_TREASURY", /^0x[0-9a-fA-F]{40}$/, "an address");
  return Object.freeze({
    ...readMemberConfig(env),
    stateDir: env.required("INFERIUM_STATE_DIR"),
    pool: env.required("INFERIUM_POOL_NAME"),
    treasury: parseAddress("INFERIUM_TREASURY", treasury ?? env.required("INFERIUM_TREASURY")),
    minimumQuorum: env.whole("INFERIUM_MINIMUM_QUORUM", 2, { min: 1, max: 31 }),
    allowUnverified: env.flag("INFERIUM_ALLOW_UNVERIFIED", false),
    chain,
    disputes: chain && readDisputes(env),
    proofs: {
      artifactsDir: env.text("INFERIUM_PROOF_ARTIFACTS_DIR"),
      timeoutMs: 1_000 * env.whole("INFERIUM_PROOF_SECONDS", 120, { min: 1, max: 86_400 }),
      maxMemoryBytes: 2 ** 20 * env.whole("INFERIUM_PROOF_MEMORY_MIB", 4_096, { min: 256, max: 2 ** 20 }),
      allowDevelopmentSetup: env.flag("INFERIUM_ALLOW_DEVELOPMENT_SETUP", false),
    },
    modelChecks: {
      maxMemoryBytes: 2 ** 20 * env.whole("INFERIUM_MODEL_CHECK_MEMORY_MIB", 4_096, { min: 256, max: 2 ** 20 }),
    },
    heartbeatMs: env.whole("INFERIUM_HEARTBEAT_MS", 5_000, { min: 100, max: 60_000 }),
    claimWaitMs: env.whole("INFERIUM_CLAIM_WAIT_MS", 25_000, { min: 0, max: 30_000 }),
  });
}

function readChain(env: EnvironmentReader): ChainConfig | undefined {
  const rpcUrl = env.matching("INFERIUM_RPC_URL", /^https?:\/\/\S+$/, "an http(s) URL");
  if (rpcUrl === undefined) return undefined;
  return { rpcUrl, addressesFile: env.required("INFERIUM_ADDRESSES_FILE") };
}

function readDisputes(env: EnvironmentReader): DisputeConfig | undefined {
  if (!env.flag("INFERIUM_JURY", true)) return undefined;
  return {
    watchRate: readShare(env, "INFERIUM_WATCH_RATE", 0.02),
    pollMs: env.whole("INFERIUM_CHAIN_POLL_MS", 2_000, { min: 50, max: 600_000 }),
    confirmations: env.whole("INFERIUM_CONFIRMATIONS", 1, { min: 1, max: 1_000 }),
    fromBlock: env.whole("INFERIUM_FROM_BLOCK", 0, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    maxFeePerGasWei: BigInt(env.whole("INFERIUM_MAX_FEE_GWEI", 500, { min: 1, max: 1_000_000 })) * 10n ** 9n,
  };
}

function readShare(env: EnvironmentReader, name: string, fallback: number): number {
  const expected = "a share from 0 to 1, such as 0.02";
  const value = env.matching(name, /^(0|1)(\.[0-9]{1,6})?$/, expected);
  const share = value === undefined ? fallback : Number(value);
  if (share <= 1) return share;
  throw invalidVariable(name, String(share), expected);
}

/** A checksum that does not hold is a typing error, and money would go to nobody. */
function parseAddress(name: string, text: string): string {
  try {
    return getAddress(text);
  } catch (cause) {
    const message = `${name} is "${text}", whose checksum is wrong; copy the address again.`;
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
  }
}
