/**
 * Makes the history: creates, changes, relabels, deletes and recreates config maps, one acknowledged write after another,
 * straight at the server. Called by the chaos run; effects: writes to one namespace.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeClient } from "../../src/kube/client.ts";
import type { ConfigMap } from "../../src/kube/core-resources.ts";
import { objectKey } from "../../src/kube/object.ts";
import { ChaosHistory } from "./history.ts";
import type { SeededRandom } from "./random.ts";

/** The label by which one of the informers selects. */
export const colour = "chaos.example.com/colour";

export class ChaosWriter {
  readonly history = new ChaosHistory();
  readonly #client: KubeClient<ConfigMap>;
  readonly #namespace: string;
  readonly #random: SeededRandom;
  readonly #present = new Map<string, ConfigMap>();
  #deletedLast = false;

  constructor(client: KubeClient<ConfigMap>, namespace: string, random: SeededRandom) {
    this.#client = client;
    this.#namespace = namespace;
    this.#random = random;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#writeOne();
      // In bursts: a watch has now many lines at once, now none.
      const pause = this.#random.next() < 0.9 ? this.#random.between(0, 8) : this.#random.between(20, 200);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
    // A delete has no version of its own; the write after it bounds it.
    if (this.#deletedLast) await this.#write("last");
  }

  async #writeOne(): Promise<void> {
    const name = `map-${this.#random.between(0, 23)}`;
    const present = this.#present.get(name);
    if (present && !this.#deletedLast && this.#random.next() < 0.15) await this.#delete(name, present);
    else await this.#write(name);
  }

  async #write(name: string): Promise<void> {
    const present = this.#present.get(name);
    const labels = { [colour]: this.#random.pick(["red", "blue"]) };
    const metadata = { ...present?.metadata, name, namespace: this.#namespace, labels };
    const body: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { n: String(this.history.length) } };
    const written = await (present ? this.#client.update(body) : this.#client.create(body));
    this.#present.set(name, written);
    this.#deletedLast = false;
    this.#record(written, false);
  }

  async #delete(name: string, present: ConfigMap): Promise<void> {
    await this.#client.delete({ name, namespace: this.#namespace });
    this.#present.delete(name);
    this.#deletedLast = true;
    this.#record(present, true);
  }

  #record(object: ConfigMap, deleted: boolean): void {
    const { uid = "", resourceVersion, labels = {} } = object.metadata;
    const version = deleted ? undefined : Number(resourceVersion);
    this.history.record({ key: objectKey(object), uid, resourceVersion: version, deleted, labels });
  }
}
