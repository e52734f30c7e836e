/**
 * The scheduler of the embedded control plane. One round: gather (pending pods in order of priority, nodes, what runs
 * where) -> decide (`decideNode`, pure) -> apply (bind, or say why not). A round follows every change of pods or nodes;
 * a pod that did not fit is looked at again then. Only pods that name one of `schedulerNames` are touched.
 */
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { isConflict, isNotFound } from "../../kube/api-error.ts";
import { createEventRecorder, type EventRecorder } from "../../kube/events.ts";
import { createInformer, type Informer } from "../../kube/informer.ts";
import { objectKey } from "../../kube/object.ts";
import type { Transport } from "../../kube/transport.ts";
import type { Node, Pod } from "../kubelet/core-types.ts";
import { nodeResource } from "../kubelet/node-agent.ts";
import { podResource } from "../kubelet/pod-api.ts";
import { Wakeup } from "../kubelet/wakeup.ts";
import { createBinder, type PodBinder } from "./binder.ts";
import { comparePending, decideNode } from "./decide-node.ts";
import { holdsResources, type PodsByNode } from "./view.ts";

export interface SchedulerOptions {
  readonly transport: Transport;
  /** Of all pods and nodes; the caller starts and stops what it gives. */
  readonly podInformer?: Informer<Pod>;
  readonly nodeInformer?: Informer<Node>;
  /** Such as `default-scheduler`. */
  readonly schedulerNames: readonly string[];
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface Scheduler {
  start(): Promise<void>;
  stop(): Promise<void>;
}

const syncTimeoutMs = 30_000;
const eventFlushTimeoutMs = 2_000;
const failureBackoff = { initialMs: 200, maxMs: 10_000 };

export function createScheduler(options: SchedulerOptions): Scheduler {
  let running: SchedulerRun | undefined;
  return {
    start: async () => {
      if (running !== undefined) return;
      running = new SchedulerRun(options);
      await running.start();
    },
    stop: async () => {
      await running?.stop();
      running = undefined;
    },
  };
}

class SchedulerRun {
  readonly #options: SchedulerOptions;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #binder: PodBinder;
  readonly #events: EventRecorder;
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  /** Bound by us and not yet seen bound: counted as placed, or two pods would get one GPU. */
  readonly #assumed = new Map<string, Pod>();
  readonly #detach: (() => void)[] = [];
  #loop: Promise<void> = Promise.resolve();

  constructor(options: SchedulerOptions) {
    const { transport, clock, logger } = options;
    this.#options = options;
    this.#pods = options.podInformer ?? createInformer(transport, podResource, { clock, logger });
    this.#nodes = options.nodeInformer ?? createInformer(transport, nodeResource, { clock, logger });
    const reporter = {
      reportingController: options.schedulerNames[0] ?? "inferium.io/scheduler",
      reportingInstance: "embedded",
    };
    this.#events = createEventRecorder(transport, { ...reporter, clock, logger });
    this.#binder = createBinder(transport, this.#events, clock);
  }

  async start(): Promise<void> {
    if (this.#options.podInformer === undefined) this.#pods.start(this.#stopping.signal);
    if (this.#options.nodeInformer === undefined) this.#nodes.start(this.#stopping.signal);
    await Promise.all([this.#pods.synced(syncTimeoutMs), this.#nodes.synced(syncTimeoutMs)]);
    this.#detach.push(this.#pods.onEvent(() => this.#wakeup.wake()));
    this.#detach.push(this.#nodes.onEvent(() => this.#wakeup.wake()));
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the scheduler stopped"));
    for (const detach of this.#detach) detach();
    await this.#loop;
    if (this.#options.podInformer === undefined) await this.#pods.stop();
    if (this.#options.nodeInformer === undefined) await this.#nodes.stop();
    await this.#events.stop(eventFlushTimeoutMs);
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      let retryAt: number | undefined;
      try {
        await this.#round();
        failures = 0;
      } catch (error) {
        failures += 1;
        retryAt = clock.now() + computeBackoffMs(failures, failureBackoff);
        logger.warn("scheduling round failed", { attempt: failures, reason: describeError(error) });
      }
      await this.#wakeup.wait(clock, retryAt, this.#stopping.signal);
    }
  }

  async #round(): Promise<void> {
    const pods = this.#pods.store.list();
    this.#forgetAssumed();
    const pending = pods.filter((pod) => this.#isPending(pod)).sort(comparePending);
    if (pending.length === 0) return;
    const nodes = this.#nodes.store.list().filter((node) => node.metadata.deletionTimestamp === undefined);
    const placed = groupByNode([...pods.filter((pod) => pod.spec.nodeName), ...this.#assumed.values()]);
    const failures: unknown[] = [];
    for (const pod of pending) {
      if (this.#stopping.signal.aborted) return;
      // One pod that the server refuses must not hold up those behind it.
      await this.#place(pod, nodes, placed).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #place(pod: Pod, nodes: readonly Node[], placed: Map<string, Pod[]>): Promise<void> {
    const decision = decideNode(pod, nodes, placed);
    if (decision.node === undefined) return this.#binder.reportUnschedulable(pod, decision.message);
    try {
      await this.#binder.bind(pod, decision.node);
    } catch (error) {
      // Deleted, or bound by someone else, since we looked: the informer will tell.
      if (isNotFound(error) || isConflict(error)) return;
      throw error;
    }
    const bound = { ...pod, spec: { ...pod.spec, nodeName: decision.node } };
    this.#assumed.set(pod.metadata.uid ?? objectKey(pod), bound);
    placed.set(decision.node, [...(placed.get(decision.node) ?? []), bound]);
    this.#options.logger.info("pod bound", { pod: objectKey(pod), node: decision.node });
  }

  #isPending(pod: Pod): boolean {
    const { spec, metadata } = pod;
    return (
      !spec.nodeName &&
      metadata.deletionTimestamp === undefined &&
      holdsResources(pod) &&
      (spec.schedulingGates ?? []).length === 0 &&
      this.#options.schedulerNames.includes(spec.schedulerName ?? "default-scheduler") &&
      !this.#assumed.has(metadata.uid ?? objectKey(pod))
    );
  }

  #forgetAssumed(): void {
    for (const [uid, assumed] of this.#assumed) {
      const seen = this.#pods.store.get(objectKey(assumed));
      if (seen === undefined || seen.metadata.uid !== uid || seen.spec.nodeName) this.#assumed.delete(uid);
    }
  }
}

function groupByNode(pods: readonly Pod[]): Map<string, Pod[]> & PodsByNode {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    if (!pod.spec.nodeName || !holdsResources(pod)) continue;
    const group = groups.get(pod.spec.nodeName) ?? [];
    group.push(pod);
    groups.set(pod.spec.nodeName, group);
  }
  return groups;
}
