/**
 * The informers of a chaos run, each behind a proxy of its own, and what each of them read and told, in one log in the
 * order in which it happened. Effects: requests through the proxy; timers when it restarts itself.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createStaticConnection, type KubeConnection } from "../../src/kube/connection.ts";
import { type ConfigMap, configMaps } from "../../src/kube/core-resources.ts";
import { createInformer, type Informer } from "../../src/kube/informer.ts";
import type { ObjectList } from "../../src/kube/list-pages.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { createTransport, type Transport } from "../../src/kube/transport.ts";
import { isInitialEventsEnd, type WatchEvent } from "../../src/kube/watch.ts";
import { checkLog, type LogEntry, type LogVerdict } from "./check-log.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { createFaultPlan, type FaultRates } from "./faults.ts";
import type { ChaosHistory } from "./history.ts";
import type { SeededRandom } from "./random.ts";
import { colour } from "./writer.ts";

/** Fast enough that a minute holds hundreds of failures. */
export const fastTiming = {
  stallMs: 1_000,
  initialStallMs: 1_000,
  watchSecondsMin: 1,
  watchSecondsMax: 5,
  backoffInitialMs: 20,
  backoffMaxMs: 500,
  listTimeoutMs: 1_000,
} as const;

export interface FollowerOptions {
  readonly name: string;
  readonly namespace: string;
  readonly random: SeededRandom;
  readonly rates: FaultRates;
  readonly watchList: boolean;
  readonly pageSize: number;
  /** Only maps of this colour. */
  readonly colour?: string;
  /** Stops and starts itself now and then. */
  readonly restarts: boolean;
}

export interface Follower {
  readonly name: string;
  readonly proxy: FaultProxy;
  readonly informer: Informer<ConfigMap>;
  readonly restarts: number;
  /** Faults of its own: told something while stopped, or not what a raw object is. */
  readonly problems: readonly string[];
  run(signal: AbortSignal): Promise<void>;
  check(history: ChaosHistory): LogVerdict;
  close(): Promise<void>;
}

export async function startFollower(upstream: KubeConnection, options: FollowerOptions): Promise<Follower> {
  const proxy = await startFaultProxy(upstream, createFaultPlan(options.random.fork("faults"), options.rates));
  const token = (await upstream.authorization())?.replace("Bearer ", "");
  const connection = createStaticConnection({ server: proxy.url, ...(token === undefined ? {} : { token }) });
  return new LoggedFollower(createTransport(connection, { timeoutMs: 1_000 }), proxy, options);
}

class LoggedFollower implements Follower {
  readonly name: string;
  readonly proxy: FaultProxy;
  readonly informer: Informer<ConfigMap>;
  readonly problems: string[] = [];
  restarts = 0;
  readonly #log: LogEntry[] = [];
  readonly #transport: Transport;
  readonly #options: FollowerOptions;
  #running = false;

  constructor(transport: Transport, proxy: FaultProxy, options: FollowerOptions) {
    this.name = options.name;
    this.proxy = proxy;
    this.#options = options;
    this.#transport = transport;
    const { namespace, watchList, random, pageSize } = options;
    this.informer = createInformer(observe(transport, this.#log), configMaps, {
      namespace,
      watchList,
      // A real control plane puts a map of its own into each namespace, without the label.
      labelSelector: options.colour === undefined ? colour : `${colour}=${options.colour}`,
      indexers: { colour: (map) => [map.metadata.labels?.[colour] ?? ""] },
      timing: { ...fastTiming, pageSize },
      random: random.fork("informer").next,
    });
    this.informer.onEvent((event) => {
      const previous = event.type === "updated" ? event.previous : undefined;
      this.#take(event.type, event.key, event.object, previous);
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const random = this.#options.random.fork("restarts");
    this.#start();
    while (this.#options.restarts && !signal.aborted) {
      await sleep(random.between(200, 3_000), undefined, { signal }).catch(() => undefined);
      await this.#stop();
      await sleep(random.between(0, 300));
      this.restarts++;
      this.#start();
    }
  }

  check(history: ChaosHistory): LogVerdict {
    const wanted = this.#options.colour;
    return checkLog(
      this.#log,
      history.expect((labels) => wanted === undefined || labels[colour] === wanted),
    );
  }

  async close(): Promise<void> {
    await this.#stop();
    await this.#transport.close();
    await this.proxy.close();
  }

  #start(): void {
    this.#running = true;
    this.informer.start();
  }

  async #stop(): Promise<void> {
    await this.informer.stop();
    this.#running = false;
    this.#log.push({ kind: "stop" });
  }

  #take(type: "added" | "updated" | "deleted", key: string, object: ConfigMap, previous: ConfigMap | undefined): void {
    const { uid = "", resourceVersion, creationTimestamp, managedFields } = object.metadata;
    if (!this.#running) this.problems.push(`${key} was told after the stop`);
    const raw = object.apiVersion === "v1" && object.kind === "ConfigMap" && typeof creationTimestamp === "string";
    if (!raw || managedFields !== undefined) this.problems.push(`${key} is not of one raw shape`);
    const previousVersion = previous && Number(previous.metadata.resourceVersion);
    this.#log.push({ kind: "event", type, key, uid, resourceVersion: Number(resourceVersion), previousVersion });
  }
}

/** Logs each list and each line at the moment at which the reflector gets it. */
function observe(transport: Transport, log: LogEntry[]): Transport {
  return {
    fieldManager: transport.fieldManager,
    close: () => transport.close(),
    async request<T>(request: Parameters<Transport["request"]>[0]): Promise<T> {
      const answer = await transport.request<T>(request);
      const { metadata } = answer as Partial<ObjectList<KubeObject>> & {
        metadata?: { continue?: string; resourceVersion?: string };
      };
      // The version of all pages is the first one's; the last page repeats it.
      if (!metadata?.continue) log.push({ kind: "list", resourceVersion: Number(metadata?.resourceVersion) });
      return answer;
    },
    async *stream(request) {
      let filled = request.query?.sendInitialEvents !== true;
      for await (const line of transport.stream(request)) {
        const version = readVersion(line);
        if (filled && version) log.push({ kind: "line", resourceVersion: version.resourceVersion });
        if (!filled && version?.end) {
          filled = true;
          log.push({ kind: "list", resourceVersion: version.resourceVersion });
        }
        yield line;
      }
    },
  };
}

/** Undefined for what is no event with a version: an ERROR, or half a line. */
function readVersion(line: string): { readonly resourceVersion: number; readonly end: boolean } | undefined {
  try {
    const event = JSON.parse(line) as WatchEvent<KubeObject>;
    const resourceVersion = Number(event.object.metadata.resourceVersion);
    return Number.isNaN(resourceVersion) ? undefined : { resourceVersion, end: isInitialEventsEnd(event) };
  } catch {
    return undefined;
  }
}
