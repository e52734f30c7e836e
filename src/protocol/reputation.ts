/**
 * Stage 9: a worker's record as a beta distribution that forgets. Success and the two kinds of failure decay with one
 * half-life; a new worker starts at the prior. A fold over outcomes in order of time: the same history gives the same
 * state. Pure.
 */
export type Outcome = "Completed" | "Failed" | "Expired" | "Rejected";

export interface Reputation {
  /** Decayed weight of successes, without the prior. */
  readonly success: number;
  /** Decayed weight of failures, without the prior. */
  readonly failure: number;
  readonly completed: number;
  readonly failed: number;
  readonly rejected: number;
  /** 0: nothing happened yet. */
  readonly updatedAtMs: number;
}

export const newcomer: Reputation = {
  success: 0,
  failure: 0,
  completed: 0,
  failed: 0,
  rejected: 0,
  updatedAtMs: 0,
};

export interface ReputationOptions {
  readonly halfLifeMs: number;
  /** Weight of the prior belief, as so many successes and failures. */
  readonly priorSuccess: number;
  readonly priorFailure: number;
  /** What one outcome weighs: infrastructure trouble little, a wrong result much. */
  readonly weights: Readonly<Record<Outcome, number>>;
}

export const defaultReputationOptions: ReputationOptions = {
  halfLifeMs: 7 * 86_400_000,
  priorSuccess: 4,
  priorFailure: 1,
  weights: { Completed: 1, Failed: 0.5, Expired: 1, Rejected: 10 },
};

export interface OutcomeEvent {
  readonly outcome: Outcome;
  readonly atMs: number;
}

/** An event older than the state counts with the decay that it has by now; time never runs backwards. */
export function recordOutcome(
  state: Reputation,
  event: OutcomeEvent,
  options: ReputationOptions = defaultReputationOptions,
): Reputation {
  const atMs = Math.max(state.updatedAtMs, event.atMs);
  const decayed = decay(state, atMs, options);
  const late = factor(atMs - event.atMs, options);
  const weight = options.weights[event.outcome] * late;
  const good = event.outcome === "Completed";
  return {
    success: decayed.success + (good ? weight : 0),
    failure: decayed.failure + (good ? 0 : weight),
    completed: state.completed + (good ? 1 : 0),
    failed: state.failed + (event.outcome === "Failed" || event.outcome === "Expired" ? 1 : 0),
    rejected: state.rejected + (event.outcome === "Rejected" ? 1 : 0),
    updatedAtMs: atMs,
  };
}

/** Expected success between 0 and 1 at `nowMs`. */
export function computeScore(
  state: Reputation,
  nowMs: number,
  options: ReputationOptions = defaultReputationOptions,
): number {
  const { success, failure } = decay(state, Math.max(nowMs, state.updatedAtMs), options);
  return (options.priorSuccess + success) / (options.priorSuccess + options.priorFailure + success + failure);
}

function decay(state: Reputation, atMs: number, options: ReputationOptions): { success: number; failure: number } {
  const by = state.updatedAtMs === 0 ? 1 : factor(atMs - state.updatedAtMs, options);
  return { success: state.success * by, failure: state.failure * by };
}

function factor(elapsedMs: number, options: ReputationOptions): number {
  return 0.5 ** (Math.max(0, elapsedMs) / options.halfLifeMs);
}
