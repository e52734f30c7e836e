/**
 * What workers and validators are both told through their environment: where the pool is, who they are, what they may
 * read and run. The roles' config.ts pass the environment in; nothing here reads it. Errors name the variable.
 */
import { isAddressRange } from "../base/address-range.ts";
import { type EnvironmentReader, invalidVariable } from "../base/environment.ts";
import { type ListenAddress, readListenAddress } from "../base/listen-address.ts";
import type { ExpectedPool } from "./client-session.ts";

const providerNames = ["cpu", "cuda", "tensorrt", "webgpu"] as const;
export type ProviderName = (typeof providerNames)[number];

export interface MemberConfig {
  readonly poolUrl: string;
  /** PEM file of the authority that certified the pool; the system's authorities where left out. */
  readonly poolCaFile: string | undefined;
  /** What the pool must say of itself. */
  readonly expected: ExpectedPool;
  readonly keyFile: string;
  /** File with the passphrase, where keyFile is an encrypted keystore. */
  readonly passphraseFile: string | undefined;
  /** What an executor is made from. */
  readonly executor: ExecutorConfig;
  /** Of the metrics and health server; none where left out. */
  readonly metricsAddress: ListenAddress | undefined;
}

export interface ExecutorConfig {
  readonly cacheDir: string;
  readonly maxCacheBytes?: number;
  /** Folders that `file:` URIs may point into. */
  readonly fileRoots: readonly string[];
  /** Hosts that HTTP URIs may name; any where left out. */
  readonly httpHosts?: readonly string[];
  /** Addresses inside that HTTP URIs may lead to. */
  readonly allowedAddresses?: readonly string[];
  /** Whether a model is tried in a process of its own before its first load. */
  readonly probeModels: boolean;
  readonly session: { readonly providers: readonly ProviderName[]; readonly threads: number };
}

/** @throws InferiumError InvalidConfiguration */
export function readMemberConfig(env: EnvironmentReader): MemberConfig {
  return {
    ...readJoin(env),
    executor: readExecutor(env),
    metricsAddress: readListenAddress(env, "INFERIUM_METRICS_ADDR"),
  };
}

/** Where the pool is, and who joins it. @throws InferiumError InvalidConfiguration */
export function readJoin(env: EnvironmentReader): Omit<MemberConfig, "executor" | "metricsAddress"> {
  return {
    poolUrl:
      env.matching("INFERIUM_POOL_URL", /^https:\/\/\S+$/, "an https:// URL") ?? env.required("INFERIUM_POOL_URL"),
    poolCaFile: env.text("INFERIUM_POOL_CA_FILE"),
    expected: readExpected(env),
    keyFile: env.required("INFERIUM_KEY_FILE"),
    passphraseFile: env.text("INFERIUM_KEY_PASSPHRASE_FILE"),
  };
}

/** For whoever makes an executor of its own, as a member would make it. */
export function pickExecutorOptions(config: MemberConfig): ExecutorConfig {
  return config.executor;
}

function readExpected(env: EnvironmentReader): ExpectedPool {
  const pool = env.text("INFERIUM_POOL_NAME");
  const settlement = env.matching("INFERIUM_SETTLEMENT", /^0x[0-9a-fA-F]{40}$/, "an address");
  if (settlement === undefined) return { pool };
  const chainId = env.whole("INFERIUM_CHAIN_ID", 0, { min: 1, max: Number.MAX_SAFE_INTEGER });
  return { pool, domain: { chainId, settlement } };
}

/** @throws InferiumError InvalidConfiguration */
export function readExecutor(env: EnvironmentReader): ExecutorConfig {
  const cacheMebibytes = env.whole("INFERIUM_CACHE_MIB", 0, { min: 0, max: 2 ** 30 });
  const httpHosts = env.list("INFERIUM_ALLOWED_HTTP_HOSTS");
  const allowedAddresses = env.list("INFERIUM_ALLOWED_ADDRESSES");
  const wrong = allowedAddresses?.find((range) => !isAddressRange(range));
  if (wrong !== undefined) {
    const expected = "IP addresses and ranges such as 10.0.0.7, 127.0.0.0/8 or fd00::/8";
    throw invalidVariable("INFERIUM_ALLOWED_ADDRESSES", wrong, expected);
  }
  return {
    cacheDir: env.required("INFERIUM_CACHE_DIR"),
    fileRoots: env.list("INFERIUM_ALLOWED_FILE_ROOTS") ?? [],
    probeModels: env.flag("INFERIUM_PROBE_MODELS", true),
    session: {
      providers: (env.list("INFERIUM_EXECUTION_PROVIDERS") ?? ["cpu"]).map(parseProvider),
      threads: env.whole("INFERIUM_THREADS", 1, { min: 1, max: 1024 }),
    },
    ...(cacheMebibytes === 0 ? {} : { maxCacheBytes: cacheMebibytes * 2 ** 20 }),
    ...(httpHosts === undefined ? {} : { httpHosts }),
    ...(allowedAddresses === undefined ? {} : { allowedAddresses }),
  };
}

function parseProvider(name: string): ProviderName {
  const known = providerNames.find((provider) => provider === name);
  if (known !== undefined) return known;
  throw invalidVariable("INFERIUM_EXECUTION_PROVIDERS", name, `some of ${providerNames.join(", ")}`);
}
