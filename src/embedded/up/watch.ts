/** What a run observes of its own cluster: tasks and members, from informers, and waiting for something to become true. */
import type { InferenceTask, WorkerNode } from "../../api/v1alpha1/types.ts";
import { inferenceTaskResource, workerNodeResource } from "../../api/v1alpha1/types.ts";
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { createInformer, type Informer } from "../../kube/informer.ts";
import { defineResource } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import { demoNamespace } from "../demo/workload.ts";
import type { Teardown } from "./teardown.ts";

export interface Watch {
  readonly tasks: Informer<InferenceTask>;
  readonly nodes: Informer<WorkerNode>;
}

export async function startWatch(transport: Transport, logger: Logger, teardown: Teardown): Promise<Watch> {
  const tasks = createInformer(transport, defineResource<InferenceTask>(inferenceTaskResource), {
    namespace: demoNamespace,
    logger,
  });
  const nodes = createInformer(transport, defineResource<WorkerNode>(workerNodeResource), { logger });
  for (const informer of [tasks, nodes]) {
    informer.start();
    teardown.add(`${informer.resource} informer`, () => informer.stop());
  }
  await Promise.all([tasks.synced(30_000), nodes.synced(30_000)]);
  return { tasks, nodes };
}

export interface WaitOptions {
  readonly informers: readonly Informer<unknown>[];
  readonly isTrue: () => boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What was waited for and how far it got; becomes the error. */
  readonly describe: () => string;
  /** Called on every look, at most about five times a second. */
  readonly onLook?: () => void;
}

/** Resolves once `isTrue`; looks again at every change. @throws InferiumError WaitTimeout, or the signal's reason */
export async function waitUntil(options: WaitOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let due = false;
  const look = () => {
    due = false;
    options.onLook?.();
    if (options.isTrue()) resolve();
  };
  const wake = () => {
    if (due) return;
    due = true;
    setTimeout(look, 200);
  };
  const undo = options.informers.map((informer) => informer.onEvent(wake));
  const ticker = setInterval(wake, 1_000);
  const timer = setTimeout(
    () =>
      reject(new InferiumError("WaitTimeout", `Waited ${options.timeoutMs / 1000} s in vain: ${options.describe()}`)),
    options.timeoutMs,
  );
  const onAbort = () => reject(options.signal.reason);
  options.signal.addEventListener("abort", onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  look();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    clearInterval(ticker);
    options.signal.removeEventListener("abort", onAbort);
    for (const stop of undo) stop();
  }
}
