/**
 * What our transport costs over a bare `undici.Pool`, and what it saves over `@kubernetes/client-node`: the same GET of a
 * 4 kB pod, parsed, 32 at a time, of one server in a process of its own. Requests per second, by turns, medians. Beside
 * it: an informer's first list of 5,000 pods, with the memory it keeps, and the work queue.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { Registry } from "prom-client";
import { Pool } from "undici";
import { createClient } from "../../src/kube/client.ts";
import { createStaticConnection } from "../../src/kube/connection.ts";
import { pods } from "../../src/kube/core-resources.ts";
import { createInformer, type Informer } from "../../src/kube/informer.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { createQueue } from "../../src/kube/queue.ts";
import { createTransport, type Transport } from "../../src/kube/transport.ts";
import { median, ratioOf, roundTo3, type Side, takeTurns } from "./take-turns.ts";

const target = 0.8;
const concurrency = 32;
const rounds = 40;
const clientNodeRounds = 6;
const requestsPerRound = 320;
/** Opens a connection for each of them. */
const clientNodeRequests = 64;
const podPath = "/api/v1/namespaces/default/pods/pod-0";

interface Endpoint {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
}

export async function benchClient() {
  const server = await startPodServer();
  const { url, ca, token } = server.endpoint;
  const connection = createStaticConnection({ server: url, ca, token });
  const transport = createTransport(connection, { metrics: createKubeMetrics(new Registry()) });
  const pool = new Pool(url, { connect: { ca, allowH2: false }, connections: 128 });
  try {
    const ours = ourSide(transport);
    const bare = bareSide(pool, token);
    const cpu = { ours: new CpuMeter(), bare: new CpuMeter() };
    const timed = await takeTurns(
      { ours: cpu.ours.meter(ours), bare: cpu.bare.meter(bare) },
      { rounds, warmUpRounds: 10 },
    );
    const clientNode = clientNodeSide(server.endpoint);
    const slow = await takeTurns({ ours, clientNode }, { rounds: clientNodeRounds, warmUpRounds: 1 });
    const ratio = roundTo3(ratioOf(timed.bare, timed.ours));
    const perRequest = requestsPerRound / clientNodeRequests;
    return {
      ratio,
      target,
      met: ratio >= target,
      requestsPerSecond: perSecond(timed.ours, requestsPerRound),
      barePerSecond: perSecond(timed.bare, requestsPerRound),
      clientNodePerSecond: perSecond(slow.clientNode, clientNodeRequests),
      overClientNode: roundTo3(ratioOf(slow.clientNode, slow.ours) * perRequest),
      cpuMicroseconds: { ours: cpu.ours.perRequest(), bare: cpu.bare.perRequest() },
      concurrency,
      rounds,
      informer: await measureInformer(transport),
      queue: await measureQueue(),
    };
  } finally {
    await Promise.all([transport.close(), pool.destroy()]);
    server.stop();
  }
}

async function startPodServer(): Promise<{ readonly endpoint: Endpoint; stop(): void }> {
  const child = spawn(process.execPath, [new URL("pod-server.ts", import.meta.url).pathname], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), once(lines, "close")]);
  if (line === undefined) throw new Error("the pod server ended before it listened; its error is above");
  return { endpoint: JSON.parse(line) as Endpoint, stop: () => child.stdin.end() };
}

function ourSide(transport: Transport): Side {
  const client = createClient(transport, pods);
  return () => inParallel(requestsPerRound, () => client.get({ namespace: "default", name: "pod-0" }));
}

function bareSide(pool: Pool, token: string): Side {
  const headers = { accept: "application/json", authorization: `Bearer ${token}` };
  return () =>
    inParallel(requestsPerRound, async () => {
      const { body } = await pool.request({ method: "GET", path: podPath, headers });
      await body.json();
    });
}

function clientNodeSide({ url, ca, token }: Endpoint): Side {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "bench", server: url, caData: Buffer.from(ca).toString("base64"), skipTLSVerify: false },
    { name: "bench", token },
  );
  const api = config.makeApiClient(CoreV1Api);
  return () => inParallel(clientNodeRequests, () => api.readNamespacedPod({ namespace: "default", name: "pod-0" }));
}

async function inParallel(count: number, call: () => Promise<unknown>): Promise<void> {
  const each = count / concurrency;
  const work = async () => {
    for (let i = 0; i < each; i++) await call();
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

/** CPU time of this process in one side: on a busy machine it tells more than time on the clock. */
class CpuMeter {
  readonly #rounds: number[] = [];

  meter(side: Side): Side {
    return async () => {
      const before = process.cpuUsage();
      await side();
      const { user, system } = process.cpuUsage(before);
      this.#rounds.push(user + system);
    };
  }

  perRequest(): number {
    return Math.round(median(this.#rounds) / requestsPerRound);
  }
}

function perSecond(times: readonly number[], requests: number): number {
  return Math.round((requests * 1e6) / median(times));
}

/** The first list, decoded and stored: in full, and as records of two fields. */
async function measureInformer(transport: Transport) {
  const full = await fill(createInformer(transport, pods, { watchList: false }));
  const transform = ({ metadata }: { metadata: { name: string; uid?: string } }) => [metadata.name, metadata.uid];
  const compact = await fill(createInformer(transport, pods, { watchList: false, transform }));
  return { pods: full.objects, full, compact };
}

async function fill<R>(informer: Informer<R>) {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const started = performance.now();
  informer.start();
  await informer.synced(60_000);
  const milliseconds = Math.round(performance.now() - started);
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - before;
  const objects = informer.store.size;
  await informer.stop();
  return { objects, milliseconds, bytesPerObject: Math.round(bytes / objects) };
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Keys that go through a queue, four workers at a time, each of them once more after a change. */
async function measureQueue() {
  const keys = 100_000;
  const queue = createQueue({ name: "bench" });
  const stop = new AbortController();
  let done = 0;
  const started = performance.now();
  for (let i = 0; i < keys; i++) queue.add(`default/key-${i}`, { priority: i % 3 });
  const work = async () => {
    while (done < 2 * keys) {
      const key = await queue.take(stop.signal).catch(() => undefined);
      if (key === undefined) return;
      if (done++ < keys) queue.add(key);
      queue.done(key);
      if (done >= 2 * keys) stop.abort();
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  return { keys, keysPerSecond: Math.round((2 * keys) / ((performance.now() - started) / 1000)) };
}
