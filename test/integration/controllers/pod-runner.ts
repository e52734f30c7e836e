/**
 * A kubelet that runs nothing: it moves bound pods through their states by the name of their image, at once. `exit-N`
 * ends with that status, `never-ready` runs and does not become ready, `stuck` does not start, `slow-end` holds a
 * deletion until it is told; everything else runs and is ready. A deleted pod ends at once.
 */
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { Pod } from "../../../src/embedded/kubelet/core-types.ts";
import { podResource } from "../../../src/embedded/kubelet/pod-api.ts";
import type { PodStatus } from "../../../src/embedded/kubelet/status-types.ts";
import { isConflict, isNotFound, KubeApiError } from "../../../src/kube/api-error.ts";
import { createClient } from "../../../src/kube/client.ts";
import { createInformer } from "../../../src/kube/informer.ts";
import { objectKey } from "../../../src/kube/object.ts";
import type { Transport } from "../../../src/kube/transport.ts";

export interface PodRunner {
  /** Ends the pods of image `slow-end` that are being deleted. */
  finishSlowEnds(): void;
  stop(): Promise<void>;
}

export async function startPodRunner(transport: Transport): Promise<PodRunner> {
  const client = createClient(transport, podResource);
  const informer = createInformer(transport, podResource, { clock: systemClock, logger: silentLogger });
  const work = new Map<string, Promise<void>>();
  const held = new Map<string, Pod>();
  let address = 0;
  const quietly = (call: Promise<unknown>): Promise<void> =>
    call.then(
      () => undefined,
      (error: unknown) => {
        if (!isNotFound(error) && !isConflict(error) && !(error instanceof KubeApiError)) throw error;
      },
    );
  const end = (pod: Pod) => {
    const { uid } = pod.metadata;
    return client.delete(pod.metadata, { gracePeriodSeconds: 0, ...(uid ? { preconditions: { uid } } : {}) });
  };
  const act = async (pod: Pod): Promise<void> => {
    const image = pod.spec.containers[0]?.image ?? "";
    if (!pod.spec.nodeName) return;
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (image === "slow-end" && pod.status?.phase === "Running") held.set(objectKey(pod), pod);
      else await end(pod);
      return;
    }
    if (image === "stuck" || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") return;
    if (pod.status?.phase === "Running" && !image.startsWith("exit-")) return;
    address += 1;
    const status = statusFor(pod, image, `10.1.${Math.floor(address / 250)}.${(address % 250) + 1}`);
    const body = { metadata: { uid: pod.metadata.uid }, status };
    await client.patch(pod.metadata, { kind: "strategic", subresource: "status", body });
  };
  informer.onEvent(({ type, key, object }) => {
    if (type === "deleted") return void held.delete(key);
    const next = (work.get(key) ?? Promise.resolve()).then(() => quietly(act(object)));
    work.set(key, next);
  });
  informer.start();
  await informer.synced(10_000);
  return {
    finishSlowEnds: () => {
      for (const pod of held.values()) void quietly(end(pod));
    },
    stop: async () => {
      await informer.stop();
      await Promise.all(work.values());
    },
  };
}

function statusFor(pod: Pod, image: string, podIP: string): PodStatus {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const exit = /^exit-(\d+)$/.exec(image)?.[1];
  const isReady = exit === undefined && image !== "never-ready";
  const name = pod.spec.containers[0]?.name ?? "";
  const base = { name, image, imageID: image, restartCount: 0 };
  const condition = (type: string) => ({ type, status: isReady ? "True" : "False", lastTransitionTime: now });
  const conditions = [condition("Ready"), condition("ContainersReady")];
  const common = { podIP, podIPs: [{ ip: podIP }], hostIP: "127.0.0.1", startTime: now, conditions };
  if (exit === undefined) {
    const state = { running: { startedAt: now } };
    return { ...common, phase: "Running", containerStatuses: [{ ...base, ready: isReady, state }] };
  }
  const exitCode = Number(exit);
  const terminated = { exitCode, reason: exitCode === 0 ? "Completed" : "Error", startedAt: now, finishedAt: now };
  return {
    ...common,
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    containerStatuses: [{ ...base, ready: false, state: { terminated } }],
  };
}
