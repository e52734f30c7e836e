/** Metrics of a validator, in the registry of whoever runs it. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export type ValidatorMetrics = ReturnType<typeof createValidatorMetrics>;

export function createValidatorMetrics(registry: Registry) {
  const registers = [registry];
  return {
    duties: new Counter({
      name: "inferium_validator_duties_total",
      help: "Duties done, by kind and result.",
      labelNames: ["kind", "result"],
      registers,
    }),
    seconds: new Histogram({
      name: "inferium_validator_duty_seconds",
      help: "Time of a duty, by kind.",
      labelNames: ["kind"],
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
      registers,
    }),
    openDisputes: new Gauge({
      name: "inferium_validator_disputes_open",
      help: "Disputes on the chain that are not closed.",
      registers,
    }),
    disputeSteps: new Counter({
      name: "inferium_validator_dispute_steps_total",
      help: "Steps of disputes that this validator took, and those that failed.",
      labelNames: ["step"],
      registers,
    }),
    watchChecks: new Counter({
      name: "inferium_validator_watch_checks_total",
      help: "Settled results that were run again although this validator had no vote on them, by finding.",
      labelNames: ["result"],
      registers,
    }),
  };
}
