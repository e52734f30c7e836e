/** Metrics of a validator, in the registry of whoever runs it. */
import { Counter, Histogram, type Registry } from "prom-client";

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
  };
}
