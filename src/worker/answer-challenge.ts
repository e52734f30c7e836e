/**
 * A challenge of this machine's hardware: run on the devices that tasks run on, beside nothing else, and answered. Effects:
 * the devices' memory and time; one call of the pool.
 */
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ChallengeResult } from "../inference/challenge/run-challenge.ts";
import type { SessionOptions } from "../inference/session.ts";
import type { PoolClient } from "../pool/client.ts";
import type { CapabilityChallenge, CapabilityRequest, GpuEvidence } from "../pool/wire.ts";
import { computeEvidenceNonce } from "../protocol/challenge/decide-challenge.ts";
import { type ChallengePlan, countMemoryBytes, countOperations } from "../protocol/challenge/plan.ts";

export type RunChallenge = (
  plan: ChallengePlan,
  session: Partial<SessionOptions>,
  signal: AbortSignal,
) => Promise<ChallengeResult>;

export interface ChallengeContext {
  readonly client: Pick<PoolClient, "capability">;
  readonly session: Pick<SessionOptions, "providers" | "threads">;
  readonly run: RunChallenge;
  /** Address of the worker's key: evidence is made for it. */
  readonly account: string;
  /** Undefined: the machine gives no evidence. */
  readonly collect: ((nonce: string) => Promise<readonly GpuEvidence[]>) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a CPU is let compute: more is made for GPUs, would take hours, and memory that others of this machine need. */
const maxCpuOperations = 1e11;
const maxCpuBytes = 256 * 1024 * 1024;

/** For telling the pool that the worker stops. */
const stopMs = 2_000;

/** Never rejects: what cannot be told is found by the pool when the time is over. */
export async function answerChallenge(
  context: ChallengeContext,
  { challengeId, plan, limitMs }: CapabilityChallenge,
  signal: AbortSignal,
): Promise<void> {
  const { client, logger, clock } = context;
  const startedAt = clock.monotonic();
  const outcome = await compute(context, plan, signal);
  const tookMs = Math.round(clock.monotonic() - startedAt);
  try {
    const { status } = await client.capability(
      { challengeId, outcome },
      signal.aborted ? AbortSignal.timeout(stopMs) : signal,
    );
    const why = outcome.kind === "Failed" ? outcome.message : undefined;
    logger.info("challenge answered", { outcome: outcome.kind, status, tookMs, limitMs, why });
  } catch (error) {
    logger.warn("the answer to a challenge was not taken", { outcome: outcome.kind, error: describeError(error) });
  }
}

async function compute(
  context: ChallengeContext,
  plan: ChallengePlan,
  signal: AbortSignal,
): Promise<CapabilityRequest["outcome"]> {
  try {
    const { session, run } = context;
    const providers = chooseProviders(session.providers, plan);
    // Beside the computation: both have one time limit.
    const collected = collect(context, plan);
    const { digests, provider } = await run(plan, { ...session, providers }, signal);
    const answer = { kind: "Done", digests: Buffer.from(digests).toString("base64"), provider } as const;
    const evidence = await collected;
    return evidence.length === 0 ? answer : { ...answer, evidence };
  } catch (error) {
    if (signal.aborted) return { kind: "Failed", reason: "Stopped", message: "The worker is stopping." };
    const reason = error instanceof InferiumError ? error.code : "ChallengeFailed";
    return { kind: "Failed", reason, message: describeError(error).slice(0, 1_000) };
  }
}

/** Never rejects: a challenge is worth its answer without evidence. */
async function collect({ collect: ask, account, logger }: ChallengeContext, { seed }: ChallengePlan) {
  try {
    return (await ask?.(computeEvidenceNonce(seed, account))) ?? [];
  } catch (error) {
    logger.warn("no evidence of the GPUs", { error: describeError(error) });
    return [];
  }
}

function chooseProviders(providers: readonly SessionOptions["providers"][number][], plan: ChallengePlan) {
  if (countOperations(plan) <= maxCpuOperations && countMemoryBytes(plan) <= maxCpuBytes) return providers;
  const devices = providers.filter((provider) => provider !== "cpu");
  if (devices.length > 0) return devices;
  const message = "Tasks run on the cpu here, and the challenge is made for a GPU. Set INFERIUM_EXECUTION_PROVIDERS.";
  throw new InferiumError("NoDevice", message);
}
