/**
 * Events as the Kubernetes controllers write them: core/v1, one for each wording, with a count where the same is said
 * again. Recording never blocks and never throws; what does not fit into the bounded queue is dropped. Effects: writes
 * to Events.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { createClient, type KubeClient } from "../../kube/client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { defineResource } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import { formatTime } from "./times.ts";

interface CoreEvent extends KubeObject {
  readonly involvedObject: object;
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  readonly source: { readonly component: string };
  readonly reportingComponent: string;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly count: number;
}

const coreEvents = defineResource<CoreEvent>({ apiVersion: "v1", kind: "Event", plural: "events", namespaced: true });

export interface News {
  readonly regarding: KubeObject;
  /** Such as `deployment-controller`: shown under "From". */
  readonly component: string;
  readonly type?: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

const maxPending = 1_000;
const maxKnown = 4_096;
const maxMessageLength = 1_024;
const writeTimeoutMs = 5_000;

export class EventSink {
  readonly #client: KubeClient<CoreEvent>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pending: News[] = [];
  /** What was written, by all that it says: oldest first. */
  readonly #known = new Map<string, { readonly name: string; count: number }>();
  #writing: Promise<void> | undefined;
  #serial = 0;
  #stopped = false;

  constructor(transport: Transport, clock: Clock, logger: Logger) {
    this.#client = createClient(transport, coreEvents, { fieldManager: "kube-controller-manager" });
    this.#clock = clock;
    this.#logger = logger;
  }

  record(news: News): void {
    if (this.#stopped || this.#pending.length >= maxPending) return;
    this.#pending.push(news);
    this.#writing ??= this.#writeAll();
  }

  /** Writes what waits, for at most `timeoutMs`, and takes no more. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopped = true;
    const cancel = new AbortController();
    await Promise.race([this.#writing, this.#clock.sleep(timeoutMs, cancel.signal).catch(() => undefined)]);
    cancel.abort();
    this.#pending.length = 0;
  }

  async #writeAll(): Promise<void> {
    for (let news = this.#pending.shift(); news !== undefined; news = this.#pending.shift()) {
      try {
        await this.#write(news);
      } catch (error) {
        // The namespace may be going away; nothing depends on events.
        this.#logger.debug("event not written", { reason: news.reason, error: describeError(error) });
      }
    }
    this.#writing = undefined;
  }

  async #write(news: News): Promise<void> {
    const { uid = "", namespace = "default" } = news.regarding.metadata;
    const key = JSON.stringify([uid, news.component, news.type, news.reason, news.message]);
    const known = this.#known.get(key);
    this.#known.delete(key);
    const lastTimestamp = formatTime(this.#clock.now());
    if (known === undefined) {
      const event = this.#build(news, lastTimestamp);
      await this.#client.create(event, { timeoutMs: writeTimeoutMs });
      this.#remember(key, { name: event.metadata.name, count: 1 });
      return;
    }
    const count = known.count + 1;
    const body = { count, lastTimestamp };
    await this.#client.patch({ namespace, name: known.name }, { kind: "merge", body, timeoutMs: writeTimeoutMs });
    this.#remember(key, { name: known.name, count });
  }

  #remember(key: string, written: { readonly name: string; count: number }): void {
    this.#known.set(key, written);
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxKnown && oldest !== undefined) this.#known.delete(oldest);
  }

  #build(news: News, time: string): CoreEvent {
    const { apiVersion, kind, metadata } = news.regarding;
    const { name, namespace, uid, resourceVersion } = metadata;
    this.#serial += 1;
    const suffix = `${this.#clock.now().toString(16)}${this.#serial.toString(16).padStart(4, "0")}`;
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name.slice(0, 220)}.${suffix}`, namespace: namespace ?? "default" },
      involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
      reason: news.reason,
      message: news.message.slice(0, maxMessageLength),
      type: news.type ?? "Normal",
      source: { component: news.component },
      reportingComponent: news.component,
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    };
  }
}
