/** Metrics of the pool server, in the registry of whoever runs it. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export type PoolMetrics = ReturnType<typeof createPoolMetrics>;

export function createPoolMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({
      name: "inferium_pool_requests_total",
      help: "Calls to the pool API, by verb and HTTP status code.",
      labelNames: ["verb", "code"],
      registers,
    }),
    seconds: new Histogram({
      name: "inferium_pool_request_seconds",
      help: "Time to answer a call; a claim's includes its wait for work.",
      labelNames: ["verb"],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60],
      registers,
    }),
    connections: new Gauge({
      name: "inferium_pool_connections",
      help: "Open connections to the pool API.",
      registers,
    }),
    dropped: new Counter({
      name: "inferium_pool_dropped_connections_total",
      help: "Connections that were turned away because as many as may be were open.",
      registers,
    }),
    waiting: new Gauge({
      name: "inferium_pool_waiting_claims",
      help: "Claims that wait for work, by role.",
      labelNames: ["role"],
      registers,
    }),
  };
}
