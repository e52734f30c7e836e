/**
 * `inferium drain NAME...`: members of the pool get no further work, and what they run is waited for; `uncordon` takes it back.
 * Effects: spec.cordoned of the WorkerNodes. Nothing is evicted: after a drain the node can be drained with kubectl.
 */
import type { WorkerNode } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import { isNotFound } from "../kube/api-error.ts";
import { createClient } from "../kube/client.ts";
import { type CliContext, type ClusterOptions, workerNodes } from "./context.ts";

export interface DrainOptions extends ClusterOptions {
  /** Seconds. */
  readonly timeout: number;
}

const lookEveryMs = 500;

/** @returns the exit status. @throws InferiumError WorkerNodeNotFound, WaitTimedOut */
export async function runDrain(names: readonly string[], options: DrainOptions, context: CliContext): Promise<number> {
  const cordoned = await setCordoned(names, true, context);
  await Promise.all(cordoned.map((node) => waitUntilIdle(node, options.timeout, context)));
  return 0;
}

/** @throws InferiumError WorkerNodeNotFound */
export async function runUncordon(names: readonly string[], context: CliContext): Promise<number> {
  await setCordoned(names, false, context);
  return 0;
}

/** All are looked up before the first is changed, so that a wrong name changes nothing. */
async function setCordoned(names: readonly string[], cordoned: boolean, context: CliContext): Promise<WorkerNode[]> {
  const client = createClient(context.cluster.transport, workerNodes);
  await Promise.all(names.map((name) => getNode(name, context)));
  return Promise.all(
    names.map(async (name) => {
      const node = await client.patch({ name }, { kind: "merge", body: { spec: { cordoned } } });
      context.io.out(`workernode ${name} ${cordoned ? "cordoned" : "uncordoned"}`);
      return node;
    }),
  );
}

/** Idle: the operator has seen that it is cordoned, and counts no task of it. A count from before would not do. */
async function waitUntilIdle({ metadata }: WorkerNode, timeoutSeconds: number, context: CliContext): Promise<void> {
  const { clock, signal, io } = context;
  const deadline = clock.monotonic() + timeoutSeconds * 1_000;
  let shown = "";
  for (;;) {
    const { status } = await getNode(metadata.name, context);
    const isSeen = (status?.observedGeneration ?? -1) >= (metadata.generation ?? 1);
    const active = status?.active ?? 0;
    if (isSeen && active === 0) return io.out(`workernode ${metadata.name} drained`);
    const line = isSeen ? `${metadata.name}: ${active} running` : `${metadata.name}: the operator has not seen it yet`;
    if (line !== shown) io.note(line);
    shown = line;
    if (clock.monotonic() >= deadline) throw timedOut(metadata.name, timeoutSeconds, isSeen ? active : undefined);
    await clock.sleep(lookEveryMs, signal);
  }
}

async function getNode(name: string, { cluster, signal }: CliContext): Promise<WorkerNode> {
  try {
    return await createClient(cluster.transport, workerNodes).get({ name }, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const message = `There is no WorkerNode ${name}; kubectl get wn lists them (the name of a node may be another).`;
    throw new InferiumError("WorkerNodeNotFound", message, { cause: error });
  }
}

function timedOut(name: string, seconds: number, active: number | undefined): InferiumError {
  const state =
    active === undefined
      ? "no operator has taken notice; look whether one runs"
      : `it still runs ${active} of its tasks`;
  const message = `WorkerNode ${name} is cordoned, but not drained after ${seconds} s: ${state}. Run drain again to wait on.`;
  return new InferiumError("WaitTimedOut", message, { disposition: "retry" });
}
