/**
 * Two contenders for one lease, each behind a failing proxy. Counts the terms and any moment with two leaders.
 */
import { createStaticConnection, type KubeConnection } from "../../src/kube/connection.ts";
import { createLeaderElector } from "../../src/kube/lease.ts";
import { createTransport } from "../../src/kube/transport.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { createFaultPlan, type FaultRates } from "./faults.ts";
import type { SeededRandom } from "./random.ts";

export interface Election {
  readonly proxies: readonly FaultProxy[];
  readonly terms: number;
  /** Moments at which two led. */
  readonly overlaps: number;
  readonly leader: string | undefined;
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export async function startElection(
  upstream: KubeConnection,
  options: { readonly namespace: string; readonly random: SeededRandom; readonly rates: FaultRates },
): Promise<Election> {
  const token = (await upstream.authorization())?.replace("Bearer ", "");
  const leaders = new Set<string>();
  let terms = 0;
  let overlaps = 0;
  const lead = async (identity: string, signal: AbortSignal) => {
    leaders.add(identity);
    terms++;
    if (leaders.size > 1) overlaps++;
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    leaders.delete(identity);
  };
  const contend = async (identity: string) => {
    const random = options.random.fork(identity);
    const proxy = await startFaultProxy(upstream, createFaultPlan(random.fork("faults"), options.rates));
    const connection = createStaticConnection({ server: proxy.url, ...(token === undefined ? {} : { token }) });
    const transport = createTransport(connection, { timeoutMs: 1_000 });
    const elector = createLeaderElector(transport, {
      namespace: options.namespace,
      name: "chaos",
      identity,
      leaseDurationMs: 2_000,
      renewDeadlineMs: 1_200,
      retryPeriodMs: 200,
      random: random.fork("elector").next,
      onStartedLeading: (signal) => lead(identity, signal),
    });
    return { proxy, transport, elector };
  };
  const contenders = [await contend("a"), await contend("b")];
  return {
    proxies: contenders.map(({ proxy }) => proxy),
    get terms() {
      return terms;
    },
    get overlaps() {
      return overlaps;
    },
    get leader() {
      return [...leaders][0];
    },
    run: async (signal) => {
      await Promise.all(contenders.map(({ elector }) => elector.run(signal)));
    },
    close: async () => {
      await Promise.all(contenders.map(({ transport }) => transport.close()));
      await Promise.all(contenders.map(({ proxy }) => proxy.close()));
    },
  };
}
