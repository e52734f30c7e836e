/**
 * One chaos run: a writer at the server, and informers, a controller and two lease contenders behind failing proxies.
 * Then calm, and the accounts: no event missed, no event made up, all copies equal to the server, one leader at most, no
 * socket or timer left. Called by `npm run test:kube` and by the integration tests.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { createClient, type KubeClient } from "../../src/kube/client.ts";
import type { KubeConnection } from "../../src/kube/connection.ts";
import { type ConfigMap, configMaps, namespaces } from "../../src/kube/core-resources.ts";
import { dropManagedFields } from "../../src/kube/informer.ts";
import { createTransport } from "../../src/kube/transport.ts";
import { type Election, startElection } from "./election.ts";
import type { FaultProxy } from "./fault-proxy.ts";
import { type Follower, startFollower } from "./followers.ts";
import { type Mirror, startMirror } from "./mirror.ts";
import { createRandom, type SeededRandom } from "./random.ts";
import { ChaosWriter, colour } from "./writer.ts";

export interface ChaosOptions {
  readonly connection: KubeConnection;
  readonly seed: number;
  readonly durationMs: number;
  readonly onProgress?: (line: string) => void;
}

export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly writes: number;
  readonly events: number;
  readonly missed: number;
  readonly coalesced: number;
  readonly lists: number;
  readonly restarts: number;
  readonly reconciles: number;
  readonly terms: number;
  readonly requests: number;
  readonly faults: Readonly<Record<string, number>>;
  /** The most sockets that one proxy had open at once. */
  readonly maxSockets: number;
  readonly heapMiB: readonly [start: number, end: number];
  /** How late this process got its turn at most: on a starved machine time-outs fire that mean nothing. */
  readonly maxLagMs: number;
  /** Empty: the run passed. */
  readonly problems: readonly string[];
}

const rates = { answers: 0.35, streams: 0.8 } as const;
/** A second does on a machine of its own. */
const settleMs = 120_000;
/** One watch, one list or reconcile per worker, and a few that are being closed. */
const socketBound = 12;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const before = countHandles();
  const run = await startParts(options);
  const problems: string[] = [];
  const heapStart = heapMiB();
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  const stop = new AbortController();
  const startedAt = performance.now();
  const running = run.parts.map((part) => part.run(stop.signal));
  const maxSockets = await watchSockets(run, options, problems);
  await run.stopWriting();
  for (const proxy of run.proxies) proxy.calm();
  problems.push(...(await settle(run)));
  const seconds = (performance.now() - startedAt) / 1000;
  const heapEnd = heapMiB();
  lag.disable();
  const leads = run.election.leader !== undefined;
  if (!leads) problems.push("nobody leads, though nothing fails any more");
  stop.abort();
  await Promise.all(running);
  await run.close();
  const verdicts = run.followers.map((follower) => judge(follower, run, problems));
  if (run.election.overlaps > 0) problems.push(`two led at once, ${run.election.overlaps} times`);
  problems.push(...(await findLeaks(before)));
  const sum = (pick: (verdict: (typeof verdicts)[number]) => number) => verdicts.reduce((n, v) => n + pick(v), 0);
  return {
    seed: options.seed,
    seconds: Math.round(seconds),
    writes: run.writer.history.length,
    events: sum((verdict) => verdict.events),
    missed: sum((verdict) => verdict.missed.length),
    coalesced: sum((verdict) => verdict.coalesced),
    lists: sum((verdict) => verdict.lists),
    restarts: run.followers.reduce((n, follower) => n + follower.restarts, 0),
    reconciles: run.mirror.reconciles,
    terms: run.election.terms,
    requests: run.proxies.reduce((n, proxy) => n + proxy.requests, 0),
    faults: sumFaults(run.proxies),
    maxSockets,
    heapMiB: [heapStart, heapEnd],
    maxLagMs: Math.round(lag.max / 1e6),
    problems,
  };
}

interface Run {
  readonly writer: ChaosWriter;
  readonly followers: readonly Follower[];
  readonly mirror: Mirror;
  readonly election: Election;
  readonly proxies: readonly FaultProxy[];
  readonly parts: readonly { run(signal: AbortSignal): Promise<void> }[];
  readonly client: KubeClient<ConfigMap>;
  readonly from: string;
  readonly to: string;
  stopWriting(): Promise<void>;
  close(): Promise<void>;
}

async function startParts({ connection, seed }: ChaosOptions): Promise<Run> {
  const random = createRandom(seed);
  const transport = createTransport(connection, { fieldManager: "chaos" });
  const from = `chaos-${seed}`;
  const to = `chaos-${seed}-mirror`;
  for (const name of [from, to]) await createClient(transport, namespaces).apply({ metadata: { name } });
  const client = createClient(transport, configMaps);
  const writer = new ChaosWriter(client, from, random.fork("writer"));
  const followers = await startFollowers(connection, from, random);
  const mirror = await startMirror(connection, {
    from,
    to,
    random: random.fork("mirror"),
    rates: { ...rates, gone: true },
  });
  const election = await startElection(connection, {
    namespace: from,
    random: random.fork("election"),
    rates: { answers: 0.5, streams: 0, gone: false },
  });
  const writing = new AbortController();
  const written = writer.run(writing.signal);
  written.catch(() => undefined);
  const stopWriting = () => {
    writing.abort();
    return written;
  };
  const close = async () => {
    for (const part of [...followers, mirror, election]) await part.close();
    await transport.close();
  };
  const proxies = [...followers.map((follower) => follower.proxy), mirror.proxy, ...election.proxies];
  const parts = [...followers, mirror, election];
  return { writer, followers, mirror, election, proxies, parts, client, from, to, stopWriting, close };
}

function startFollowers(connection: KubeConnection, namespace: string, random: SeededRandom): Promise<Follower[]> {
  const common = { namespace, restarts: false, watchList: true, pageSize: 500 };
  const gone = { ...rates, gone: true };
  const never = { ...rates, gone: false };
  return Promise.all(
    [
      { ...common, name: "every event, by WatchList", rates: never },
      { ...common, name: "every event, by list and watch", rates: never, watchList: false },
      { ...common, name: "versions gone, by WatchList", rates: gone },
      { ...common, name: "versions gone, in pages", rates: gone, watchList: false, pageSize: 5 },
      { ...common, name: "a selection", rates: gone, colour: "red" },
      { ...common, name: "restarted", rates: gone, restarts: true },
    ].map((options) => startFollower(connection, { ...options, random: random.fork(options.name) })),
  );
}

/** Until the time is over; gives the most sockets seen at one proxy. */
async function watchSockets(run: Run, options: ChaosOptions, problems: string[]): Promise<number> {
  const until = performance.now() + options.durationMs;
  let most = 0;
  let reportAt = performance.now() + 30_000;
  while (performance.now() < until) {
    await sleep(250);
    for (const proxy of run.proxies) most = Math.max(most, proxy.openSockets);
    if (performance.now() < reportAt) continue;
    reportAt += 30_000;
    const requests = run.proxies.reduce((sum, proxy) => sum + proxy.requests, 0);
    options.onProgress?.(`${run.writer.history.length} writes, ${requests} requests, ${heapMiB()} MiB of heap`);
  }
  if (most > socketBound) problems.push(`a client had ${most} sockets open at once; at most ${socketBound} are in use`);
  return most;
}

/** Waits until all copies equal the server, and says which do not. */
async function settle(run: Run): Promise<string[]> {
  const { items } = await run.client.list({ namespace: run.from, labelSelector: colour });
  const truth = new Map(items.map((item) => [`${run.from}/${item.metadata.name}`, dropManagedFields(item)]));
  const until = performance.now() + settleMs;
  for (;;) {
    const mirrored = await run.client.list({ namespace: run.to });
    const problems = run.followers
      .filter((follower) => !isEqual(follower, truth))
      .map(({ name }) => `${name}: differs`);
    if (!isMirrored(mirrored.items, truth)) problems.push("the mirror differs from its source");
    if (run.election.leader === undefined) problems.push("nobody leads");
    if (problems.length === 0 || performance.now() > until) return problems;
    await sleep(50);
  }
}

function isEqual(follower: Follower, truth: ReadonlyMap<string, ConfigMap>): boolean {
  const wanted = follower.name === "a selection" ? ["red"] : ["red", "blue"];
  const { store } = follower.informer;
  const expected = new Map([...truth].filter(([, map]) => wanted.includes(map.metadata.labels?.[colour] ?? "")));
  const held = new Map([...store.keys()].map((key) => [key, store.get(key)]));
  const indexed = wanted.flatMap((value) => store.byIndex("colour", value)).length;
  return isDeepStrictEqual(held, expected) && indexed === expected.size;
}

function isMirrored(mirrored: readonly ConfigMap[], truth: ReadonlyMap<string, ConfigMap>): boolean {
  const data = (maps: Iterable<ConfigMap>) => new Map(Array.from(maps, (map) => [map.metadata.name, map.data]));
  return isDeepStrictEqual(data(mirrored.filter((map) => map.metadata.name !== rootCa)), data(truth.values()));
}

/** Put into every namespace by a control plane that has controllers. */
const rootCa = "kube-root-ca.crt";

function judge(follower: Follower, run: Run, problems: string[]) {
  const verdict = follower.check(run.writer.history);
  const tell = (what: string, found: readonly string[]) => {
    if (found.length > 0)
      problems.push(`${follower.name}: ${found.length} ${what}, first: ${found.slice(0, 3).join("; ")}`);
  };
  tell("missed", verdict.missed);
  tell("wrong", verdict.wrong);
  tell("problems", follower.problems);
  if (follower.name.startsWith("every event") && verdict.lists !== 1) problems.push(`${follower.name}: listed again`);
  const unasked = follower.proxy.watchesWithoutBookmarks;
  if (unasked > 0) problems.push(`${follower.name}: ${unasked} watches did not ask for bookmarks`);
  return verdict;
}

/** Sockets, timers and requests of this process, by kind. */
function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

async function findLeaks(before: ReadonlyMap<string, number>): Promise<string[]> {
  const until = performance.now() + 10_000;
  for (;;) {
    const left = [...countHandles()].filter(([kind, count]) => leakable.has(kind) && count > (before.get(kind) ?? 0));
    if (left.length === 0) return [];
    if (performance.now() > until) return left.map(([kind, n]) => `${n} ${kind} left, ${before.get(kind) ?? 0} before`);
    await sleep(100);
  }
}

const leakable = new Set(["TCPSocketWrap", "TLSWrap", "TCPServerWrap", "Timeout", "TCPConnectWrap"]);

function sumFaults(proxies: readonly FaultProxy[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { faults } of proxies) for (const [name, n] of faults) sums[name] = (sums[name] ?? 0) + n;
  return Object.fromEntries(Object.entries(sums).sort(([a], [b]) => a.localeCompare(b)));
}

function heapMiB(): number {
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}
