/** Creates objects as fast as an API server takes them and counts those that have ended, as any client that watches would. */
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { createClient } from "../../src/kube/client.ts";
import { createInformer } from "../../src/kube/informer.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import type { ResourceType } from "../../src/kube/resource.ts";
import type { Transport } from "../../src/kube/transport.ts";
import { tellProgress, within } from "./bench-options.ts";
import { createSurely } from "./create-surely.ts";

export interface Ending<T extends KubeObject> {
  readonly title: string;
  readonly type: ResourceType<T>;
  readonly objects: readonly T[];
  readonly hasEnded: (object: T) => boolean;
  /** From the first create. */
  readonly timeoutMs: number;
}

export interface Ended {
  readonly created: number;
  /** In time. */
  readonly ended: number;
  readonly seconds: number;
  readonly perSecond: number;
}

const creators = 32;

export async function countEnded<T extends KubeObject>(transport: Transport, ending: Ending<T>): Promise<Ended> {
  const { title, type, objects, hasEnded, timeoutMs } = ending;
  const informer = createInformer(transport, type, { clock: systemClock, logger: silentLogger, transform: hasEnded });
  const done = Promise.withResolvers<void>();
  const ended = new Set<string>();
  let [lastAt, created] = [0, 0];
  informer.onEvent(({ type: change, key, object }) => {
    if (change === "deleted" || !object || ended.has(key)) return;
    ended.add(key);
    lastAt = performance.now();
    if (ended.size === objects.length) done.resolve();
  });
  informer.start();
  await informer.synced(30_000);
  const progress = tellProgress(() => `${title}: ${ended.size} of ${created} created have ended`);
  const begun = performance.now();
  try {
    const creating = createAll(transport, type, objects, () => {
      created++;
      return performance.now() - begun < timeoutMs;
    });
    await within(timeoutMs, Promise.all([creating, done.promise]));
  } finally {
    progress.end();
    await informer.stop();
  }
  const seconds = ((ended.size === objects.length ? lastAt : performance.now()) - begun) / 1_000;
  return { created, ended: ended.size, seconds: round(seconds), perSecond: round(ended.size / seconds) };
}

/** @param onCreated answers whether to go on */
export async function createAll<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  objects: readonly T[],
  onCreated: () => boolean = () => true,
): Promise<void> {
  const client = createClient(transport, type);
  let next = 0;
  const creator = async () => {
    for (let object = objects[next++]; object !== undefined; object = objects[next++]) {
      await createSurely(client, object);
      if (!onCreated()) return;
    }
  };
  await Promise.all(Array.from({ length: creators }, creator));
}

const round = (value: number) => Number(value.toFixed(2));
