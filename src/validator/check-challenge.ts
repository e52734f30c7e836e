/** A validator's part in a challenge of a worker: computes the columns that it is asked for, and tells their digests. */
import { describeError } from "../base/errors.ts";
import type { ChallengeResult } from "../inference/challenge/run-challenge.ts";
import type { SessionOptions } from "../inference/session.ts";
import type { PoolClient } from "../pool/client.ts";
import type { ChallengeDuty } from "../pool/duty.ts";
import type { AttestResponse, ChallengeCheck } from "../pool/wire.ts";
import type { ChallengePlan } from "../protocol/challenge/plan.ts";

export interface CheckContext {
  readonly client: Pick<PoolClient, "attest">;
  readonly session: Pick<SessionOptions, "providers" | "threads">;
  readonly run: (
    plan: ChallengePlan,
    session: Partial<SessionOptions>,
    signal: AbortSignal,
    columns: readonly number[],
  ) => Promise<ChallengeResult>;
}

/** More would be the worker's part. */
const maxColumns = 64;

/** @throws those of the client; the signal's reason */
export async function checkChallenge(
  context: CheckContext,
  duty: ChallengeDuty,
  signal: AbortSignal,
): Promise<AttestResponse> {
  return context.client.attest(
    { kind: "challenge", challengeId: duty.challengeId, ...(await compute(context, duty, signal)) },
    signal,
  );
}

async function compute(
  { run, session }: CheckContext,
  { plan, columns }: ChallengeDuty,
  signal: AbortSignal,
): Promise<Pick<ChallengeCheck, "digests" | "problem">> {
  if (columns.length > maxColumns)
    return { problem: `${columns.length} columns are asked for; at most ${maxColumns} are computed.` };
  try {
    const { digests } = await run({ ...plan, devices: 1 }, session, signal, columns);
    return { digests: Buffer.from(digests).toString("base64") };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: describeError(error).slice(0, 1_000) };
  }
}
