/**
 * The validator: claims duties one at a time and does them. Started by main.ts or the embedded run. Effects: pool API, its
 * cache and state folders, re-execution, reads of the chain where it is given one.
 */
import type { Registry } from "prom-client";
import { computeBackoffMs } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { createExecutor, type Executor } from "../inference/execute.ts";
import { createArtifactReader } from "../inference/read-artifacts.ts";
import { runClaimLoop, waitForPool } from "../pool/claim-loop.ts";
import type { PoolClient, PoolFacts } from "../pool/client.ts";
import type { Duty, EndorseDuty } from "../pool/duty.ts";
import { sendHeartbeats } from "../pool/heartbeats.ts";
import { joinPool } from "../pool/join-pool.ts";
import type { ProtocolSigner } from "../pool/signer.ts";
import { openCertifiedRecord } from "./certify/certified-record.ts";
import { type CertifyContext, type ChainView, certifyBatch } from "./certify/certify-duty.ts";
import { openSettledTasks } from "./certify/settled-tasks.ts";
import { type OpenChainView, openChainView } from "./chain-view.ts";
import { type CheckContext, checkChallenge } from "./check-challenge.ts";
import { type CheckTraining, createTrainingCheck } from "./check-training.ts";
import type { ValidatorConfig } from "./config.ts";
import { runDisputes } from "./dispute/run-disputes.ts";
import { type Judge, judgeItem } from "./judge.ts";
import { createValidatorMetrics, type ValidatorMetrics } from "./metrics.ts";
import { ModelChecker } from "./model-checker.ts";
import { endorseProof } from "./proof/endorse-duty.ts";
import { openProofs, type Proofs } from "./proof/open-proofs.ts";
import { commitVotes, revealVotes, type VoteContext } from "./validate-duty.ts";
import { openVoteRecords } from "./vote-record.ts";

export interface ValidatorDependencies {
  /** Aborted to stop. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly registry?: Registry;
  /** In place of an executor made from the configuration. */
  readonly execute?: Executor["execute"];
  /** How a panel's receipts are judged, in place of running them again; for demonstrations of what is wrong with that. */
  readonly judge?: Judge;
  /** In place of the chain that the configuration names. */
  readonly chain?: ChainView;
  /** Called once a session is open and claims begin. */
  readonly onReady?: (facts: PoolFacts) => void;
}

/** A batch waits for what is fetched here, and goes on without it. */
const proofFetching = { timeoutMs: 15_000, idleTimeoutMs: 5_000, attempts: 1 } as const;

/** Loaded when the first one comes. */
const runChallengeHere: CheckContext["run"] = async (...parts) => {
  const { runChallenge } = await import("../inference/challenge/run-challenge.ts");
  return runChallenge(...parts);
};

interface DutyContext {
  readonly votes: VoteContext & { readonly checkTraining: CheckTraining };
  readonly proofs: Proofs;
  readonly certify: CertifyContext;
  readonly challenges: CheckContext;
  readonly models: ModelChecker;
  readonly metrics: ValidatorMetrics | undefined;
  readonly logger: Logger;
}

/** Resolves after a graceful stop. @throws InferiumError where the configuration or the state cannot work */
export async function runValidator(config: ValidatorConfig, dependencies: ValidatorDependencies): Promise<void> {
  const { logger, signal } = dependencies;
  const ownClock = dependencies.clock ?? systemClock;
  const expected = { ...config.expected, pool: config.pool };
  const joined = await joinPool({ ...config, expected }, { role: "Validator", logger, clock: ownClock });
  const { signer, client, clock } = joined;
  const executor = createExecutor({ ...config.executor, clock: ownClock });
  let chain: OpenChainView | undefined;
  let proofs: Proofs | undefined;
  let models: ModelChecker | undefined;
  try {
    if (dependencies.execute === undefined) await executor.warmUp();
    const facts = await waitForPool({ client, clock, logger }, signal);
    if (facts === undefined) return;
    const execute = dependencies.execute ?? executor.execute;
    chain = config.chain && openChainView(config.chain, facts.domain);
    const context = await openContext(config, dependencies, { ...joined, ownClock, facts, execute, chain });
    ({ proofs, models } = context);
    logger.info("validator joined the pool", { pool: facts.pool, node: facts.node, account: signer.address });
    dependencies.onReady?.(facts);
    const duties = { config, context, client, clock, logger, loadedModels: executor.loadedModels };
    const disputes = { config, context, client, clock, logger };
    await together([(until) => work(duties, until), (until) => settleDisputes(disputes, until)], signal);
  } finally {
    await models?.close();
    await proofs?.close();
    await chain?.close();
    await client.close();
    await executor.close();
  }
}

/** All end with the signal, or with the first that fails. */
async function together(
  parts: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  const ended = await Promise.allSettled(
    parts.map((part) =>
      part(until).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  const broken = ended.find(({ status }) => status === "rejected");
  if (broken?.status === "rejected" && !signal.aborted) throw broken.reason;
}

async function settleDisputes(
  { config, context, client, clock, logger }: Omit<Work, "loadedModels">,
  signal: AbortSignal,
): Promise<void> {
  const { disputes, chain, stateDir, keyFile, passphraseFile } = config;
  if (disputes === undefined || chain === undefined) return;
  const { domain, execute, checkTraining } = context.votes;
  const key = { keyFile, passwordFile: passphraseFile };
  const { metrics } = context;
  await runDisputes(
    { config: disputes, chain, key, stateDir, domain, pool: client, execute, checkTraining, clock, logger, metrics },
    signal,
  );
}

interface Joined {
  readonly client: PoolClient;
  readonly signer: ProtocolSigner;
  readonly facts: PoolFacts;
  readonly clock: Clock;
  /** Tells files' ages, and whether a batch is from the future: of that the operator must not be the judge. */
  readonly ownClock: Clock;
  readonly execute: Executor["execute"];
  readonly chain: ChainView | undefined;
}

async function openContext(
  config: ValidatorConfig,
  dependencies: ValidatorDependencies,
  joined: Joined,
): Promise<DutyContext> {
  const { facts, execute, chain, ownClock, ...shared } = joined;
  const { domain } = facts;
  const records = await openVoteRecords(config.stateDir, ownClock);
  await records.prune();
  const record = await openCertifiedRecord(config.stateDir, domain);
  const settled = await openSettledTasks(config.stateDir, domain);
  const view = dependencies.chain ?? chain ?? {};
  const { logger } = dependencies;
  const artifacts = createArtifactReader({ ...config.executor, ...proofFetching, clock: joined.clock });
  const checkTraining = createTrainingCheck({ ...config.executor, clock: joined.clock });
  const proofs = openProofs(config.proofs, { ...shared, domain, execute, chain: view, artifacts, logger });
  const checkProof = proofs.checkCertified;
  return {
    votes: { ...shared, domain, execute, checkTraining, records, judge: dependencies.judge ?? judgeItem },
    proofs,
    certify: { ...shared, clock: ownClock, domain, record, records, settled, rules: config, chain: view, checkProof },
    challenges: { client: joined.client, session: config.executor.session, run: runChallengeHere },
    models: new ModelChecker({ ...shared, domain, artifacts: config.executor, limits: config.modelChecks, logger }),
    metrics: dependencies.registry && createValidatorMetrics(dependencies.registry),
    logger: dependencies.logger,
  };
}

interface Work {
  readonly config: ValidatorConfig;
  readonly context: DutyContext;
  readonly client: PoolClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly loadedModels: () => readonly string[];
}

async function work({ config, context, loadedModels, ...loop }: Work, signal: AbortSignal): Promise<void> {
  let busy = false;
  const heartbeats = sendHeartbeats(
    {
      ...loop,
      intervalMs: config.heartbeatMs,
      // A claim says by itself that we are alive; a long duty does not.
      read: () => (busy ? { running: [], models: loadedModels() } : undefined),
      onAnswer: () => undefined,
    },
    signal,
  );
  await runClaimLoop(
    {
      ...loop,
      nextRequest: async () => ({ slots: 1, models: loadedModels(), waitMs: config.claimWaitMs }),
      accept: async ({ duties }) => {
        busy = true;
        const done = await doDuties(context, duties, signal);
        busy = false;
        // The same duty comes again at once; what failed just now would fail again.
        if (!done) await loop.clock.sleep(computeBackoffMs(1, { initialMs: 1000, maxMs: 1000 }), signal);
      },
    },
    signal,
  );
  await heartbeats;
}

/** Whether all went well. */
async function doDuties(context: DutyContext, duties: readonly Duty[], signal: AbortSignal): Promise<boolean> {
  let done = true;
  for (const duty of duties) if (!signal.aborted) done = (await doDuty(context, duty, signal)) && done;
  return done;
}

/** Never rejects: a duty that fails comes again with a later claim, or passes with its deadline. */
async function doDuty(context: DutyContext, duty: Duty, signal: AbortSignal): Promise<boolean> {
  const { metrics, logger } = context;
  const fields = { kind: duty.kind, duty: nameOf(duty) };
  const end = metrics?.seconds.startTimer({ kind: duty.kind });
  try {
    const result = await perform(context, duty, signal);
    metrics?.duties.inc({ kind: duty.kind, result });
    logger.debug("duty done", { ...fields, result });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    metrics?.duties.inc({ kind: duty.kind, result: error instanceof InferiumError ? error.code : "Internal" });
    logger.warn("duty failed", { ...fields, error: describeError(error) });
    return false;
  } finally {
    end?.();
  }
}

function nameOf(duty: Duty): string {
  if (duty.kind === "certify") return duty.batch.header.sequence;
  if (duty.kind === "model") return duty.checkId;
  return duty.kind === "challenge" ? duty.challengeId : duty.validation;
}

async function perform(context: DutyContext, duty: Duty, signal: AbortSignal): Promise<string> {
  if (duty.kind === "validate") return (await commitVotes(context.votes, duty, signal)).status;
  if (duty.kind === "reveal") return (await revealVotes(context.votes, duty, signal)).status;
  if (duty.kind === "prove") return context.proofs.prove(duty);
  if (duty.kind === "endorse") return endorse(context, duty, signal);
  if (duty.kind === "challenge") return (await checkChallenge(context.challenges, duty, signal)).status;
  if (duty.kind === "model") return context.models.accept(duty);
  const { status, refused } = await certifyBatch(context.certify, duty, signal);
  if (refused === undefined) return status;
  context.logger.warn("batch refused", {
    sequence: duty.batch.header.sequence,
    code: refused.code,
    reason: refused.message,
  });
  return `Refused${refused.code}`;
}

async function endorse({ proofs, logger }: DutyContext, duty: EndorseDuty, signal: AbortSignal): Promise<string> {
  const { status, declined } = await endorseProof(proofs, duty, signal);
  if (declined === undefined) return status;
  const { code, message } = declined;
  logger.warn("proof not endorsed", { validation: duty.validation, code, reason: message });
  return `Declined${code}`;
}
