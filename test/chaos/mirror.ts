/**
 * A controller under chaos: keeps in a second namespace a copy of every map of the first, by apply and delete through a
 * proxy that fails. It must get there in the end, whatever was refused, lost or done twice on the way.
 */
import { isNotFound } from "../../src/kube/api-error.ts";
import { createClient } from "../../src/kube/client.ts";
import { createStaticConnection, type KubeConnection } from "../../src/kube/connection.ts";
import { createController } from "../../src/kube/controller.ts";
import { configMaps } from "../../src/kube/core-resources.ts";
import { createInformer } from "../../src/kube/informer.ts";
import { createManager } from "../../src/kube/manager.ts";
import { parseObjectKey } from "../../src/kube/object.ts";
import { createQueue } from "../../src/kube/queue.ts";
import { createTransport } from "../../src/kube/transport.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import { createFaultPlan, type FaultRates } from "./faults.ts";
import { fastTiming } from "./followers.ts";
import type { SeededRandom } from "./random.ts";
import { colour } from "./writer.ts";

export interface MirrorOptions {
  readonly from: string;
  readonly to: string;
  readonly random: SeededRandom;
  readonly rates: FaultRates;
}

export interface Mirror {
  readonly proxy: FaultProxy;
  readonly reconciles: number;
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export async function startMirror(upstream: KubeConnection, options: MirrorOptions): Promise<Mirror> {
  const { from, to, random } = options;
  const proxy = await startFaultProxy(upstream, createFaultPlan(random.fork("faults"), options.rates));
  const token = (await upstream.authorization())?.replace("Bearer ", "");
  const connection = createStaticConnection({ server: proxy.url, ...(token === undefined ? {} : { token }) });
  const transport = createTransport(connection, { fieldManager: "mirror", timeoutMs: 1_000 });
  const client = createClient(transport, configMaps);
  const informer = createInformer(transport, configMaps, {
    namespace: from,
    labelSelector: colour,
    timing: fastTiming,
  });
  let reconciles = 0;
  const controller = createController({
    name: "mirror",
    concurrency: 4,
    queue: createQueue({ name: "mirror", backoffMaxMs: 500, random: random.fork("queue").next }),
    reconcile: async (key, signal) => {
      reconciles++;
      const { name } = parseObjectKey(key);
      const source = informer.store.get(key);
      if (source) {
        await client.apply({ metadata: { name, namespace: to }, data: { ...source.data } }, { signal });
        return;
      }
      await client.delete({ name, namespace: to }, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    },
  });
  controller.watch(informer);
  const manager = createManager({ informers: [informer], controllers: [controller] });
  return {
    proxy,
    get reconciles() {
      return reconciles;
    },
    run: (signal) => manager.run(signal),
    close: async () => {
      await transport.close();
      await proxy.close();
    },
  };
}
