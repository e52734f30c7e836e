/** An API server and an operator, each in a process of its own, for benchmarks; the chain with bonded members is a third. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { OperatorConfig } from "../../src/operator/config.ts";
import { type Cluster, type ClusterParts, startCluster } from "../integration/operator/operator-fixture.ts";
import type { BenchServerAddress } from "./api-server-process.ts";
import { forkBundled } from "./bundle-process.ts";
import type { OperatorUsage } from "./operator-process.ts";

export interface BenchClusterParts {
  /** How many. */
  readonly workers: number;
  readonly slots: number;
  readonly validators: readonly string[];
  readonly config?: Partial<OperatorConfig>;
}

export interface Bench {
  readonly cluster: Cluster;
  readonly operator: BenchOperator;
}

export interface BenchOperator {
  /** Of the pool API. */
  readonly url: string;
  usage(): Promise<OperatorUsage>;
  /** Sum of the samples of a metric, by the value of one of its labels; of one without labels under "". */
  metric(name: string, label?: string): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

export async function withOperator<T>(
  { config, ...parts }: BenchClusterParts,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const workers = Array.from({ length: parts.workers }, (_, index) => `w${index}`);
  return withCluster({ ...parts, workers, startServer: forkServer }, async (cluster) => {
    const operator = await startBenchOperator(cluster, config);
    try {
      return await work({ cluster, operator });
    } finally {
      await operator.stop();
    }
  });
}

export async function withCluster<T>(parts: ClusterParts, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = await startCluster({ ...parts, gpus: 20 });
  try {
    return await work(cluster);
  } finally {
    await cluster.close();
  }
}

/** As by default; tests have these times shorter. */
const bondRefreshMs = 15_000;
const certificateRefreshMs = 10_000;
const times = { explainAfterMs: 5_000, silenceMs: 60_000, missedGraceMs: 30_000 };
/** As the chart has them; the second is what V8 gives itself in a container with the chart's limit of 1 GiB. */
const operatorFlags = ["--max-semi-space-size=4", "--max-old-space-size=512"];

/** Resolves when its pool API is open. */
export async function startBenchOperator(
  cluster: Cluster,
  config: Partial<OperatorConfig> = {},
): Promise<BenchOperator> {
  const child = await forkBundled("operator-process", { serialization: "advanced", execArgv: operatorFlags });
  const chain = { ...cluster.config.chain, refreshMs: bondRefreshMs };
  const tls = { ...cluster.config.tls, refreshMs: certificateRefreshMs };
  child.send({ ...cluster.config, ...times, chain, tls, allowUnverified: true, ...config });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the operator's process ended with status ${String(code)}`);
  });
  ended.catch(() => undefined);
  const [{ url, metricsUrl }] = (await Promise.race([once(child, "message"), ended])) as [
    { url: string; metricsUrl: string },
  ];
  return {
    url,
    usage: () => askUsage(child),
    metric: async (name, label) => readMetric(await (await fetch(`${metricsUrl}/metrics`)).text(), name, label),
    stop: () => closeChild(child),
  };
}

function readMetric(text: string, name: string, label: string | undefined): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, metric, labels = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (metric !== name) continue;
    const key = label === undefined ? "" : (new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? "");
    values.set(key, (values.get(key) ?? 0) + Number(value));
  }
  return values;
}

/** @param dataDir left out: in memory */
export async function forkServer(dataDir?: string): Promise<Cluster["server"]> {
  const child = await forkBundled("api-server-process", { args: dataDir === undefined ? [] : [dataDir] });
  const [address] = (await once(child, "message")) as [BenchServerAddress];
  return { ...address, writes: () => [], close: () => closeChild(child) };
}

async function askUsage(operator: ChildProcess): Promise<OperatorUsage> {
  operator.send("usage");
  const [usage] = (await once(operator, "message")) as [OperatorUsage];
  return usage;
}

/** Asks it to end; after 15 s it is ended. */
export async function closeChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || !child.connected) return;
  const ended = once(child, "exit");
  child.send("close");
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await ended;
  clearTimeout(timer);
}
