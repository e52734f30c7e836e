/**
 * One soak: an operator, members and an informer in processes of their own, tasks and writes at a steady rate, and every few
 * seconds the connections of one of them are cut, or refused for a moment. Samples what each process holds, and accounts for
 * each event and each task. Called by `run.ts` and, for a few seconds, by a test.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { sha256 } from "../../src/base/digest.ts";
import { oneToken } from "../../src/chain/deploy-parameters.ts";
import { probeModel } from "../../src/inference/probe-model.ts";
import { createRandom, type SeededRandom } from "../chaos/random.ts";
import { type Cluster, kubeconfigOf, startCluster } from "../integration/operator/operator-fixture.ts";
import { type Gate, startGate } from "../sim/gate.ts";
import { countFault, type FaultCounts } from "../sim/scenario.ts";
import { EventAccount } from "./event-account.ts";
import type { FollowedEvent, FollowerStart } from "./follower-process.ts";
import { countEnds, createTasks, namespace, pause, SteadyWriter, type TaskCounts } from "./load.ts";
import type { MembersStart } from "./members-process.ts";
import { type MeasuredProcess, type ProcessSample, startMeasured } from "./sample.ts";

export interface SoakOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly sampleEveryMs: number;
  /** Cuts come this far apart on average. */
  readonly cutEveryMs: number;
  readonly onProgress?: (line: string) => void;
}

export const processNames = ["operator", "members", "follower"] as const;
export type ProcessName = (typeof processNames)[number];

export interface SoakSample {
  readonly seconds: number;
  readonly processes: Readonly<Record<ProcessName, ProcessSample>>;
  readonly openTasks: number;
  readonly missed: number;
  /** The slowest event since the sample before, which may have waited for a cut to be over. */
  readonly slowestEventMs: number;
}

export interface SoakRun {
  readonly samples: readonly SoakSample[];
  readonly cuts: FaultCounts;
  readonly cutSeconds: readonly number[];
  readonly tasks: TaskCounts & { readonly open: number };
  readonly events: {
    readonly writes: number;
    readonly seen: number;
    readonly missed: number;
    readonly repeated: number;
  };
  readonly problems: readonly string[];
}

const workers = ["w1", "w2"];
const validators = ["v1", "v2", "v3"];
/** A cut lasts 2 s at most; what is later than this never comes. */
const missedAfterMs = 30_000;
const settleMs = 120_000;

export async function runSoak(options: SoakOptions): Promise<SoakRun> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-soak-"));
  const closing: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  try {
    const world = await startWorld(dir, options, closing);
    return await follow(world, options);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

const gateNames = ["api", "rpc", "pool", "follower"] as const;

interface World {
  readonly cluster: Cluster;
  readonly gates: Readonly<Record<(typeof gateNames)[number], Gate>>;
  readonly processes: Readonly<Record<ProcessName, MeasuredProcess>>;
  readonly account: EventAccount;
  readonly writer: SteadyWriter;
  readonly model: { readonly uri: string; readonly digest: string };
  readonly random: SeededRandom;
  readonly problems: string[];
}

async function startWorld(dir: string, { seed }: SoakOptions, closing: (() => Promise<unknown>)[]): Promise<World> {
  const random = createRandom(seed);
  const problems: string[] = [];
  const cluster = await startCluster({ workers, validators });
  closing.push(() => cluster.close());
  await cluster.order("order", { maxTotalWei: 9_000n * oneToken });
  const [api, rpc, pool, follower] = [await startGate(), await startGate(), await startGate(), await startGate()];
  const gates = { api, rpc, pool, follower };
  for (const gate of Object.values(gates)) closing.push(() => gate.close());
  for (const gate of [api, follower]) gate.setTarget(portOf(cluster.server.url));
  rpc.setTarget(portOf(cluster.config.chain.rpcUrl));
  const account = new EventAccount();
  const writer = new SteadyWriter(cluster, account, random.fork("writer"));
  await writer.prepare();
  const start = (name: ProcessName, first: object) => {
    const measured = startMeasured(new URL(`${name}-process.ts`, import.meta.url), first);
    measured.child.on("message", (said: { readonly problem?: string }) => {
      if (said.problem !== undefined) problems.push(said.problem);
    });
    closing.push(() => measured.stop());
    return measured;
  };
  const operator = start("operator", await buildOperatorConfig(dir, cluster, gates));
  await heard(operator, ({ poolUrl }) => {
    if (typeof poolUrl === "string") pool.setTarget(portOf(poolUrl));
    return typeof poolUrl === "string";
  });
  const bytes = Buffer.from(probeModel, "base64");
  await writeFile(join(dir, "double.onnx"), bytes);
  const model = { uri: pathToFileURL(join(dir, "double.onnx")).href, digest: sha256(bytes) };
  const plain = cluster.members.map(({ signer: _, ...member }) => member);
  const first: MembersStart = { dir, poolCa: cluster.poolCa, poolPort: pool.port, members: plain };
  const members = start("members", first);
  const { adminToken: token, caPem: ca } = cluster.server;
  const following: FollowerStart = { server: `https://127.0.0.1:${follower.port}`, token, ca, namespace };
  const followerProcess = start("follower", following);
  followerProcess.child.on("message", (said: { readonly followed?: FollowedEvent }) => {
    if (said.followed !== undefined) account.onEvent(said.followed, performance.now());
  });
  await heard(followerProcess, ({ synced }) => synced === true);
  const processes = { operator, members, follower: followerProcess };
  return { cluster, gates, processes, account, writer, model, random, problems };
}

async function buildOperatorConfig(dir: string, cluster: Cluster, { api, rpc }: World["gates"]) {
  const kubeconfigPath = join(dir, "operator.kubeconfig");
  await writeFile(kubeconfigPath, kubeconfigOf({ ...cluster.server, url: `https://127.0.0.1:${api.port}` }));
  const { chain, validation } = cluster.config;
  return {
    ...cluster.config,
    kubeconfigPath,
    chain: { ...chain, rpcUrl: `http://127.0.0.1:${rpc.port}` },
    validation: { ...validation, keepMs: 10_000 },
  };
}

const startTimeoutMs = 120_000;

/** Resolves with the first message that it takes. */
function heard({ child }: MeasuredProcess, take: (message: Record<string, unknown>) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no start within ${startTimeoutMs} ms`)), startTimeoutMs);
    const onEnd = () => reject(new Error("a process of the soak ended at its start"));
    child.once("exit", onEnd);
    child.on("message", (message: Record<string, unknown>) => {
      if (!take(message)) return;
      clearTimeout(timer);
      child.off("exit", onEnd);
      resolve();
    });
  });
}

async function follow(world: World, options: SoakOptions): Promise<SoakRun> {
  const { cluster, account, model, problems } = world;
  const began = performance.now();
  const counts: TaskCounts = { created: 0, succeeded: 0, failed: 0, failures: [] };
  const ended = new Set<string>();
  const cuts: FaultCounts = {};
  const cutSeconds: number[] = [];
  const samples: SoakSample[] = [];
  const stop = new AbortController();
  let open = 0;
  const look = async (until: () => boolean) => {
    while (!until()) {
      open = await countEnds(cluster, counts, ended);
      await pause(1_000, new AbortController().signal);
    }
  };
  const loads = [
    createTasks(cluster, model, counts, stop.signal),
    world.writer.run(stop.signal),
    look(() => stop.signal.aborted),
    makeCuts(world, { cuts, cutSeconds, began, everyMs: options.cutEveryMs, signal: stop.signal }),
  ];
  const failed = Promise.all(loads);
  failed.catch(() => undefined);
  while (performance.now() - began < options.durationMs) {
    await pause(options.sampleEveryMs, stop.signal);
    const sample = await takeSample(world, { began, open });
    samples.push(sample);
    options.onProgress?.(describe(sample));
  }
  stop.abort();
  await failed;
  const settledBy = performance.now() + settleMs;
  await look(() => (open === 0 && account.open === 0) || performance.now() > settledBy);
  account.settle(Number.POSITIVE_INFINITY, 0);
  if (open > 0) problems.push(`${open} tasks have no end ${settleMs / 1_000} s after the last cut`);
  if (account.missed > 0) problems.push(`${account.missed} events were missed: ${account.named.join(", ")}`);
  if (account.repeated > 0) problems.push(`${account.repeated} events came twice or backwards`);
  for (const failure of counts.failures) problems.push(`a task failed: ${failure}`);
  const { writes, events: seen, missed, repeated } = account;
  return {
    samples,
    cuts,
    cutSeconds,
    tasks: { ...counts, open },
    events: { writes, seen, missed, repeated },
    problems,
  };
}

async function takeSample(world: World, { began, open }: { began: number; open: number }): Promise<SoakSample> {
  const taken = await Promise.all(
    processNames.map(async (name) => [name, await world.processes[name].sample()] as const),
  );
  const slowestEventMs = Math.round(world.account.settle(performance.now(), missedAfterMs));
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const processes = Object.fromEntries(taken) as SoakSample["processes"];
  return { seconds, processes, openTasks: open, missed: world.account.missed, slowestEventMs };
}

interface Cutting {
  readonly cuts: FaultCounts;
  readonly cutSeconds: number[];
  readonly began: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** Resets the connections of one gate; every third time it takes none for a moment. */
async function makeCuts(
  { gates, random }: World,
  { cuts, cutSeconds, began, everyMs, signal }: Cutting,
): Promise<void> {
  const luck = random.fork("cuts");
  while (!signal.aborted) {
    await pause(luck.between(everyMs / 2, everyMs * 1.5), signal);
    if (signal.aborted) return;
    const name = luck.pick(gateNames);
    const isLong = luck.next() < 1 / 3;
    countFault(cuts, isLong ? `${name} shut` : `${name} cut`);
    cutSeconds.push(Math.round((performance.now() - began) / 100) / 10);
    if (!isLong) gates[name].cut();
    else {
      gates[name].setOpen(false);
      await pause(luck.between(200, 2_000), signal);
      gates[name].setOpen(true);
    }
  }
}

function describe({ seconds, processes, openTasks, missed }: SoakSample): string {
  const all = Object.entries(processes).map(
    ([name, { rssMiB, heapMiB, descriptors }]) => `${name} ${rssMiB}/${heapMiB} MiB ${descriptors} fds`,
  );
  return `${seconds} s: ${all.join(", ")}; ${openTasks} tasks open, ${missed} missed`;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
