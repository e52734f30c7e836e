/** Follows one task until it is over. Effects: a watch on the API; a line of progress for each change of its phase. */
import type { InferenceTask } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import { createInformer } from "../kube/informer.ts";
import { type CliContext, tasks } from "./context.ts";
import { isOver, phaseOf, summaryOf } from "./task-summary.ts";

export interface FollowOptions {
  readonly namespace: string;
  readonly name: string;
  readonly timeoutMs: number;
}

/** @throws InferiumError WaitTimedOut, TaskDeleted */
export async function followTask(context: CliContext, options: FollowOptions): Promise<InferenceTask> {
  const { namespace, name, timeoutMs } = options;
  const selection = { namespace, fieldSelector: `metadata.name=${name}`, clock: context.clock };
  const informer = createInformer(context.cluster.transport, tasks, selection);
  const over = new AbortController();
  const aborted = AbortSignal.any([context.signal, over.signal]);
  const finished = Promise.withResolvers<InferenceTask>();
  let shown = "";
  informer.onEvent((event) => {
    if (event.type === "deleted") return finished.reject(deleted(options));
    const line = describeProgress(event.object);
    if (line !== shown) context.io.note(line);
    shown = line;
    if (isOver(event.object)) finished.resolve(event.object);
  });
  const late = context.clock.sleep(timeoutMs, aborted).then(() => Promise.reject(timedOut(options, shown)));
  informer.start();
  try {
    return await Promise.race([finished.promise, late]);
  } finally {
    over.abort(new InferiumError("Done", "The task is no longer followed."));
    await informer.stop();
  }
}

function describeProgress(task: InferenceTask): string {
  const summary = summaryOf(task);
  return summary === undefined ? phaseOf(task) : `${phaseOf(task)}: ${summary}`;
}

function timedOut({ name, timeoutMs }: FollowOptions, shown: string): InferiumError {
  const message = `Task ${name} is not over after ${timeoutMs / 1_000} s (${shown || "never seen"}). It goes on; see inferium explain ${name}.`;
  return new InferiumError("WaitTimedOut", message, { disposition: "retry" });
}

function deleted({ name }: FollowOptions): InferiumError {
  return new InferiumError("TaskDeleted", `Task ${name} was deleted before it was over.`);
}
