/** Metrics of a worker, in the registry of whoever runs it. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

export function createWorkerMetrics(registry: Registry) {
  const registers = [registry];
  return {
    inferences: new Counter({
      name: "inferium_worker_inferences_total",
      help: "Inferences computed in tasks that completed.",
      registers,
    }),
    taskSeconds: new Histogram({
      name: "inferium_worker_task_seconds",
      help: "Time from the claim of a task to its outcome.",
      labelNames: ["outcome"],
      buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800],
      registers,
    }),
    failures: new Counter({
      name: "inferium_worker_failures_total",
      help: "Attempts that failed, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    deliveries: new Counter({
      name: "inferium_worker_deliveries_total",
      help: "Outcomes brought to the pool, by what became of them.",
      labelNames: ["result"],
      registers,
    }),
    running: new Gauge({ name: "inferium_worker_running", help: "Tasks running now.", registers }),
  };
}
