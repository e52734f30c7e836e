/**
 * `npm run test:sim -- many-workers [--workers N] [--tasks N]`: as many workers as that on the pool API of one operator, each
 * with a key, a session and TLS connections of its own, at the limits that a pool has by default. They come all at once, then
 * each asks for work three times at once, which is more than may wait, and then there is work. What the operator's process
 * holds is measured at each of these; what it turns away must say why and when to come again, and stand in its metrics.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { InferiumError } from "../../../src/base/errors.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { type TaskObject, tasks as taskType } from "../../../src/operator/kinds.ts";
import { createPoolClient } from "../../../src/pool/client.ts";
import { defaultServerLimits } from "../../../src/pool/limits.ts";
import { stageOf } from "../../../src/protocol/task-stage.ts";
import { type Bench, closeChild, withOperator } from "../../bench/bench-cluster.ts";
import { createAll } from "../../bench/count-ended.ts";
import { aTask } from "../../integration/operator/operator-fixture.ts";
import { runValidator } from "../../integration/operator/scripted-members.ts";
import type { ScenarioOptions, ScenarioReport } from "../scenario.ts";
import type { ManyWorkers, Told } from "./workers-process.ts";

const validators = ["v1", "v2", "v3"];
const phaseMs = 300_000;
/** What one connected worker may cost the operator, its waiting claims included, and what the operator may take in all. */
const bounds = { perWorkerKiB: 512, inAllMiB: 1_024 } as const;

interface Run extends Bench {
  readonly child: ChildProcess;
  readonly workers: number;
  readonly tasks: number;
  readonly problems: string[];
  readonly table: string[];
  readonly say: (line: string) => void;
}

export async function simulateManyWorkers(options: ScenarioOptions): Promise<ScenarioReport> {
  const { seed, numbers, onProgress } = options;
  const { workers = 1_000, tasks = 1_000 } = numbers;
  const began = performance.now();
  const problems: string[] = [];
  const table: string[] = [];
  const say = (line: string) => onProgress?.(line);
  say(`${workers} workers are bonded and registered`);
  const ended = await withOperator({ workers, slots: 1, validators }, async (bench) => {
    const script = new URL("workers-process.ts", import.meta.url);
    const child = fork(script, { serialization: "advanced" });
    const signing = validators.map((name) => runValidator(bench.cluster, { ...bench.operator, metricsUrl: "" }, name));
    try {
      return await play({ ...bench, child, workers, tasks, problems, table, say });
    } finally {
      await closeChild(child);
      await Promise.all(signing.map((validator) => validator.stop()));
    }
  });
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  return { seed, seconds, faults: ended.refusals, problems, tasks, lost: tasks - ended.done, table };
}

async function play(run: Run): Promise<{ done: number; refusals: Readonly<Record<string, number>> }> {
  const { cluster, operator, child, workers, problems } = run;
  const idleMiB = await measure(run, "none connected");
  const members = cluster.members.filter(({ role }) => role === "Worker").map(({ signer: _, ...member }) => member);
  child.send({ url: operator.url, poolCa: cluster.poolCa, domain: cluster.domain, members } satisfies ManyWorkers);
  await until(run, "all are connected and wait for work", async () => (await waiting(run)) >= workers);
  const connectedMiB = await measure(run, "connected, one claim each");
  await refuseTheFifthClaim(run);

  child.send("press");
  const most = Math.min(3 * workers, defaultServerLimits.maxWaitingClaims);
  await until(run, `${most} claims wait, the most that may`, async () => (await waiting(run)) >= most);
  const pressedMiB = await measure(run, "three claims each wanted");
  if ((await waiting(run)) > defaultServerLimits.maxWaitingClaims)
    problems.push(`bound: ${await waiting(run)} claims wait, at most ${defaultServerLimits.maxWaitingClaims} may`);

  const objects = Array.from({ length: run.tasks }, (_, index) => toTask(`many-${index}`));
  await createAll(cluster.transport, taskType, objects);
  const list = async () => (await cluster.tasks.list()).items;
  const isDone = ({ status }: TaskObject) => status !== undefined && stageOf(status) === "Done";
  await until(run, "every task is settled", async () => (await list()).filter(isDone).length >= run.tasks);
  const workedMiB = await measure(run, "after the work");
  const ends = await list();
  for (const { metadata, status } of ends.filter(({ status }) => status?.phase !== "Succeeded"))
    problems.push(`lost: ${metadata.name} is ${status?.phase ?? "untouched"}`);

  const perWorkerKiB = Math.round((Math.max(connectedMiB, pressedMiB) - idleMiB) * (1_024 / workers));
  run.table.push(`a connected worker costs the operator ${perWorkerKiB} KiB; at most ${bounds.perWorkerKiB}`);
  // Of few workers the noise of the heap is more than the workers.
  if (workers >= 500 && perWorkerKiB > bounds.perWorkerKiB)
    problems.push(`memory: ${perWorkerKiB} KiB for a worker, expected at most ${bounds.perWorkerKiB}`);
  const mostMiB = Math.max(idleMiB, connectedMiB, pressedMiB, workedMiB);
  if (mostMiB > bounds.inAllMiB) problems.push(`memory: ${mostMiB} MiB in all, expected at most ${bounds.inAllMiB}`);
  const told = await checkRefusals(run);
  return { done: ends.filter(({ status }) => status?.phase === "Succeeded").length, refusals: told.refusals };
}

const waiting = async ({ operator }: Run) => (await operator.metric("inferium_pool_waiting_claims")).get("") ?? 0;

async function measure({ operator, table, say }: Run, when: string): Promise<number> {
  const read = async (name: string) => (await operator.metric(name)).get("") ?? 0;
  const mib = Math.round((await operator.usage()).residentBytes / 2 ** 20);
  const connections = await read("inferium_pool_connections");
  const claims = await read("inferium_pool_waiting_claims");
  const line = `${when.padEnd(28)}${connections} connections, ${claims} claims wait, operator ${mib} MiB`;
  say(line);
  table.push(line);
  return mib;
}

/** One worker more than its share asks: it is told so, and when to come again. */
async function refuseTheFifthClaim({ cluster, operator, problems }: Run): Promise<void> {
  const { signer, role } = cluster.member("w0");
  const client = createPoolClient({
    ...{ url: operator.url, caPem: cluster.poolCa, signer, role, logger: silentLogger, maxAttempts: 1 },
  });
  const count = defaultServerLimits.maxWaitingClaimsPerAccount + 1;
  const claim = () => client.claim({ slots: 1, models: [], waitMs: 2_000 });
  const ends = await Promise.allSettled(Array.from({ length: count }, claim));
  await client.close();
  const refused = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
  const isClear = (error: unknown) =>
    error instanceof InferiumError && error.code === "TooManyClaims" && Number(error.evidence.retryAfterMs) > 0;
  if (refused.length === 0 || !refused.every(isClear))
    problems.push(
      `refusal: a worker that asked too often was answered ${refused.map(String).join("; ") || "as others"}`,
    );
}

/** What workers were told stands in the operator's metrics too, and all of it with when to come again. */
async function checkRefusals({ child, operator, workers, problems, table }: Run): Promise<Told> {
  child.send("tell");
  const [told] = (await once(child, "message")) as [Told];
  const codes = await operator.metric("inferium_pool_requests_total", "code");
  for (const status of ["429", "503"]) {
    const seen = Object.entries(told.refusals).reduce((sum, [name, n]) => sum + (name.startsWith(status) ? n : 0), 0);
    const counted = codes.get(status) ?? 0;
    table.push(`${status} with Retry-After: ${counted} by the operator's metrics, ${seen} seen by these workers`);
    if (counted < seen) problems.push(`metrics: ${counted} refusals with ${status}, but workers saw ${seen}`);
  }
  if (told.withoutRetryAfter > 0) problems.push(`refusal: ${told.withoutRetryAfter} did not say when to come again`);
  // On a busy machine a handshake of a thousand at once may take longer than a client waits for one; it comes again.
  const unclear = Object.keys(told.refusals).filter((name) => !/^((429|503) |PoolUnreachable$)/.test(name));
  if (unclear.length > 0) problems.push(`refusal: workers were also answered ${unclear.join(", ")}`);
  if (told.open !== workers) problems.push(`session: ${told.open} of ${workers} workers have one`);
  const wanted = 3 * workers > defaultServerLimits.maxWaitingClaims;
  if (wanted && told.refusals["503 PoolBusy"] === undefined)
    problems.push(`shedding: ${3 * workers} claims were wanted and none was answered PoolBusy`);
  return told;
}

async function until({ problems, say }: Run, what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + phaseMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) return void problems.push(`time: not within ${phaseMs / 1_000} s: ${what}`);
    await sleep(250);
  }
  say(what);
}

/** Nobody pays for it and nobody judges it: it is the pool API that is looked at. */
function toTask(name: string): TaskObject {
  const { reward: _, requester: __, orderRef: ___, ...spec } = aTask(name).spec;
  const verification = { policy: "None" as const, validators: 3, quorum: 2 };
  return { ...aTask(name), spec: { ...spec, timeoutSeconds: 60, retries: 5, verification } };
}
