/** What a soak does all the time: tasks at a steady rate, which are deleted soon after their end, and writes to config maps. */
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type KubeClient } from "../../src/kube/client.ts";
import { type ConfigMap, configMaps, namespaces } from "../../src/kube/core-resources.ts";
import { objectKey } from "../../src/kube/object.ts";
import type { SeededRandom } from "../chaos/random.ts";
import { aTask, type Cluster } from "../integration/operator/operator-fixture.ts";
import type { ModelFile } from "../sim/general/build-task.ts";
import type { EventAccount } from "./event-account.ts";

export const namespace = "soak";
const taskEveryMs = 500;
const writeEveryMs = 50;
/** Long enough for an informer of tasks to see how they ended. */
const keepSeconds = 10;
const maps = 24;

export interface TaskCounts {
  created: number;
  succeeded: number;
  failed: number;
  /** Named, with how they ended. */
  readonly failures: string[];
}

/** Until the signal is aborted; straight at the server, past the cuts. */
export async function createTasks(cluster: Cluster, model: ModelFile, counts: TaskCounts, signal: AbortSignal) {
  while (!signal.aborted) {
    const number = ++counts.created;
    const input = { inline: { x: { dtype: "float32" as const, shape: [1], data: [number % 1_000] } } };
    const verification = { policy: "Exact" as const, validators: 3, quorum: 2 };
    const task = aTask(`soak-${number}`, {
      ...{ input, verification, reward: "0.01", retries: 5, ttlSecondsAfterFinished: keepSeconds },
      model: { ...model, format: "onnx" },
    });
    await cluster.tasks.create(task);
    await pause(taskEveryMs, signal);
  }
}

/** Looks at the tasks often enough to see each one's end before it is deleted. @returns how many are not at their end */
export async function countEnds({ tasks }: Cluster, counts: TaskCounts, ended: Set<string>): Promise<number> {
  const { items } = await tasks.list({ namespace: "default" });
  const present = new Set(items.map(({ metadata }) => metadata.name));
  for (const { metadata, status } of items) {
    const isPaid = status?.phase === "Succeeded" && status.settlement?.block !== undefined;
    const isFailed = status?.phase === "Failed" || status?.phase === "Rejected";
    if (ended.has(metadata.name) || (!isPaid && !isFailed)) continue;
    ended.add(metadata.name);
    if (isPaid) counts.succeeded++;
    else {
      counts.failed++;
      if (counts.failures.length < 20)
        counts.failures.push(`${metadata.name}: ${JSON.stringify(status?.attempts ?? status?.conditions)}`);
    }
  }
  for (const name of ended) if (!present.has(name)) ended.delete(name);
  return counts.created - counts.succeeded - counts.failed;
}

/** Creates, changes and deletes config maps one after another, and tells the account what the server has acknowledged. */
export class SteadyWriter {
  readonly #client: KubeClient<ConfigMap>;
  readonly #present = new Map<string, ConfigMap>();
  readonly #account: EventAccount;
  readonly #random: SeededRandom;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, account: EventAccount, random: SeededRandom) {
    this.#cluster = cluster;
    this.#client = createClient(cluster.transport, configMaps);
    this.#account = account;
    this.#random = random;
  }

  async prepare(): Promise<void> {
    await createClient(this.#cluster.transport, namespaces).apply({ metadata: { name: namespace } });
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const name = `map-${this.#random.between(0, maps - 1)}`;
      const present = this.#present.get(name);
      if (present && this.#random.next() < 0.1) await this.#delete(name, present);
      else await this.#write(name, present);
      await pause(writeEveryMs, signal);
    }
  }

  async #delete(name: string, present: ConfigMap): Promise<void> {
    await this.#client.delete({ name, namespace });
    this.#present.delete(name);
    const { uid = "" } = present.metadata;
    this.#account.onWrite({ key: objectKey(present), uid, resourceVersion: undefined }, performance.now());
  }

  async #write(name: string, present: ConfigMap | undefined): Promise<void> {
    const metadata = { ...present?.metadata, name, namespace };
    const data = { n: String(this.#account.writes) };
    const body: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
    const written = await (present ? this.#client.update(body) : this.#client.create(body));
    this.#present.set(name, written);
    const { uid = "", resourceVersion } = written.metadata;
    this.#account.onWrite(
      { key: objectKey(written), uid, resourceVersion: Number(resourceVersion) },
      performance.now(),
    );
  }
}

/** Ends early, and without an error, when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
