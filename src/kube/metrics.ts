/**
 * The metrics of the runtime under the names that existing controller dashboards know. One call makes all of them in
 * the registry it is given; there is no global registry. Everything here is optional to its users (`metrics?.`).
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const registers = (registry: Registry) => ({ registers: [registry] });
const seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export type KubeMetrics = ReturnType<typeof createKubeMetrics>;

export function createKubeMetrics(registry: Registry) {
  return { ...createRequestMetrics(registry), ...createQueueMetrics(registry), ...createControllerMetrics(registry) };
}

function createRequestMetrics(registry: Registry) {
  const at = registers(registry);
  return {
    requests: new Counter({
      name: "rest_client_requests_total",
      help: "Requests to the API server, by HTTP status code.",
      labelNames: ["method", "code", "host"],
      ...at,
    }),
    requestRetries: new Counter({
      name: "rest_client_request_retries_total",
      help: "Requests sent again after a throttled, unavailable or reset first try.",
      labelNames: ["method", "host"],
      ...at,
    }),
    relists: new Counter({
      name: "reflector_lists_total",
      help: "Times an informer read the whole collection, by resource.",
      labelNames: ["resource"],
      ...at,
    }),
    watches: new Counter({
      name: "reflector_watches_total",
      help: "Watches opened by an informer, by resource.",
      labelNames: ["resource"],
      ...at,
    }),
    watchErrors: new Counter({
      name: "reflector_watch_errors_total",
      help: "Lists and watches that ended in an error, by resource and reason.",
      labelNames: ["resource", "reason"],
      ...at,
    }),
    eventsDiscarded: new Counter({
      name: "event_recorder_discarded_total",
      help: "Kubernetes Events not written because of the rate bound or a refusal.",
      labelNames: ["reason"],
      ...at,
    }),
    leader: new Gauge({
      name: "leader_election_master_status",
      help: "1 while this process holds the lease, else 0.",
      labelNames: ["name"],
      ...at,
    }),
  };
}

function createQueueMetrics(registry: Registry) {
  const at = { labelNames: ["name"] as const, ...registers(registry) };
  /** How many keys wait, by the name of the queue: asked when somebody reads the metrics, for it changes with every key. */
  const queueDepths = new Map<string, () => number>();
  return {
    queueDepths,
    queueDepth: new Gauge({
      name: "workqueue_depth",
      help: "Keys waiting for a worker.",
      ...at,
      collect() {
        for (const [name, depthOf] of queueDepths) this.set({ name }, depthOf());
      },
    }),
    queueAdds: new Counter({ name: "workqueue_adds_total", help: "Keys that entered the queue.", ...at }),
    queueRetries: new Counter({ name: "workqueue_retries_total", help: "Keys put back after a failure.", ...at }),
    queueWait: new Histogram({
      name: "workqueue_queue_duration_seconds",
      help: "Time a key waited in the queue.",
      buckets: seconds,
      ...at,
    }),
    queueWork: new Histogram({
      name: "workqueue_work_duration_seconds",
      help: "Time a worker held a key.",
      buckets: seconds,
      ...at,
    }),
  };
}

function createControllerMetrics(registry: Registry) {
  const at = { labelNames: ["controller"] as const, ...registers(registry) };
  /** By the name of the controller, as `queueDepths`. */
  const activeCounts = new Map<string, () => number>();
  return {
    reconciles: new Counter({
      name: "controller_runtime_reconcile_total",
      help: "Reconciles by result: success, requeue_after, error.",
      labelNames: ["controller", "result"],
      ...registers(registry),
    }),
    reconcileErrors: new Counter({
      name: "controller_runtime_reconcile_errors_total",
      help: "Reconciles that failed.",
      ...at,
    }),
    reconcileTime: new Histogram({
      name: "controller_runtime_reconcile_time_seconds",
      help: "Time of one reconcile.",
      buckets: seconds,
      ...at,
    }),
    activeCounts,
    activeWorkers: new Gauge({
      name: "controller_runtime_active_workers",
      help: "Workers now inside a reconcile.",
      ...at,
      collect() {
        for (const [controller, countOf] of activeCounts) this.set({ controller }, countOf());
      },
    }),
  };
}
