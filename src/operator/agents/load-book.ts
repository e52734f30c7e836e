/** How busy agents are, as gateways report it with their heartbeat. In memory: what is older than a moment counts no more. */
import type { Clock } from "../../base/clock.ts";
import type { LoadReport } from "../../pool/agents.ts";
import type { Load } from "../../protocol/replicas.ts";

/** A gateway reports every few seconds; one that is silent for so long is gone. */
export const reportTtlMs = 15_000;
const maxReports = 4_096;

interface KeptReport extends LoadReport {
  readonly atMs: number;
}

export class LoadBook {
  readonly #clock: Clock;
  /** By gateway and agent. */
  readonly #reports = new Map<string, KeptReport>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  report(gateway: string, loads: readonly LoadReport[]): void {
    const atMs = this.#clock.monotonic();
    for (const load of loads) {
      const key = `${gateway} ${load.agentId}`;
      this.#reports.delete(key);
      this.#reports.set(key, { ...load, atMs });
    }
    for (const [key, { atMs: then }] of this.#reports)
      if (this.#reports.size > maxReports || atMs - then > reportTtlMs) this.#reports.delete(key);
  }

  /** Of all gateways together; undefined where none reports. */
  of(agentId: string): Load | undefined {
    const nowMs = this.#clock.monotonic();
    const fresh = [...this.#reports.values()].filter(
      (one) => one.agentId === agentId && nowMs - one.atMs <= reportTtlMs,
    );
    if (fresh.length === 0) return undefined;
    return {
      inFlight: fresh.reduce((sum, { inFlight }) => sum + inFlight, 0),
      queued: fresh.reduce((sum, { queued }) => sum + queued, 0),
      p95Ms: Math.round(Math.max(...fresh.map(({ p95Ms }) => p95Ms))),
    };
  }
}
