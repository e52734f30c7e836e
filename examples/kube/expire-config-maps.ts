/**
 * A controller with all that runs in production: one leader among replicas, a finalizer, events, health checks, metrics.
 * Deletes each config map that is older than its annotation `example.com/expires-after-seconds` allows.
 */
import { Registry } from "prom-client";
import { createClient } from "../../src/kube/client.ts";
import type { KubeConnection } from "../../src/kube/connection.ts";
import { createController, type Reconcile } from "../../src/kube/controller.ts";
import { type ConfigMap, configMaps } from "../../src/kube/core-resources.ts";
import { createEventRecorder } from "../../src/kube/events.ts";
import { addFinalizer, removeFinalizer } from "../../src/kube/finalizers.ts";
import { startHealthServer } from "../../src/kube/health-server.ts";
import { createInformer } from "../../src/kube/informer.ts";
import { createManager } from "../../src/kube/manager.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { objectKey } from "../../src/kube/object.ts";
import { createTransport } from "../../src/kube/transport.ts";

const finalizer = "example.com/expiry";

export interface ExpireOptions {
  readonly connection: KubeConnection;
  readonly namespace: string;
  /** Unique per replica, such as the pod's name. */
  readonly identity: string;
  readonly healthPort: number;
  /** Called for each map before it goes: what a finalizer is for. */
  readonly archive: (map: ConfigMap) => Promise<void>;
}

/** Until `signal` aborts; then ends its work, gives the lease back and closes everything. */
export async function expireConfigMaps(options: ExpireOptions, signal: AbortSignal): Promise<void> {
  const { namespace, identity } = options;
  const registry = new Registry();
  const metrics = createKubeMetrics(registry);
  const transport = createTransport(options.connection, { fieldManager: "expiry", metrics });
  const client = createClient(transport, configMaps);
  const informer = createInformer(transport, configMaps, { namespace, metrics });
  const recorder = createEventRecorder(transport, {
    reportingController: "example.com/expiry",
    reportingInstance: identity,
    metrics,
  });

  const reconcile: Reconcile = async (key, signal) => {
    const map = informer.store.get(key);
    const seconds = Number(map?.metadata.annotations?.["example.com/expires-after-seconds"]);
    if (map === undefined || Number.isNaN(seconds)) return {};
    if (map.metadata.deletionTimestamp !== undefined) {
      if (map.metadata.finalizers?.includes(finalizer)) await options.archive(map);
      await removeFinalizer(client, map, finalizer, { signal });
      return {};
    }
    const held = await addFinalizer(client, map, finalizer, { signal });
    const leftMs = Date.parse(held.metadata.creationTimestamp ?? "") + seconds * 1000 - Date.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { uid = "" } = held.metadata;
    await client.delete(held.metadata, { signal, preconditions: { uid } });
    const note = `${objectKey(held)} was older than ${seconds} s.`;
    recorder.record({ regarding: held, type: "Normal", reason: "Expired", action: "Delete", note });
    return {};
  };

  const controller = createController({ name: "expiry", reconcile, concurrency: 4, metrics });
  controller.watch(informer);
  const manager = createManager({
    informers: [informer],
    controllers: [controller],
    recorder,
    lease: { transport, namespace, name: "expiry", identity, metrics },
  });
  const health = await startHealthServer({
    host: "127.0.0.1",
    port: options.healthPort,
    registry,
    ready: manager.readyChecks,
  });
  try {
    await manager.run(signal);
  } finally {
    await health.close();
    await transport.close();
  }
}
