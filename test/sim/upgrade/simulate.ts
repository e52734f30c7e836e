/**
 * An operator is replaced while tasks are in flight, as a Deployment does it: twice by the new version, then rolled back. Real
 * operator processes with leader election on the embedded API server and a local chain, real workers whose executions are
 * counted, scripted validators. What must hold: no task lost, none run twice, none settled twice.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TaskObject } from "../../../src/operator/kinds.ts";
import {
  aTask,
  type Cluster,
  pool,
  type RunningOperator,
  startCluster,
  treasury,
} from "../../integration/operator/operator-fixture.ts";
import { type Memory, runValidator } from "../../integration/operator/scripted-members.ts";
import { readHeaders } from "../exactly-once/assert-exactly-once.ts";
import { startGate } from "../gate.ts";
import { countFault, type FaultCounts, type ScenarioReport } from "../scenario.ts";
import { startCountedWorker } from "./counted-worker.ts";
import {
  makeRelease,
  type OperatorProcess,
  openRelease,
  type Release,
  startOperatorProcess,
} from "./operator-release.ts";

export interface UpgradeOptions {
  readonly seed: number;
  readonly tasks: number;
  /** How long one execution takes. */
  readonly taskMs: number;
  /** Of the replacements, the last so many end the old operator with SIGKILL. */
  readonly kills: number;
  readonly timeoutMs: number;
  readonly onProgress?: (line: string) => void;
}

export interface UpgradeReport extends ScenarioReport {
  readonly ranTwice: number;
  /** Versions that led, in order. */
  readonly versions: readonly string[];
}

const workers = ["w1", "w2", "w3", "w4"];
const validators = ["v1", "v2", "v3"];
const slots = 4;

export async function simulateUpgrade(options: UpgradeOptions): Promise<UpgradeReport> {
  const startedMs = performance.now();
  const dir = await mkdtemp(join(tmpdir(), "inferium-upgrade-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  try {
    const old = process.env.INFERIUM_OLD_RELEASE;
    const releases = {
      old: old === undefined ? await makeRelease(join(dir, "old"), "0.0.9") : openRelease(old),
      new: await makeRelease(join(dir, "new"), "0.1.0"),
    };
    const cluster = await startCluster({ workers, validators, slots });
    closing.push(() => cluster.close());
    await cluster.order("order");
    const runs = new Map<number, number>();
    const fleet = new Fleet(await buildEnv(dir, cluster), closing);
    await fleet.start(releases.old);
    const service = await startGate(() => portOf(fleet.poolUrl()));
    closing.push(() => service.close());
    await startMembers({ cluster, dir, closing, poolUrl: `https://127.0.0.1:${service.port}`, runs }, options);
    await createTasks(cluster, options.tasks);
    const faults: FaultCounts = {};
    const steps = [releases.new, releases.new, releases.old];
    for (const [index, release] of steps.entries()) {
      const inFlight = await untilSettled(cluster, Math.ceil((index * options.tasks) / 8), options);
      const signal = index >= steps.length - options.kills ? "SIGKILL" : "SIGTERM";
      const from = await fleet.replace(release, signal);
      countFault(faults, `${signal.toLowerCase()}-of-leader`);
      options.onProgress?.(`${from} replaced by ${release.version} (${signal}) with ${inFlight} tasks not settled`);
    }
    await untilSettled(cluster, options.tasks, options);
    const found = await check(cluster, runs, options);
    const seconds = Number(((performance.now() - startedMs) / 1_000).toFixed(1));
    return { seed: options.seed, seconds, faults, tasks: options.tasks, versions: fleet.versions, ...found };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** The operators that run, of which one leads. */
class Fleet {
  readonly versions: string[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #running: OperatorProcess[] = [];

  constructor(env: Readonly<Record<string, string>>, closing: (() => Promise<unknown>)[]) {
    this.#env = env;
    closing.push(() => Promise.all(this.#running.map((one) => one.stop("SIGTERM"))));
  }

  poolUrl(): string | undefined {
    return this.#running.map((one) => one.poolUrl()).find((url) => url !== undefined);
  }

  async start(release: Release): Promise<void> {
    const started = startOperatorProcess(release, this.#env);
    this.#running.push(started);
    await started.ready;
    this.versions.push(release.version);
  }

  /** The new one is a ready standby before the old one ends. @returns the version that ended */
  async replace(release: Release, signal: "SIGTERM" | "SIGKILL"): Promise<string> {
    await this.start(release);
    const leader = this.#running.find((one) => one.poolUrl() !== undefined);
    if (leader === undefined) throw new Error(`nobody leads:\n${this.#running[0]?.recentLog()}`);
    this.#running.splice(this.#running.indexOf(leader), 1);
    const how = await leader.stop(signal);
    if (signal === "SIGTERM" && how !== 0) throw new Error(`an operator ended with ${how}:\n${leader.recentLog()}`);
    return leader.version;
  }
}

async function buildEnv(dir: string, { config }: Cluster): Promise<Record<string, string>> {
  const addresses = join(dir, "addresses.json");
  await writeFile(addresses, JSON.stringify(config.chain.addresses));
  return {
    KUBECONFIG: [config.kubeconfigPath].flat()[0] ?? "",
    INFERIUM_NAMESPACE: config.namespace,
    INFERIUM_POOL_NAME: pool,
    INFERIUM_POOL_HOST: "127.0.0.1",
    INFERIUM_POOL_PORT: "0",
    INFERIUM_TLS_CERT_FILE: config.tls.certFile,
    INFERIUM_TLS_KEY_FILE: config.tls.keyFile,
    INFERIUM_RPC_URL: config.chain.rpcUrl,
    INFERIUM_ADDRESSES_FILE: addresses,
    INFERIUM_SETTLER_KEY_FILE: config.chain.signer.keyFile ?? "",
    INFERIUM_TREASURY: treasury,
    INFERIUM_BATCH_SECONDS: "0.5",
    INFERIUM_IDENTITY: "operator",
  };
}

interface MemberParts {
  readonly cluster: Cluster;
  readonly dir: string;
  readonly closing: (() => Promise<unknown>)[];
  readonly poolUrl: string;
  readonly runs: Map<number, number>;
}

async function startMembers({ cluster, dir, closing, poolUrl, runs }: MemberParts, { taskMs }: UpgradeOptions) {
  const operator: RunningOperator = { url: poolUrl, metricsUrl: "", stop: async () => undefined };
  for (const name of validators) {
    const memory: Memory = new Map();
    const validator = runValidator(cluster, operator, name, { memory });
    closing.push(() => validator.stop());
  }
  const onRun = (number: number) => runs.set(number, (runs.get(number) ?? 0) + 1);
  const shared = { dir, poolUrl, poolCa: cluster.poolCa, slots, taskMs, onRun };
  for (const name of workers) {
    const { privateKey } = cluster.member(name);
    closing.push(await startCountedWorker({ ...shared, name, privateKey }));
  }
}

async function createTasks({ tasks }: Cluster, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => index + 1);
  const create = async () => {
    for (let number = names.shift(); number !== undefined; number = names.shift()) {
      const x = { dtype: "int32" as const, shape: [2], data: [number, 1] };
      await tasks.create(aTask(`task-${number}`, { input: { inline: { x } } }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, create));
}

const isSettled = ({ status }: TaskObject) => status?.phase === "Succeeded" && status.settlement !== undefined;

/** @returns how many are not settled. @throws where they are not after the time */
async function untilSettled({ tasks }: Cluster, wanted: number, { tasks: all, timeoutMs }: UpgradeOptions) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { items } = await tasks.list({ namespace: "default" });
    const settled = items.filter(isSettled).length;
    if (settled >= wanted) return all - settled;
    if (Date.now() > deadline) {
      const phases = items.map(({ status }) => status?.phase ?? "Pending");
      throw new Error(`${settled} of ${wanted} tasks are settled in time; phases: ${[...new Set(phases)].join()}`);
    }
    await sleep(200);
  }
}

/** From the tasks, the executions and the chain's own batches. */
async function check(cluster: Cluster, runs: ReadonlyMap<number, number>, { tasks: count, kills }: UpgradeOptions) {
  const problems: string[] = [];
  const { items } = await cluster.tasks.list({ namespace: "default" });
  const { provider, addresses } = cluster.chain;
  const headers = await readHeaders({ client: cluster.chain, provider, addresses }, problems);
  const leaves = headers.reduce((sum, { taskCount }) => sum + taskCount, 0);
  const places = new Set(
    items.filter(isSettled).map(({ status }) => `${status?.settlement?.batch}/${status?.settlement?.index}`),
  );
  const lost = count - places.size;
  const paidTwice = Math.max(0, leaves - count);
  const ranTwice = [...runs.values()].filter((times) => times > 1).length;
  const undelivered = items.filter(({ status }) => status?.attempts?.some(({ reason }) => reason === "NotDelivered"));
  // An answer that is on its way when an operator is killed never arrives: nobody ran that attempt, and another is made. One
  // that stops in order loses none.
  const retried = items.filter(({ status }) =>
    status?.attempts?.some(({ reason }) => reason !== "NotDelivered" || kills === 0),
  );
  if (lost > 0) problems.push(`${lost} tasks have no place of their own in a batch`);
  if (paidTwice > 0) problems.push(`the chain settled ${leaves} leaves for ${count} tasks`);
  if (ranTwice > 0) problems.push(`${ranTwice} tasks were run more than once`);
  if (runs.size !== count) problems.push(`${runs.size} of ${count} tasks were run`);
  for (const { metadata, status } of retried.slice(0, 5))
    problems.push(`${metadata.name} took attempt ${status?.assignment?.attempt}: ${JSON.stringify(status?.attempts)}`);
  const table = [`run twice ${ranTwice}; handed out again after a kill, before anybody had it: ${undelivered.length}`];
  return { lost, paidTwice, ranTwice, problems, table };
}

function portOf(url: string | undefined): number | undefined {
  return url === undefined ? undefined : Number(new URL(url).port);
}
