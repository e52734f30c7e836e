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
import type { CapabilityChallenge, CapabilityRequest } from "../pool/wire.ts";
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
  { session, run }: ChallengeContext,
  plan: ChallengePlan,
  signal: AbortSignal,
): Promise<CapabilityRequest["outcome"]> {
  try {
    const { digests, provider } = await run(
      plan,
      { ...session, providers: chooseProviders(session.providers, plan) },
      signal,
    );
    return { kind: "Done", digests: Buffer.from(digests).toString("base64"), provider };
  } catch (error) {
    if (signal.aborted) return { kind: "Failed", reason: "Stopped", message: "The worker is stopping." };
    const reason = error instanceof InferiumError ? error.code : "ChallengeFailed";
    return { kind: "Failed", reason, message: describeError(error).slice(0, 1_000) };
  }
}

function chooseProviders(providers: readonly SessionOptions["providers"][number][], plan: ChallengePlan) {
  if (countOperations(plan) <= maxCpuOperations && countMemoryBytes(plan) <= maxCpuBytes) return providers;
  const devices = providers.filter((provider) => provider !== "cpu");
  if (devices.length > 0) return devices;
  const message = "Tasks run on the cpu here, and the challenge is made for a GPU. Set INFERIUM_EXECUTION_PROVIDERS.";
  throw new InferiumError("NoDevice", message);
}
