/** One informer of config maps with its usual timing, in a process of its own: tells every event that it was told. */
import { createStaticConnection } from "../../src/kube/connection.ts";
import { configMaps } from "../../src/kube/core-resources.ts";
import { createInformer } from "../../src/kube/informer.ts";
import { createTransport } from "../../src/kube/transport.ts";
import { answerSamples } from "./sample.ts";

export interface FollowerStart {
  readonly server: string;
  readonly token: string;
  readonly ca: string;
  readonly namespace: string;
}

export interface FollowedEvent {
  readonly key: string;
  /** Of the object; of a deletion, the one that was deleted. */
  readonly uid: string;
  readonly resourceVersion: number;
  readonly deleted: boolean;
}

process.once("message", async ({ server, token, ca, namespace }: FollowerStart) => {
  answerSamples();
  const transport = createTransport(createStaticConnection({ server, token, ca }));
  const informer = createInformer(transport, configMaps, { namespace });
  informer.onEvent((event) => {
    const { uid = "", resourceVersion } = event.object.metadata;
    const deleted = event.type === "deleted";
    const followed: FollowedEvent = { key: event.key, uid, resourceVersion: Number(resourceVersion), deleted };
    process.send?.({ followed });
  });
  informer.start();
  process.once("SIGTERM", async () => {
    await informer.stop();
    await transport.close();
    process.disconnect();
  });
  await informer.synced(120_000);
  process.send?.({ synced: true });
});
