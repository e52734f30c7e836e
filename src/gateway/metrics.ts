/** Metrics of a gateway, in the registry of whoever runs it. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

export interface GatewayGauges {
  readonly agents: () => readonly { readonly agent: string; readonly inFlight: number; readonly queued: number }[];
  readonly heldBytes: () => number;
  readonly spoolBytes: () => number;
}

export function createGatewayMetrics(registry: Registry, read: GatewayGauges) {
  const registers = [registry];
  const perAgent = (name: string, help: string, pick: (load: { inFlight: number; queued: number }) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["agent"],
      registers,
      collect() {
        this.reset();
        for (const load of read.agents()) this.set({ agent: load.agent }, pick(load));
      },
    });
  perAgent("inferium_gateway_in_flight", "Calls that a backend works on now.", ({ inFlight }) => inFlight);
  perAgent("inferium_gateway_queued", "Calls that wait for a backend now.", ({ queued }) => queued);
  new Gauge({
    name: "inferium_gateway_held_bytes",
    help: "Inputs and outputs in windows that the pool does not hold yet.",
    registers,
    collect() {
      this.set(read.heldBytes());
    },
  });
  new Gauge({
    name: "inferium_gateway_spool_bytes",
    help: "Windows on disk that the pool does not hold yet.",
    registers,
    collect() {
      this.set(read.spoolBytes());
    },
  });
  return {
    calls: new Counter({
      name: "inferium_gateway_calls_total",
      help: "Calls that a backend was asked for, by agent and outcome.",
      labelNames: ["agent", "outcome"],
      registers,
    }),
    seconds: new Histogram({
      name: "inferium_gateway_call_seconds",
      help: "Time from a call's admission to its answer; a stream's to its end.",
      labelNames: ["agent"],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120],
      registers,
    }),
    refused: new Counter({
      name: "inferium_gateway_refused_total",
      help: "Calls that were refused or failed, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    windows: new Counter({
      name: "inferium_gateway_windows_total",
      help: "Windows of calls, by what became of them.",
      labelNames: ["result"],
      registers,
    }),
    revenueWei: new Counter({
      name: "inferium_gateway_revenue_wei_total",
      help: "Prices of calls in windows that the pool holds; for curves, the exact sums are in the windows.",
      labelNames: ["agent"],
      registers,
    }),
  };
}
