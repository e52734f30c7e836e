/**
 * The scheduler of the embedded control plane. One round: gather (pending pods in order of priority, nodes, what runs
 * where) -> decide (`decideNode`, pure) -> apply (bind; or make room by preemption; or say why not). A round follows
 * every change of pods or nodes; a pod that did not fit is looked at again after one that may help it, and its backoff.
 * Only pods that name one of `schedulerNames` are touched.
 */
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { isConflict, isNotFound } from "../../kube/api-error.ts";
import { type Namespace, namespaces } from "../../kube/core-resources.ts";
import { createEventRecorder, type EventRecorder } from "../../kube/events.ts";
import { createInformer, type Informer } from "../../kube/informer.ts";
import { objectKey } from "../../kube/object.ts";
import type { Transport } from "../../kube/transport.ts";
import type { Node, Pod } from "../kubelet/core-types.ts";
import { nodeResource } from "../kubelet/node-agent.ts";
import { podResource } from "../kubelet/pod-api.ts";
import { Wakeup } from "../kubelet/wakeup.ts";
import { createBinder, type PodBinder } from "./binder.ts";
import { isHelpfulNodeEvent, isHelpfulPodEvent } from "./cluster-changes.ts";
import { decideNode } from "./decide-node.ts";
import { type BackoffOptions, PendingQueue } from "./pending-queue.ts";
import { createPreemptor, type Preemptor } from "./preemptor.ts";
import { holdsResources, type NamespaceLabels } from "./view.ts";

export interface SchedulerOptions {
  readonly transport: Transport;
  /** Of all pods and nodes; the caller starts and stops what it gives. */
  readonly podInformer?: Informer<Pod>;
  readonly nodeInformer?: Informer<Node>;
  /** Left out: one to ten seconds, as Kubernetes has it. */
  readonly backoff?: BackoffOptions;
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
const podBackoff: BackoffOptions = { initialMs: 1_000, maxMs: 10_000 };
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
  /** For affinity to pods of namespaces by label. */
  readonly #namespaces: Informer<Namespace>;
  readonly #binder: PodBinder;
  readonly #events: EventRecorder;
  readonly #preemptor: Preemptor;
  readonly #queue: PendingQueue;
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
    this.#namespaces = createInformer(transport, namespaces, { clock, logger });
    const reporter = {
      reportingController: options.schedulerNames[0] ?? "inferium.io/scheduler",
      reportingInstance: "embedded",
    };
    this.#events = createEventRecorder(transport, { ...reporter, clock, logger });
    this.#binder = createBinder(transport, this.#events, clock);
    this.#preemptor = createPreemptor(transport, this.#events, clock);
    this.#queue = new PendingQueue(options.backoff ?? podBackoff);
  }

  async start(): Promise<void> {
    if (this.#options.podInformer === undefined) this.#pods.start(this.#stopping.signal);
    if (this.#options.nodeInformer === undefined) this.#nodes.start(this.#stopping.signal);
    this.#namespaces.start(this.#stopping.signal);
    const informers = [this.#pods, this.#nodes, this.#namespaces];
    await Promise.all(informers.map((informer) => informer.synced(syncTimeoutMs)));
    this.#detach.push(this.#pods.onEvent((event) => this.#onChange(isHelpfulPodEvent(event))));
    this.#detach.push(this.#nodes.onEvent((event) => this.#onChange(isHelpfulNodeEvent(event))));
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the scheduler stopped"));
    for (const detach of this.#detach) detach();
    await this.#loop;
    if (this.#options.podInformer === undefined) await this.#pods.stop();
    if (this.#options.nodeInformer === undefined) await this.#nodes.stop();
    await this.#namespaces.stop();
    await this.#events.stop(eventFlushTimeoutMs);
  }

  #onChange(isHelpful: boolean): void {
    if (isHelpful) this.#queue.noteChange();
    this.#wakeup.wake();
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      let retryAt: number | undefined;
      try {
        retryAt = await this.#round();
        failures = 0;
      } catch (error) {
        failures += 1;
        retryAt = clock.now() + computeBackoffMs(failures, failureBackoff);
        logger.warn("scheduling round failed", { attempt: failures, reason: describeError(error) });
      }
      await this.#wakeup.wait(clock, retryAt, this.#stopping.signal);
    }
  }

  /** @returns when to look again, whatever happens */
  async #round(): Promise<number | undefined> {
    const pods = this.#pods.store.list();
    this.#forgetAssumed();
    const pending = pods.filter((pod) => this.#isPending(pod));
    const { ready, nextAt } = this.#queue.select(pending, this.#options.clock.now());
    if (ready.length === 0) return nextAt;
    const nodes = this.#nodes.store.list().filter((node) => node.metadata.deletionTimestamp === undefined);
    const placed = groupByNode([...pods.filter((pod) => pod.spec.nodeName), ...this.#assumed.values()]);
    const nominated = pending.filter((pod) => pod.status?.nominatedNodeName);
    const failures: unknown[] = [];
    for (const pod of ready) {
      if (this.#stopping.signal.aborted) return undefined;
      // One pod that the server refuses must not hold up those behind it.
      await this.#place(pod, { nodes, placed, nominated }).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
    return nextAt;
  }

  async #place(pod: Pod, cluster: RoundView): Promise<void> {
    const { nodes, placed } = cluster;
    const podsByNode = withNominated(pod, cluster, (other) => this.#assumed.has(uidOf(other)));
    const decision = decideNode(pod, nodes, podsByNode, this.#namespaceLabels);
    try {
      if (decision.node !== undefined) await this.#bind(pod, decision.node, placed);
      else await this.#makeRoom(pod, cluster, decision);
    } catch (error) {
      // Deleted, or bound by someone else, since we looked: the informer will tell.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async #bind(pod: Pod, nodeName: string, placed: Map<string, Pod[]>): Promise<void> {
    await this.#binder.bind(pod, nodeName);
    this.#queue.forget(pod);
    const bound = { ...pod, spec: { ...pod.spec, nodeName } };
    this.#assumed.set(uidOf(pod), bound);
    placed.set(nodeName, [...(placed.get(nodeName) ?? []), bound]);
    this.#options.logger.info("pod bound", { pod: objectKey(pod), node: nodeName });
  }

  async #makeRoom(pod: Pod, { nodes, placed }: RoundView, decision: Unplaced): Promise<void> {
    this.#queue.noteFailure(pod, this.#options.clock.now());
    const preemption = await this.#preemptor.preempt({
      pod,
      nodes,
      candidates: decision.resolvable,
      podsByNode: placed,
      namespaceLabels: this.#namespaceLabels,
    });
    const isTold = preemption.node === undefined && nodes.length > 0;
    const message = isTold ? `${decision.message} ${preemption.message}` : decision.message;
    await this.#binder.reportUnschedulable(pod, message);
  }

  readonly #namespaceLabels: NamespaceLabels = (name) => this.#namespaces.store.get(name)?.metadata.labels ?? {};

  #isPending(pod: Pod): boolean {
    const { spec, metadata } = pod;
    return (
      !spec.nodeName &&
      metadata.deletionTimestamp === undefined &&
      holdsResources(pod) &&
      (spec.schedulingGates ?? []).length === 0 &&
      this.#options.schedulerNames.includes(spec.schedulerName ?? "default-scheduler") &&
      !this.#assumed.has(uidOf(pod))
    );
  }

  #forgetAssumed(): void {
    for (const [uid, assumed] of this.#assumed) {
      const seen = this.#pods.store.get(objectKey(assumed));
      if (seen === undefined || seen.metadata.uid !== uid || seen.spec.nodeName) this.#assumed.delete(uid);
    }
  }
}

type Unplaced = Extract<ReturnType<typeof decideNode>, { readonly node: undefined }>;

interface RoundView {
  readonly nodes: readonly Node[];
  readonly placed: Map<string, Pod[]>;
  /** Pending pods that others have made room for. */
  readonly nominated: readonly Pod[];
}

function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? objectKey(pod);
}

/** Room that was made for a pod is taken, for all that are not more important than it. */
function withNominated(pod: Pod, { placed, nominated }: RoundView, isPlaced: (other: Pod) => boolean) {
  const others = nominated.filter(
    (other) =>
      uidOf(other) !== uidOf(pod) && !isPlaced(other) && (other.spec.priority ?? 0) >= (pod.spec.priority ?? 0),
  );
  if (others.length === 0) return placed;
  const combined = new Map(placed);
  for (const other of others) {
    const name = other.status?.nominatedNodeName ?? "";
    combined.set(name, [...(combined.get(name) ?? []), other]);
  }
  return combined;
}

function groupByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    if (!pod.spec.nodeName || !holdsResources(pod)) continue;
    const group = groups.get(pod.spec.nodeName) ?? [];
    group.push(pod);
    groups.set(pod.spec.nodeName, group);
  }
  return groups;
}
