/**
 * A local, always current copy of one kind (or a selection of it) and a feed of its changes. What controllers read
 * instead of asking the server. Made of a reflector, which does the reading, and a store.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import { type Logger, silentLogger } from "../base/log.ts";
import type { Selection } from "./list-pages.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { defaultReflectorTiming, Reflector, type ReflectorTiming } from "./reflector.ts";
import type { ResourceType } from "./resource.ts";
import { type Indexers, ObjectStore, type Store, type StoreEvent, type Transform } from "./store.ts";
import type { Transport } from "./transport.ts";

export interface InformerOptions<T extends KubeObject, R = T> extends Selection {
  /**
   * Makes the record that the store keeps; may change its argument. Left out: the object without `managedFields`.
   * Required where R is not T.
   */
  readonly transform?: Transform<T, R>;
  readonly indexers?: Indexers<R>;
  readonly timing?: Partial<ReflectorTiming>;
  /** False: list and watch in two requests, even where the server has WatchList. */
  readonly watchList?: boolean;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly metrics?: KubeMetrics | undefined;
}

export interface EventOrigin {
  /** Part of the first full state, or handed to a handler that came late: nothing has changed on the server. */
  readonly initial: boolean;
}

export type StoreEventHandler<R> = (event: StoreEvent<R>, origin: EventOrigin) => void;

export interface Informer<R> {
  readonly store: Store<R>;
  /** Plural of the kind, for messages. */
  readonly resource: string;
  /** The store holds a full state of the server. Stays true: a later gap is closed by a relist, never by forgetting. */
  readonly hasSynced: boolean;
  /** Called for every change, in order, right after the store has it; first of all, as added, for what it holds now. */
  onEvent(handler: StoreEventHandler<R>): () => void;
  /** Begins to follow the server until `signal` aborts or `stop`. After a stop it may be started again. */
  start(signal?: AbortSignal): void;
  /** @throws InferiumError KubeInformerNotSynced after `timeoutMs` */
  synced(timeoutMs: number): Promise<void>;
  /** Once it resolves, the store does not change and no handler is called, whatever was in flight or waiting. */
  stop(): Promise<void>;
}

export function createInformer<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options?: InformerOptions<T> & { readonly transform?: Transform<T, T> },
): Informer<T>;
export function createInformer<T extends KubeObject, R>(
  transport: Transport,
  type: ResourceType<T>,
  options: InformerOptions<T, R> & { readonly transform: Transform<T, R> },
): Informer<R>;
export function createInformer<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: InformerOptions<T, unknown> = {},
): Informer<unknown> {
  return new StoreInformer(transport, type, { ...options, transform: options.transform ?? dropManagedFields });
}

/** Up to half of an object's bytes, and nobody here reads it. An object from which a field was deleted would take twice the memory. */
export function dropManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  object.metadata = metadata;
  return object;
}

type Settings<T extends KubeObject, R> = InformerOptions<T, R> & { readonly transform: Transform<T, R> };

class StoreInformer<T extends KubeObject, R> implements Informer<R> {
  readonly resource: string;
  readonly #store: ObjectStore<T, R>;
  readonly #transport: Transport;
  readonly #type: ResourceType<T>;
  readonly #options: Settings<T, R>;
  readonly #logger: Logger;
  readonly #handlers = new Set<StoreEventHandler<R>>();
  readonly #firstSync = Promise.withResolvers<void>();
  #hasSynced = false;
  /** One run of the reflector. A new start gets a new one, so that an old run can never write again. */
  #run: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;

  constructor(transport: Transport, type: ResourceType<T>, options: Settings<T, R>) {
    this.resource = type.plural;
    this.#transport = transport;
    this.#type = type;
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#store = new ObjectStore({ transform: options.transform, indexers: options.indexers });
  }

  get store(): Store<R> {
    return this.#store;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  onEvent(handler: StoreEventHandler<R>): () => void {
    for (const key of [...this.#store.keys()]) {
      const object = this.#store.get(key);
      if (object !== undefined) this.#call(handler, { type: "added", key, object }, { initial: true });
    }
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  start(signal?: AbortSignal): void {
    if (this.#run && !this.#run.controller.signal.aborted) {
      throw new InferiumError("KubeInformerRunning", `The informer of ${this.resource} is running; stop it first.`);
    }
    const controller = new AbortController();
    const abort = () => controller.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true, signal: controller.signal });
    this.#run = { controller, ended: this.#createReflector(controller.signal).run() };
  }

  async synced(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#notSynced(timeoutMs)), timeoutMs);
      // An informer that was stopped before never syncs, and must not hold the process up; one that runs does so by itself.
      timer.unref();
    });
    try {
      await Promise.race([this.#firstSync.promise, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    this.#run?.controller.abort(
      new InferiumError("KubeInformerStopped", `The informer of ${this.resource} is stopped.`),
    );
    await this.#run?.ended;
  }

  #createReflector(signal: AbortSignal): Reflector<T, R> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return new Reflector(
      {
        transport: this.#transport,
        type: this.#type,
        selection: { namespace, labelSelector, fieldSelector },
        store: this.#store,
        timing: { ...defaultReflectorTiming, ...this.#options.timing },
        watchList: this.#options.watchList ?? true,
        emit: (events) => this.#emit(events),
        onSynced: () => this.#onSynced(),
        clock: this.#options.clock ?? systemClock,
        random: this.#options.random ?? Math.random,
        logger: this.#logger,
        metrics: this.#options.metrics,
      },
      signal,
    );
  }

  #onSynced(): void {
    this.#hasSynced = true;
    this.#firstSync.resolve();
  }

  #emit(events: readonly StoreEvent<R>[]): void {
    const origin = { initial: !this.#hasSynced };
    for (const event of events) for (const handler of this.#handlers) this.#call(handler, event, origin);
  }

  /** A handler that throws must not cost the others the event, nor the informer its stream. */
  #call(handler: StoreEventHandler<R>, event: StoreEvent<R>, origin: EventOrigin): void {
    try {
      handler(event, origin);
    } catch (error) {
      const fields = { resource: this.resource, key: event.key, error: describeError(error) };
      this.#logger.error("event handler failed", fields);
    }
  }

  #notSynced(timeoutMs: number): InferiumError {
    const message =
      `The informer of ${this.resource} had no full list within ${timeoutMs} ms. Check that the server is up, that the ` +
      "kind is installed and that listing and watching it is permitted; the log names the last failure.";
    return new InferiumError("KubeInformerNotSynced", message, { disposition: "retry" });
  }
}
