/** Metrics under the names and labels of a Kubernetes API server, so that its dashboards and alerts work. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ApiContext } from "./operations/context.ts";
import type { RequestLabels } from "./request-labels.ts";

const buckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const resourceLabels = ["component", "group", "resource", "scope", "subresource", "verb", "version"] as const;
const requestLabels = ["component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version"] as const;

export class ApiMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"code" | "system_client" | (typeof requestLabels)[number]>;
  readonly #seconds: Histogram<(typeof requestLabels)[number]>;
  readonly #inFlight: Gauge<"request_kind">;
  readonly #longRunning: Gauge<(typeof resourceLabels)[number]>;

  constructor(context: ApiContext) {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "apiserver_request_total",
      help: "Requests by verb, dry run, group, version, resource, scope, component and HTTP code.",
      labelNames: ["code", ...requestLabels.slice(0, 6), "system_client", "verb", "version"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "apiserver_request_duration_seconds",
      help: "Time to answer, watches and other long-running requests excepted.",
      labelNames: requestLabels,
      buckets,
      registers,
    });
    this.#inFlight = new Gauge({
      name: "apiserver_current_inflight_requests",
      help: "Requests being answered now, by kind.",
      labelNames: ["request_kind"],
      registers,
    });
    for (const request_kind of ["mutating", "readOnly"]) this.#inFlight.set({ request_kind }, 0);
    this.#longRunning = new Gauge({
      name: "apiserver_longrunning_requests",
      help: "Watches, logs and other long-running requests that are open now.",
      labelNames: resourceLabels,
      registers,
    });
    new Gauge({
      name: "apiserver_resource_objects",
      help: "Stored objects by group and resource.",
      labelNames: ["group", "resource"],
      registers,
      collect() {
        this.reset();
        for (const { group, plural, storage } of context.kinds.storages())
          this.set({ group, resource: plural }, context.store.count(storage));
      },
    });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** @returns what is to be called when the answer has ended */
  begin(labels: RequestLabels): (code: number) => void {
    const started = performance.now();
    const { dryRun, longRunning, mutating, group, resource, scope, subresource, verb, version } = labels;
    const request_kind = mutating ? "mutating" : "readOnly";
    // Labels are written in this order, which is that of the alphabet.
    const what = { group, resource, scope, subresource };
    const common = { component: "apiserver", ...what, verb, version };
    const all = { component: "apiserver", dry_run: dryRun, ...what };
    if (longRunning) this.#longRunning.inc(common);
    else this.#inFlight.inc({ request_kind });
    return (code) => {
      if (longRunning) this.#longRunning.dec(common);
      else this.#inFlight.dec({ request_kind });
      this.#requests.inc({ code: String(code), ...all, system_client: "", verb, version });
      if (!longRunning) this.#seconds.observe({ ...all, verb, version }, (performance.now() - started) / 1000);
    };
  }
}
