/**
 * The pods of one node: a worker for each, by uid. Fed by the informer; asked by the log endpoint. Stop ends every pod as
 * a graceful node shutdown does.
 */
import { describeError } from "../../base/errors.ts";
import type { StoreEvent } from "../../kube/store.ts";
import type { ContainerRun } from "./container-run.ts";
import type { Pod } from "./core-types.ts";
import type { LogProvider } from "./kubelet-server.ts";
import type { LogFile } from "./log-file.ts";
import { PodWorker, type PodWorkerDeps } from "./pod-worker.ts";

const shutdownVerdict = {
  reason: "Terminated",
  message: "Pod was terminated in response to imminent node shutdown.",
  isDisruption: true,
};
/** After their grace, pods are given this long to be written as ended. */
const settleTimeoutMs = 5_000;

export class PodTable implements LogProvider {
  readonly #deps: PodWorkerDeps;
  readonly #nodeName: string;
  readonly #workers = new Map<string, PodWorker>();

  constructor(deps: PodWorkerDeps, nodeName: string) {
    this.#deps = deps;
    this.#nodeName = nodeName;
  }

  take(event: StoreEvent<Pod>): void {
    const pod = event.object;
    const uid = pod.metadata.uid ?? "";
    if (pod.spec.nodeName !== this.#nodeName || uid === "") return;
    const worker = this.#workers.get(uid);
    if (event.type === "deleted") worker?.remove(pod);
    else if (worker !== undefined) worker.update(pod);
    else this.#begin(uid, pod);
  }

  async findLog(
    namespace: string,
    pod: string,
    container: string,
    previous: boolean,
  ): Promise<LogFile | string | undefined> {
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.name === pod && metadata.namespace === namespace) return worker.findLog(container, previous);
    }
    return undefined;
  }

  findRun(namespace: string, pod: string, container: string): ContainerRun | string | undefined {
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.name === pod && metadata.namespace === namespace) return worker.findRun(container);
    }
    return undefined;
  }

  async stop(maxGraceMs: number): Promise<void> {
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.end(shutdownVerdict, maxGraceMs);
    const settled = Promise.all(workers.map((worker) => worker.settled()));
    const timer = new AbortController();
    const late = this.#deps.clock.sleep(maxGraceMs + settleTimeoutMs, timer.signal).then(() => "late" as const);
    const first = await Promise.race([settled, late.catch(() => undefined)]);
    timer.abort(new Error("pods settled"));
    if (first === "late") this.#deps.logger.warn("some pods were not written as ended before the kubelet stopped");
    await Promise.all(workers.map((worker) => worker.close()));
    this.#workers.clear();
  }

  #begin(uid: string, pod: Pod): void {
    try {
      const worker = new PodWorker(this.#deps, pod);
      this.#workers.set(uid, worker);
      void worker.done.then(() => this.#workers.delete(uid));
    } catch (error) {
      this.#deps.logger.error("pod cannot be run", { pod: pod.metadata.name, reason: describeError(error) });
    }
  }
}
