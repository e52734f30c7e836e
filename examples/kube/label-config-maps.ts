/** The smallest whole controller: labels every config map of a namespace. The README shows its ten lines. */
import { createClient } from "../../src/kube/client.ts";
import { createController, type Reconcile } from "../../src/kube/controller.ts";
import { configMaps } from "../../src/kube/core-resources.ts";
import { createInformer } from "../../src/kube/informer.ts";
import { createManager } from "../../src/kube/manager.ts";
import { parseObjectKey } from "../../src/kube/object.ts";
import type { Transport } from "../../src/kube/transport.ts";

/** Until `signal` aborts. */
export async function labelConfigMaps(transport: Transport, signal: AbortSignal): Promise<void> {
  const client = createClient(transport, configMaps);
  const informer = createInformer(transport, configMaps, { namespace: "default" });
  const reconcile: Reconcile = async (key, signal) => {
    const found = informer.store.get(key);
    if (found === undefined || found.metadata.labels?.seen === "yes") return;
    await client.apply({ metadata: { ...parseObjectKey(key), labels: { seen: "yes" } } }, { signal });
  };
  const controller = createController({ name: "labeller", reconcile });
  controller.watch(informer);
  await createManager({ informers: [informer], controllers: [controller] }).run(signal);
}
