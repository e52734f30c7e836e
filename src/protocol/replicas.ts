/**
 * How many replicas an agent should have: enough for its calls in flight and waiting, one more while latency is above its
 * bound, and slower to go than to come. Pure: the operator passes in what it remembers and keeps what comes back.
 */
export interface ReplicaRules {
  readonly min: number;
  readonly max: number;
  /** Calls in flight or waiting that one replica should have. */
  readonly targetInFlight: number;
  /** 0: latency does not count. */
  readonly targetP95Ms: number;
  readonly scaleUpMs: number;
  readonly scaleDownMs: number;
}

export interface Load {
  readonly inFlight: number;
  readonly queued: number;
  readonly p95Ms: number;
}

/** What was needed at a time. */
export interface Need {
  readonly atMs: number;
  readonly replicas: number;
}

export interface ReplicaDecision {
  readonly replicas: number;
  /** To be passed in again: bounded by the longer of the two periods. */
  readonly needs: readonly Need[];
}

export interface ReplicaState {
  readonly current: number;
  readonly load: Load | undefined;
  readonly needs: readonly Need[];
  readonly nowMs: number;
}

const maxNeeds = 1_024;

/**
 * Up to what was needed all through the last `scaleUpMs`, down to the most that was needed at any time of the last
 * `scaleDownMs`: a burst of a moment adds nothing, and a pause of a moment removes nothing.
 */
export function decideReplicas(rules: ReplicaRules, state: ReplicaState): ReplicaDecision {
  const { current, load, nowMs } = state;
  const clamp = (replicas: number) => Math.min(rules.max, Math.max(rules.min, replicas));
  // Nobody reports: what runs goes on.
  if (load === undefined) return { replicas: clamp(current), needs: state.needs };
  const need = { atMs: nowMs, replicas: clamp(computeNeed(rules, current, load)) };
  const keepMs = Math.max(rules.scaleUpMs, rules.scaleDownMs);
  const needs = thin([...state.needs.filter(({ atMs }) => nowMs - atMs <= keepMs), need]);
  const within = (ms: number) => needs.filter(({ atMs }) => nowMs - atMs <= ms).map(({ replicas }) => replicas);
  const up = Math.min(...within(rules.scaleUpMs));
  const down = Math.max(...within(rules.scaleDownMs));
  const hasLasted = state.needs.some(({ atMs }) => nowMs - atMs >= rules.scaleUpMs) || rules.scaleUpMs === 0;
  if (up > current && hasLasted) return { replicas: clamp(up), needs };
  const isOldEnough = state.needs.some(({ atMs }) => nowMs - atMs >= rules.scaleDownMs) || rules.scaleDownMs === 0;
  if (down < current && isOldEnough) return { replicas: clamp(down), needs };
  return { replicas: clamp(current), needs };
}

function computeNeed({ targetInFlight, targetP95Ms }: ReplicaRules, current: number, load: Load): number {
  const byCalls = Math.ceil((load.inFlight + load.queued) / targetInFlight);
  const isSlow = targetP95Ms > 0 && load.p95Ms > targetP95Ms && load.inFlight + load.queued > 0;
  return isSlow ? Math.max(byCalls, current + 1) : byCalls;
}

/** Of two neighbours that need the same, the later one goes once there are too many; the oldest always stays. */
function thin(needs: readonly Need[]): readonly Need[] {
  if (needs.length <= maxNeeds) return needs;
  return needs.filter(
    (need, index) =>
      index === 0 || index === needs.length - 1 || index % 2 === 0 || need.replicas !== needs[index - 1]?.replicas,
  );
}
