/**
 * The whole pool under everything that goes wrong at once: real operator, workers and validators of this process, over a
 * real (embedded) API server and a real local chain, with deaths, partitions, failing answers, reorganisations, liars below
 * the quorum and tasks that cannot succeed. One seed decides one run (`plan.ts`); `assert-general.ts` says what must hold.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { sha256 } from "../../../src/base/digest.ts";
import { createLogger } from "../../../src/base/log.ts";
import { probeModel } from "../../../src/inference/probe-model.ts";
import type { OperatorConfig } from "../../../src/operator/config.ts";
import { createRandom } from "../../chaos/random.ts";
import {
  type Cluster,
  type PreparedChain,
  prepareChain,
  startCluster,
} from "../../integration/operator/operator-fixture.ts";
import type { FaultCounts } from "../scenario.ts";
import { assertGeneral, type Evidence, type RunOutcome } from "./assert-general.ts";
import { buildTask, expectations, isWaitedFor, type ModelFile } from "./build-task.ts";
import { createMember, type SimMember } from "./members.ts";
import { createOperatorHost, type OperatorHost } from "./operator-host.ts";
import { counts, type Plan, planRun } from "./plan.ts";
import { type RestartingServer, startRestartingServer } from "./restarting-server.ts";
import { measureSlowness } from "./slowness.ts";
import { applyStrikes } from "./strikes.ts";
import { insist } from "./user.ts";

export interface RunReport extends RunOutcome {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: FaultCounts;
}

export interface World {
  readonly cluster: Cluster;
  readonly restarting: RestartingServer;
  readonly chain: PreparedChain;
  readonly plan: Plan;
  /** Deadlines are so many times as long as on a machine of its own. */
  readonly slowness: number;
  readonly host: OperatorHost;
  readonly members: readonly SimMember[];
  readonly faults: FaultCounts;
  readonly model: ModelFile;
  readonly problems: string[];
}

/** Longer than a watch may be silent (90 s) before it is taken for broken: a stalled stream is one of the faults. */
const afterFaultsMs = 120_000;

export function prepareGeneralChain(): Promise<PreparedChain> {
  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  return prepareChain({ workers: names("w", counts.workers), validators: names("v", counts.validators) });
}

/** What an incident puts in place of chance, and what it looks at beyond what any run must hold. */
export interface Staged {
  readonly plan: Plan;
  check(evidence: Evidence, seconds: number): Promise<readonly string[]>;
}

/** @param chain reset to its beginning by the caller */
export async function simulateRun(
  seed: number,
  taskCount: number,
  chain: PreparedChain,
  staged?: Staged,
): Promise<RunReport> {
  const startedMs = performance.now();
  const dir = await mkdtemp(join(tmpdir(), "inferium-general-"));
  const names = (role: string) => chain.members.filter((member) => member.role === role).map(({ name }) => name);
  const restarting = await startRestartingServer(join(dir, "api-server"));
  const startServer = async () => restarting.server;
  const cluster = await startCluster(
    { workers: names("Worker"), validators: names("Validator"), slots: 2, startServer },
    chain,
  );
  const logs: string[] = [];
  const faults: FaultCounts = {};
  const problems: string[] = [];
  try {
    const plan = staged?.plan ?? planRun(seed, taskCount);
    const world = await buildWorld({ seed, plan, dir, cluster, restarting, chain, logs, faults, problems });
    try {
      await cluster.order("order");
      await world.host.start();
      for (const member of present(world)) member.start();
      await Promise.all([applyTasks(world), applyStrikes(world)]);
      world.host.calm();
      await untilEnded(world, performance.now() + afterFaultsMs * world.slowness);
    } finally {
      await world.host.close();
      await Promise.all(world.members.map((member) => member.close()));
    }
    const outcome = await assertGeneral({ ...world, logs });
    const secondsUntilEnd = Math.round((performance.now() - startedMs) / 100) / 10;
    const all = [
      ...problems,
      ...outcome.problems,
      ...((await staged?.check({ ...world, logs }, secondsUntilEnd)) ?? []),
    ];
    if (all.length > 0) all.push(`what everybody logged is in ${await keepLogs(seed, logs)}`);
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    return { ...outcome, problems: all, seed, seconds, faults };
  } finally {
    await cluster.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function keepLogs(seed: number, logs: readonly string[]): Promise<string> {
  const path = join(tmpdir(), `inferium-general-${seed}-${process.pid}.log`);
  await writeFile(path, logs.join(""));
  return path;
}

interface Beginning {
  readonly seed: number;
  readonly plan: Plan;
  readonly dir: string;
  readonly cluster: Cluster;
  readonly restarting: RestartingServer;
  readonly chain: PreparedChain;
  readonly logs: string[];
  readonly faults: FaultCounts;
  readonly problems: string[];
}

/** Deadlines of seconds, so that what is lost to a fault is found soon. */
const settingsAt = (slowness: number): Partial<OperatorConfig> => ({
  validation: {
    ...{ windowMs: 50, deadlineMs: 6_000 * slowness, stragglerMs: 500 * slowness, keepMs: 3_600_000 },
    ...{ provingMs: 4_000, endorsingMs: 4_000 },
  },
  mergeMs: 300,
  silenceMs: 3_000 * slowness,
  // A disk without room, from the first line on.
  trace: { path: "/dev/full", maxBytes: 2 ** 20 },
});

async function buildWorld(parts: Beginning): Promise<World> {
  const slowness = measureSlowness();
  const { seed, plan, dir, cluster, restarting, chain, logs, faults, problems } = parts;
  const random = createRandom(seed);
  const bytes = Buffer.from(probeModel, "base64");
  await writeFile(join(dir, "double.onnx"), bytes);
  const model = { uri: pathToFileURL(join(dir, "double.onnx")).href, digest: sha256(bytes) };
  const log = (who: string) => createLogger({ level: "debug", fields: { who }, write: (line) => void logs.push(line) });
  const onProblem = (problem: string) => void problems.push(problem);
  const members: SimMember[] = [];
  const places = { Worker: 0, Validator: 0 };
  for (const member of cluster.members) {
    const place = places[member.role]++;
    const isLiar = member.role === "Worker" && place === plan.liar;
    const manner = member.role === "Validator" && place === 0 ? plan.manner : "honest";
    const skewMs = plan.skewsMs[member.name] ?? 0;
    const shared = { dir, member, skewMs, poolCa: cluster.poolCa, logger: log(member.name), onProblem };
    members.push(await createMember({ ...shared, random: random.fork(member.name), isLiar, manner }));
  }
  const shared = { cluster, dir, members, faults, settings: settingsAt(slowness), onProblem };
  const host = await createOperatorHost({ ...shared, random: random.fork("operator"), logger: log("operator") });
  return { cluster, restarting, chain, plan, slowness, host, members, faults, model, problems };
}

/** All but the validator that is never there. */
export function present({ members, plan, cluster }: World): SimMember[] {
  const validators = cluster.members.filter(({ role }) => role === "Validator").map(({ name }) => name);
  const absent = plan.manner === "nobody" ? validators : plan.manner === "absent" ? validators.slice(0, 1) : [];
  return members.filter(({ name }) => !absent.includes(name));
}

async function applyTasks({ cluster, plan, model, slowness }: World): Promise<void> {
  const began = performance.now();
  const at = (ms: number) => sleep(Math.max(0, began + ms - performance.now()));
  await Promise.all(
    plan.tasks.map(async (planned) => {
      await at(planned.createAfterMs);
      const task = buildTask(planned, model, slowness);
      await insist(() => cluster.tasks.create(task));
      if (planned.kind === "deleted") {
        await sleep(planned.x);
        await insist(() => cluster.tasks.delete({ namespace: "default", name: planned.name }));
      }
      if (planned.kind !== "suspended") return;
      await sleep(planned.x);
      const resume = { kind: "merge", body: { spec: { suspend: false } } } as const;
      await insist(() => cluster.tasks.patch({ namespace: "default", name: planned.name }, resume));
    }),
  );
}

/** All tasks are at their end and what succeeded is settled; or the time is over, which the assertions will tell. */
async function untilEnded({ cluster, plan }: World, deadlineMs: number): Promise<void> {
  const isDone = async () => {
    const { items } = await cluster.tasks.list();
    if (items.some(({ metadata }) => metadata.deletionTimestamp !== undefined)) return false;
    const statuses = new Map(items.map(({ metadata, status }) => [metadata.name, status]));
    return plan.tasks.every(({ name, kind }) => {
      if (kind === "deleted" && !statuses.has(name)) return true;
      const status = statuses.get(name);
      if (status?.phase === "Succeeded") return status.settlement?.block !== undefined;
      if (isWaitedFor(expectations[kind])) return expectations[kind].phases.some((phase) => phase === status?.phase);
      return status?.phase === "Failed" || status?.phase === "Rejected";
    });
  };
  while (!(await isDone()) && performance.now() < deadlineMs) await sleep(100);
}
