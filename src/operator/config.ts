/** The operator's configuration from its environment and flags: the one place of the role that reads it. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { getAddress } from "ethers";
import {
  createEnvironmentReader,
  type Environment,
  type EnvironmentReader,
  invalidVariable,
} from "../base/environment.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import { type ListenAddress, readListenAddress } from "../base/listen-address.ts";
import { FairShare, type SharePolicies } from "../protocol/fair-share.ts";
import type { ProofPolicy } from "../protocol/proven-capability.ts";
import type { DuplicateRule } from "../protocol/shards/decide-duplicates.ts";
import { type ChainConfig, readChain } from "./chain-config.ts";
import type { ChallengeTimes } from "./challenge-desk.ts";

export interface OperatorConfig {
  /** Left out: the in-cluster service account. */
  readonly kubeconfigPath: string | undefined;
  /** Of the operator itself: its lease and its records. */
  readonly namespace: string;
  /** Namespace whose tasks are run; all where left out. */
  readonly watchNamespace: string | undefined;
  readonly pool: { readonly name: string; readonly host: string; readonly port: number };
  /** Files that may be replaced while it serves, and how often they are looked at. */
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly refreshMs: number };
  readonly chain: ChainConfig;
  readonly batch: { readonly maxAgeMs: number; readonly maxTasks: number };
  readonly validation: {
    readonly windowMs: number;
    readonly deadlineMs: number;
    readonly stragglerMs: number;
    /** How long a panel waits for a proof, and then for who endorses it, before it re-executes. */
    readonly provingMs: number;
    readonly endorsingMs: number;
    /** Decided Validations are deleted so long after their tasks are settled. */
    readonly keepMs: number;
  };
  /** When a slow shard near the end of a batch is given to a second worker. */
  readonly duplicates: DuplicateRule;
  /** How long an accepted task waits to be settled in the same write. */
  readonly mergeMs: number;
  readonly explainAfterMs: number;
  /** A worker that is silent for so long is gone. */
  readonly silenceMs: number;
  /** So long after a claim's deadline a late answer still spares its worker the penalty. */
  readonly missedGraceMs: number;
  readonly allowUnverified: boolean;
  /** Undefined: no agents are hosted. */
  readonly agents: AgentConfig | undefined;
  readonly capability: CapabilityConfig;
  readonly models: ModelConfig;
  /** Weights and quotas of tenants. */
  readonly policies: SharePolicies;
  /** Where what happens to the pool is recorded, up to a bound; nowhere where left out. */
  readonly trace: { readonly path: string; readonly maxBytes: number } | undefined;
  readonly metrics: ListenAddress | undefined;
  readonly leaderElection: { readonly identity: string } | undefined;
  /** Pod that carries a label while it leads, so that the pool's Service finds it; none where left out. */
  readonly leaderPod: string | undefined;
}

export interface ModelConfig {
  /** Tasks of every namespace may use approved models only; else those of namespaces that say so. */
  readonly isApprovalRequired: boolean;
  /** How many validators look at a model, and how many equal findings decide. */
  readonly validators: number;
  readonly quorum: number;
  /** An approval holds for so long. */
  readonly validMs: number;
}

export interface CapabilityConfig extends ProofPolicy {
  /** Undefined: nobody is challenged. */
  readonly challenges: ChallengeTimes | undefined;
  /** PEM of authorities whose GPUs' evidence is heard; none where empty. */
  readonly attestationRoots: readonly string[];
}

/** What replicas of agents run, and who brings their calls. */
export interface AgentConfig {
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Handed on to the built-in model server. */
  readonly environment: Readonly<Record<string, string>>;
  /** Checksummed. */
  readonly gateways: readonly string[];
}

export interface OperatorFlags {
  readonly kubeconfig?: string;
}

/** @throws InferiumError InvalidConfiguration, naming the variable */
export async function readOperatorConfig(
  variables: Environment = process.env,
  flags: OperatorFlags = {},
): Promise<OperatorConfig> {
  const env = createEnvironmentReader(variables);
  return Object.freeze({
    kubeconfigPath: flags.kubeconfig ?? env.text("KUBECONFIG"),
    namespace: env.text("INFERIUM_NAMESPACE") ?? env.text("POD_NAMESPACE") ?? "inferium-system",
    watchNamespace: env.text("INFERIUM_WATCH_NAMESPACE"),
    pool: {
      name: env.text("INFERIUM_POOL_NAME") ?? "default",
      host: env.text("INFERIUM_POOL_HOST") ?? "0.0.0.0",
      port: env.whole("INFERIUM_POOL_PORT", 8443, { min: 0, max: 65_535 }),
    },
    tls: {
      certFile: env.required("INFERIUM_TLS_CERT_FILE"),
      keyFile: env.required("INFERIUM_TLS_KEY_FILE"),
      refreshMs: seconds(env, "INFERIUM_TLS_REFRESH_SECONDS", 10),
    },
    chain: await readChain(env),
    batch: {
      maxAgeMs: readBatchAge(env),
      maxTasks: env.whole("INFERIUM_BATCH_TASKS", 1_024, { min: 1, max: 1_024 }),
    },
    validation: {
      windowMs: env.whole("INFERIUM_VALIDATION_WINDOW_MS", 250, { min: 0, max: 60_000 }),
      deadlineMs: seconds(env, "INFERIUM_VALIDATION_SECONDS", 120),
      stragglerMs: env.whole("INFERIUM_STRAGGLER_MS", 5_000, { min: 0, max: 3_600_000 }),
      provingMs: seconds(env, "INFERIUM_PROVING_SECONDS", 120),
      endorsingMs: seconds(env, "INFERIUM_ENDORSING_SECONDS", 60),
      keepMs: seconds(env, "INFERIUM_VALIDATION_KEEP_SECONDS", 3_600),
    },
    duplicates: {
      factor: env.whole("INFERIUM_DUPLICATE_FACTOR", 2, { min: 1, max: 1_000 }),
      floorMs: seconds(env, "INFERIUM_DUPLICATE_SECONDS", 30),
    },
    mergeMs: env.whole("INFERIUM_MERGE_MS", 1_000, { min: 0, max: 60_000 }),
    explainAfterMs: env.whole("INFERIUM_EXPLAIN_AFTER_MS", 5_000, { min: 0, max: 3_600_000 }),
    silenceMs: seconds(env, "INFERIUM_WORKER_SILENCE_SECONDS", 60),
    missedGraceMs: env.whole("INFERIUM_MISSED_GRACE_MS", 30_000, { min: 1_000, max: 3_600_000 }),
    allowUnverified: env.flag("INFERIUM_ALLOW_UNVERIFIED", false),
    agents: readAgents(env),
    capability: await readCapability(env),
    models: readModels(env),
    policies: await readPolicies(env.text("INFERIUM_SHARE_POLICIES_FILE")),
    trace: readTrace(env),
    metrics: readListenAddress(env, "INFERIUM_METRICS_ADDR"),
    leaderElection: env.flag("INFERIUM_LEADER_ELECTION", true) ? { identity: readIdentity(env) } : undefined,
    leaderPod: env.flag("INFERIUM_LABEL_LEADER", false) ? env.required("POD_NAME") : undefined,
  });
}

function seconds(env: EnvironmentReader, name: string, fallback: number): number {
  return env.whole(name, fallback, { min: 1, max: 604_800 }) * 1_000;
}

async function readCapability(env: EnvironmentReader): Promise<CapabilityConfig> {
  const level = env.matching("INFERIUM_MINIMUM_LEVEL", /^(Inspected|Challenged)$/, "Inspected or Challenged");
  const challenges = {
    firstMs: env.whole("INFERIUM_CHALLENGE_FIRST_SECONDS", 60, { min: 0, max: 86_400 }) * 1_000,
    validMs: seconds(env, "INFERIUM_CHALLENGE_VALID_SECONDS", 86_400),
    retryMs: seconds(env, "INFERIUM_CHALLENGE_RETRY_SECONDS", 600),
  };
  return {
    minimumLevel: level === "Challenged" ? level : "Inspected",
    acceptSimulated: env.flag("INFERIUM_ACCEPT_SIMULATED", false),
    challenges: env.flag("INFERIUM_CHALLENGES", true) ? challenges : undefined,
    attestationRoots: await readRoots(env.text("INFERIUM_ATTESTATION_ROOTS_FILE")),
  };
}

function readModels(env: EnvironmentReader): ModelConfig {
  const validators = env.whole("INFERIUM_MODEL_VALIDATORS", 3, { min: 1, max: 31 });
  const quorum = env.whole("INFERIUM_MODEL_QUORUM", 2, { min: 1, max: 31 });
  if (quorum > validators || quorum * 2 <= validators) {
    const expected = `a majority of the ${validators} validators of INFERIUM_MODEL_VALIDATORS`;
    throw invalidVariable("INFERIUM_MODEL_QUORUM", String(quorum), expected);
  }
  return {
    isApprovalRequired: env.flag("INFERIUM_REQUIRE_APPROVED_MODELS", false),
    ...{ validators, quorum },
    validMs: env.whole("INFERIUM_MODEL_APPROVAL_SECONDS", 2_592_000, { min: 60, max: 315_360_000 }) * 1_000,
  };
}

function readAgents(env: EnvironmentReader): AgentConfig | undefined {
  if (!env.flag("INFERIUM_AGENTS", false)) return undefined;
  const policy = env.matching("INFERIUM_AGENT_IMAGE_PULL_POLICY", /^(Always|IfNotPresent|Never)$/, "a pull policy");
  return {
    image: env.required("INFERIUM_AGENT_IMAGE"),
    imagePullPolicy: policy ?? "IfNotPresent",
    environment: Object.fromEntries(
      handedOn.flatMap((name) => [[name, env.text(name) ?? ""]]).filter(([, value]) => value),
    ),
    gateways: (env.list("INFERIUM_GATEWAY_ACCOUNTS") ?? []).map((account) => {
      try {
        return getAddress(account);
      } catch {
        throw invalidVariable("INFERIUM_GATEWAY_ACCOUNTS", account, "addresses, separated by commas");
      }
    }),
  };
}

/** What a worker is told, see docs/configuration.md. */
const handedOn = [
  "INFERIUM_ALLOWED_FILE_ROOTS",
  "INFERIUM_ALLOWED_HTTP_HOSTS",
  "INFERIUM_ALLOWED_ADDRESSES",
  "INFERIUM_EXECUTION_PROVIDERS",
  "INFERIUM_THREADS",
] as const;

async function readRoots(path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return [];
  try {
    const text = await readFile(path, "utf8");
    const roots = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    for (const root of roots) new X509Certificate(root);
    if (roots.length > 0) return roots;
    throw new Error("it holds no certificate");
  } catch (cause) {
    const message = `INFERIUM_ATTESTATION_ROOTS_FILE ${path} cannot be used: ${describeError(cause)}; expected certificates as PEM.`;
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
  }
}

function readTrace(env: EnvironmentReader): OperatorConfig["trace"] {
  const path = env.text("INFERIUM_TRACE_FILE");
  const maxBytes = env.whole("INFERIUM_TRACE_MEBIBYTES", 256, { min: 1, max: 65_536 }) * 2 ** 20;
  return path === undefined ? undefined : { path, maxBytes };
}

/** May be a fraction: a chain of one's own need not be waited for. */
function readBatchAge(env: EnvironmentReader): number {
  const expected = "seconds from 0.1 to 604800, such as 60 or 0.5";
  const text = env.matching("INFERIUM_BATCH_SECONDS", /^[0-9]{1,6}(\.[0-9]{1,3})?$/, expected) ?? "60";
  const ageMs = Math.round(Number(text) * 1_000);
  if (ageMs >= 100 && ageMs <= 604_800_000) return ageMs;
  throw invalidVariable("INFERIUM_BATCH_SECONDS", text, expected);
}

/** Made once, so that a policy that cannot be used ends the start and not a later task. */
async function readPolicies(path: string | undefined): Promise<SharePolicies> {
  if (path === undefined) return {};
  try {
    const policies = JSON.parse(await readFile(path, "utf8")) as SharePolicies;
    for (const name of Object.keys(policies)) new FairShare(policies).tenant(name);
    return policies;
  } catch (cause) {
    const message =
      `INFERIUM_SHARE_POLICIES_FILE ${path} cannot be used: ${describeError(cause)} Expected JSON such as ` +
      '{"team-a":{"weight":2,"nominal":20,"borrowing":10,"cohort":"research"},"*":{"nominal":5}}.';
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
  }
}

/** Unique per process: two pods of one name, of which one is just being deleted, are two candidates. */
function readIdentity(env: EnvironmentReader): string {
  const name = env.text("INFERIUM_IDENTITY") ?? env.text("POD_NAME") ?? hostname();
  return `${name}_${process.pid}`;
}
