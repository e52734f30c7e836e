/**
 * What the embedded API server does per second over HTTPS, in memory and with a data directory: creations, updates, lists
 * of 10,000 objects, events to 100 watchers, and the memory that an object takes. The server runs in a process of its own;
 * on a machine with two cores, client and server have one each.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, Pool } from "undici";
import type { BenchServerAddress } from "./api-server-process.ts";

const objectCount = 10_000;
const updateCount = 3_000;
const writers = 32;
const listMs = 3_000;
const watcherCount = 100;
const fanOutUpdates = 200;
const valueBytes = 800;
const path = "/api/v1/namespaces/default/configmaps";

interface Measurement {
  readonly createsPerSecond: number;
  readonly updatesPerSecond: number;
  readonly listsPerSecond: number;
  readonly listMegabytesPerSecond: number;
  readonly metadataListsPerSecond: number;
  /** Over all watchers. */
  readonly watchEventsPerSecond: number;
  readonly bytesPerObject: number;
  /** Microseconds of the server's CPU for one of each: on a busy machine steadier than what gets done per second. */
  readonly cpuMicroseconds: Readonly<Record<"create" | "update" | "list" | "metadataList" | "watchEvent", number>>;
  /** Only with a data directory: until a server with all these objects listens. */
  readonly loadMs?: number;
}

export interface ApiServerBench {
  readonly [key: string]: unknown;
  readonly memory: Measurement;
  readonly dataDir: Measurement;
}

export async function benchApiServer(): Promise<ApiServerBench> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-bench-"));
  try {
    const memory = await measure(undefined);
    const dataDir = await measure(join(dir, "data"));
    return { objects: objectCount, objectBytes: JSON.stringify(anObject(0, 0)).length, memory, dataDir };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(dataDir: string | undefined): Promise<Measurement> {
  const server = await startServer(dataDir);
  const client = new Client(server.address);
  const before = await server.liveBytes();
  const create = await meter(server, objectCount, () =>
    rate(objectCount, writers, (i) => client.send("POST", path, anObject(i, 0))),
  );
  const bytesPerObject = Math.round(((await server.liveBytes()) - before) / objectCount);
  const update = await meter(server, updateCount, () =>
    rate(updateCount, writers, (i) => client.send("PUT", `${path}/${nameOf(i)}`, anObject(i, 1))),
  );
  const list = await measureLists(server, client, {});
  const metadataList = await measureLists(server, client, {
    accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  });
  const events = fanOutUpdates * watcherCount;
  const watch = await meter(server, events, () => measureFanOut(client, server.address));
  await client.close();
  await server.close();
  return {
    createsPerSecond: create.result,
    updatesPerSecond: update.result,
    listsPerSecond: list.perSecond,
    listMegabytesPerSecond: list.megabytesPerSecond,
    metadataListsPerSecond: metadataList.perSecond,
    watchEventsPerSecond: watch.result,
    bytesPerObject,
    cpuMicroseconds: {
      create: create.cpuMicroseconds,
      update: update.cpuMicroseconds,
      list: list.cpuMicroseconds,
      metadataList: metadataList.cpuMicroseconds,
      watchEvent: watch.cpuMicroseconds,
    },
    ...(dataDir === undefined ? {} : { loadMs: await measureLoad(dataDir) }),
  };
}

interface Metered<T> {
  readonly result: T;
  /** Of the server, for one of `count`. */
  readonly cpuMicroseconds: number;
}

async function meter<T>(server: BenchServer, count: number, work: () => Promise<T>): Promise<Metered<T>> {
  const before = await server.cpu();
  const result = await work();
  return { result, cpuMicroseconds: round(((await server.cpu()) - before) / count) };
}

async function measureLoad(dataDir: string): Promise<number> {
  const server = await startServer(dataDir);
  await server.close();
  return Math.round(server.address.startMs);
}

async function measureLists(server: BenchServer, client: Client, headers: Readonly<Record<string, string>>) {
  let lists = 0;
  let bytes = 0;
  await client.read(path, headers);
  const cpuBefore = await server.cpu();
  const started = performance.now();
  while (performance.now() - started < listMs) {
    bytes += await client.read(path, headers);
    lists += 1;
  }
  const seconds = (performance.now() - started) / 1000;
  return {
    perSecond: round(lists / seconds),
    megabytesPerSecond: round(bytes / seconds / 1e6),
    cpuMicroseconds: round(((await server.cpu()) - cpuBefore) / lists),
  };
}

/** Each watcher has a connection of its own, as in a cluster; the clock stops when the last one has the last event. */
async function measureFanOut(client: Client, address: BenchServerAddress): Promise<number> {
  const agent = new Agent({ connect: { ca: address.caPem }, bodyTimeout: 0 });
  const since = await client.revision();
  const watchers = await Promise.all(
    Array.from({ length: watcherCount }, () => openWatch(agent, address, `${path}?watch=1&resourceVersion=${since}`)),
  );
  const started = performance.now();
  const received = Promise.all(watchers.map((watcher) => watcher.count(fanOutUpdates)));
  await rate(fanOutUpdates, 8, (i) => client.send("PUT", `${path}/${nameOf(i)}`, anObject(i, 2)));
  await received;
  const seconds = (performance.now() - started) / 1000;
  await agent.destroy();
  return round((fanOutUpdates * watcherCount) / seconds);
}

async function openWatch(agent: Agent, address: BenchServerAddress, watchPath: string) {
  const reply = await agent.request({
    origin: address.url,
    path: watchPath,
    method: "GET",
    headers: { authorization: `Bearer ${address.adminToken}` },
  });
  return {
    /** Events are lines. */
    count: async (wanted: number) => {
      let lines = 0;
      for await (const chunk of reply.body) {
        for (const byte of chunk as Buffer) if (byte === 10) lines += 1;
        if (lines >= wanted) return;
      }
      throw new Error(`a watch ended after ${lines} of ${wanted} events`);
    },
  };
}

class Client {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(address: BenchServerAddress) {
    this.#pool = new Pool(address.url, { connect: { ca: address.caPem }, connections: writers });
    this.#headers = { authorization: `Bearer ${address.adminToken}`, "content-type": "application/json" };
  }

  async send(method: "POST" | "PUT", to: string, body: object): Promise<void> {
    const reply = await this.#pool.request({ method, path: to, headers: this.#headers, body: JSON.stringify(body) });
    const text = await reply.body.text();
    if (reply.statusCode >= 300) throw new Error(`${method} ${to}: ${reply.statusCode} ${text}`);
  }

  /** @returns the bytes read */
  async read(from: string, headers: Readonly<Record<string, string>>): Promise<number> {
    const reply = await this.#pool.request({ method: "GET", path: from, headers: { ...this.#headers, ...headers } });
    let bytes = 0;
    for await (const chunk of reply.body) bytes += (chunk as Buffer).length;
    if (reply.statusCode !== 200) throw new Error(`GET ${from}: ${reply.statusCode}`);
    return bytes;
  }

  async revision(): Promise<string> {
    const reply = await this.#pool.request({ method: "GET", path: `${path}?limit=1`, headers: this.#headers });
    return ((await reply.body.json()) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

type BenchServer = Awaited<ReturnType<typeof startServer>>;

async function startServer(dataDir: string | undefined) {
  const script = new URL("api-server-process.ts", import.meta.url).pathname;
  const child = fork(script, dataDir === undefined ? [] : [dataDir], { execArgv: ["--expose-gc"] });
  return {
    address: await nextMessage<BenchServerAddress>(child),
    cpu: async () => {
      child.send("cpu");
      return nextMessage<number>(child);
    },
    liveBytes: async () => {
      child.send("memory");
      return (await nextMessage<{ bytes: number }>(child)).bytes;
    },
    close: async () => {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.send("close");
      await exited;
    },
  };
}

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the API server's process ended with status ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.off("exit", onExit);
      resolve(message as T);
    });
  });
}

/** Runs `count` calls, `width` at a time. @returns calls per second */
async function rate(count: number, width: number, call: (index: number) => Promise<void>): Promise<number> {
  let next = 0;
  const started = performance.now();
  const worker = async () => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return round(count / ((performance.now() - started) / 1000));
}

const nameOf = (index: number) => `object-${String(index).padStart(5, "0")}`;

function anObject(index: number, generation: number): object {
  const labels = { app: `app-${index % 100}`, tier: index % 2 === 0 ? "even" : "odd", generation: String(generation) };
  const data = { index: String(index), text: "x".repeat(valueBytes) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: nameOf(index), labels }, data };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
