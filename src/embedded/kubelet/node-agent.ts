/**
 * Keeps one Node registered and alive: creates or adopts the object, renews its Lease every 10 s (what the
 * node-lifecycle controller watches) and its status every 5 min. Effects: writes to Node and Lease.
 */
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { isAlreadyExists, isNotFound } from "../../kube/api-error.ts";
import { createClient, type KubeClient } from "../../kube/client.ts";
import { leases, namespaces } from "../../kube/core-resources.ts";
import { formatMicroTime } from "../../kube/object.ts";
import { defineResource } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import { formatTime } from "./container-run.ts";
import type { Node, Taint } from "./core-types.ts";
import {
  buildNode,
  buildNodeConditions,
  buildNodeStatus,
  type NodeIdentity,
  processKubeletLabel,
  type Readiness,
  readyNow,
  stoppedNow,
} from "./node-object.ts";

export const nodeResource = defineResource<Node>({
  apiVersion: "v1",
  kind: "Node",
  plural: "nodes",
  namespaced: false,
});

export interface NodeAgentOptions {
  readonly transport: Transport;
  readonly identity: NodeIdentity;
  readonly deleteOnStop: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

const leaseNamespace = "kube-node-lease";
const leaseSeconds = 40;
const renewMs = 10_000;
const statusMs = 300_000;
const retryBackoff = { initialMs: 500, maxMs: 10_000 };
/** A stop must end even when the server does not answer. */
const farewellTimeoutMs = 5_000;

export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #nodes: KubeClient<Node>;
  readonly #stopping = new AbortController();
  #beating: Promise<void> = Promise.resolve();
  #uid = "";
  #statusAt = Number.NEGATIVE_INFINITY;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    this.#nodes = createClient(options.transport, nodeResource);
  }

  /** Resolves when the cluster has seen the node Ready. @throws when it refuses the node */
  async start(): Promise<void> {
    await this.#register();
    await this.#writeStatus(readyNow);
    await this.#renewLease();
    this.#beating = this.#beat();
  }

  async stop(): Promise<void> {
    const { deleteOnStop, identity, logger } = this.#options;
    this.#stopping.abort(new Error("the kubelet stopped"));
    await this.#beating;
    // A node that was refused to us is somebody else's.
    if (this.#uid === "") return;
    try {
      if (!deleteOnStop) await this.#writeStatus(stoppedNow);
      else await this.#nodes.delete({ name: identity.nodeName }, { timeoutMs: farewellTimeoutMs });
    } catch (error) {
      if (!isNotFound(error)) logger.warn("node did not take its leave", { reason: describeError(error) });
    }
  }

  async #register(): Promise<void> {
    const node = buildNode(this.#options.identity);
    try {
      this.#uid = (await this.#nodes.create(node)).metadata.uid ?? "";
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await this.#adopt(node);
    }
  }

  async #adopt(node: Node): Promise<void> {
    const ref = { name: node.metadata.name };
    const existing = await this.#nodes.get(ref);
    checkAdoptable(existing);
    const { labels, annotations } = node.metadata;
    const taints = addMissingTaints(existing.spec?.taints ?? [], node.spec?.taints ?? []);
    const body = {
      metadata: { labels, ...(annotations === undefined ? {} : { annotations }) },
      ...(taints === undefined ? {} : { spec: { taints } }),
    };
    this.#uid = (await this.#nodes.patch(ref, { kind: "merge", body })).metadata.uid ?? "";
  }

  async #writeStatus(readiness: Readiness): Promise<void> {
    const { identity, clock } = this.#options;
    const ref = { name: identity.nodeName };
    const existing = (await this.#nodes.get(ref, { timeoutMs: farewellTimeoutMs })).status?.conditions ?? [];
    const conditions = buildNodeConditions(existing, readiness, formatTime(clock.now()));
    const body = { status: { ...buildNodeStatus(identity), conditions } };
    await this.#nodes.patch(ref, { kind: "merge", subresource: "status", body, timeoutMs: farewellTimeoutMs });
    this.#statusAt = clock.monotonic();
  }

  async #beat(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const pauseMs = failures === 0 ? renewMs : computeBackoffMs(failures, retryBackoff);
      await clock.sleep(pauseMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const wasGone = await this.#renewLease();
        // The lease goes with its node: if it had to be made anew, the node is probably gone as well.
        if (wasGone || clock.monotonic() - this.#statusAt >= statusMs) await this.#writeStatusOrRegister();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        logger.warn("node heartbeat failed", { attempt: failures, reason: describeError(error) });
      }
    }
  }

  async #writeStatusOrRegister(): Promise<void> {
    try {
      await this.#writeStatus(readyNow);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#options.logger.warn("node object is gone; registering again");
      await this.#register();
      await this.#writeStatus(readyNow);
    }
  }

  /** @returns whether the lease had to be made */
  async #renewLease(): Promise<boolean> {
    const { transport, identity, clock } = this.#options;
    const client = createClient(transport, leases);
    const name = identity.nodeName;
    const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: formatMicroTime(clock.now()) };
    try {
      await client.patch(
        { namespace: leaseNamespace, name },
        { kind: "merge", body: { spec }, timeoutMs: renewMs, signal: this.#stopping.signal },
      );
      return false;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const owner = { apiVersion: "v1", kind: "Node", name, uid: this.#uid };
      const metadata = { name, namespace: leaseNamespace, ownerReferences: this.#uid === "" ? [] : [owner] };
      await this.#ensureNamespace();
      await client.create({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec });
      return true;
    }
  }

  async #ensureNamespace(): Promise<void> {
    try {
      const metadata = { name: leaseNamespace };
      await createClient(this.#options.transport, namespaces).create({ apiVersion: "v1", kind: "Namespace", metadata });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

/** A node of that name that another kind of kubelet runs must not get our taints, nor be deleted when we stop. */
function checkAdoptable({ metadata }: Node): void {
  if (metadata.labels?.[processKubeletLabel] === "true") return;
  const message = `Node ${metadata.name} exists and is not a process kubelet's: it has no label ${processKubeletLabel}=true. Give this kubelet another name, or delete the node if nothing runs on it.`;
  throw new InferiumError("NodeTaken", message, { disposition: "fatal" });
}

/** Taints that others have put on the node stay; `undefined` when none of ours is missing. */
function addMissingTaints(existing: readonly Taint[], mine: readonly Taint[]): readonly Taint[] | undefined {
  const missing = mine.filter((taint) => !existing.some((one) => one.key === taint.key && one.effect === taint.effect));
  return missing.length === 0 ? undefined : [...existing, ...missing];
}
