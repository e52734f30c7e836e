/** What is remembered to decide how many replicas agents have, and when that last changed. In memory; starts from the status. */
import type { Clock } from "../../base/clock.ts";
import { decideReplicas, type Load, type Need } from "../../protocol/replicas.ts";
import { type AgentObject, formatTime } from "../kinds.ts";

interface Kept {
  readonly replicas: number;
  readonly needs: readonly Need[];
  readonly lastScaleTime: string | undefined;
}

export class ReplicaBook {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  decide(key: string, { spec, status }: AgentObject, load: Load | undefined): number {
    const kept = this.#kept.get(key) ?? {
      replicas: status?.desiredReplicas || spec.replicas.min,
      needs: [],
      lastScaleTime: status?.lastScaleTime,
    };
    const { targetInFlight, targetP95Ms, scaleUpSeconds, scaleDownSeconds } = spec.autoscaling;
    const rules = {
      ...{ min: spec.replicas.min, max: spec.replicas.max, targetInFlight, targetP95Ms },
      ...{ scaleUpMs: scaleUpSeconds * 1_000, scaleDownMs: scaleDownSeconds * 1_000 },
    };
    const nowMs = this.#clock.monotonic();
    const { replicas, needs } = decideReplicas(rules, { current: kept.replicas, load, needs: kept.needs, nowMs });
    const lastScaleTime = replicas === kept.replicas ? kept.lastScaleTime : formatTime(this.#clock.now());
    this.#kept.set(key, { replicas, needs, lastScaleTime });
    return replicas;
  }

  lastScaleTime(key: string): string | undefined {
    return this.#kept.get(key)?.lastScaleTime;
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }
}
