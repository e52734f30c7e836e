/** `inferium submit`: creates InferenceTasks from flags or manifests and, if asked, follows them to their end. */
import { randomBytes } from "node:crypto";
import type { InferenceTask } from "../api/v1alpha1/types.ts";
import { InferiumError } from "../base/errors.ts";
import { createClient } from "../kube/client.ts";
import { buildTask, type NewTask, type SubmitFlags } from "./build-task.ts";
import { type CliContext, type ClusterOptions, tasks } from "./context.ts";
import { followTask } from "./follow-task.ts";
import { readTaskManifests } from "./task-manifests.ts";
import { readInput, readModel } from "./task-source.ts";
import { phaseOf } from "./task-summary.ts";

export interface SubmitOptions extends SubmitFlags, ClusterOptions {
  /** Manifests in place of a model and an input; `-` for standard input. */
  readonly filename?: string;
  /** URI or local file. */
  readonly model?: string;
  readonly modelDigest?: string;
  /** JSON, local file of JSON or safetensors, or URI. */
  readonly input?: string;
  readonly inputDigest?: string;
  readonly wait?: boolean;
  /** Seconds. */
  readonly waitTimeout?: number;
  readonly output?: "text" | "json";
}

/** @returns the exit status: 1 where a task was followed and did not succeed. @throws InferiumError InvalidUsage */
export async function runSubmit(options: SubmitOptions, context: CliContext): Promise<number> {
  const client = createClient(context.cluster.transport, tasks);
  const created: InferenceTask[] = [];
  for (const draft of await readDrafts(options, context)) {
    // The API fills the fields that are missing with their defaults.
    const task = await client.create(draft as InferenceTask);
    created.push(task);
    context.io.note(`inferencetask ${task.metadata.name} created in namespace ${task.metadata.namespace}`);
  }
  const ended = options.wait ? await Promise.all(created.map((task) => follow(options, context, task))) : created;
  for (const task of ended)
    for (const line of options.output === "json" ? [JSON.stringify(task)] : describeTask(task)) context.io.out(line);
  return !options.wait || ended.every((task) => phaseOf(task) === "Succeeded") ? 0 : 1;
}

async function readDrafts(options: SubmitOptions, { cluster }: CliContext): Promise<NewTask[]> {
  const { namespace } = cluster;
  const suffix = () => randomBytes(4).toString("hex");
  const { filename, model, input } = options;
  if (filename !== undefined) {
    const flags = Object.keys(options).filter((name) => !besideManifests.has(name));
    if (flags.length === 0)
      return readTaskManifests(filename, { namespace, isAsked: options.namespace !== undefined, suffix });
    const message = `-f gives the whole task, so ${flags.join(", ")} cannot be given as well; write it into the manifest.`;
    throw new InferiumError("InvalidUsage", message);
  }
  if (model === undefined || input === undefined)
    throw new InferiumError("InvalidUsage", "Give -f with a manifest, or both --model and --input.");
  const sources = {
    namespace,
    model: await readModel(model, options.modelDigest),
    input: await readInput(input, options.inputDigest),
    suffix: suffix(),
  };
  return [buildTask(options, sources)];
}

/** Options that say nothing of the task itself. */
const besideManifests: ReadonlySet<string> = new Set([
  ...["filename", "wait", "waitTimeout", "output", "kubeconfig", "context", "namespace"],
]);

function follow(options: SubmitOptions, context: CliContext, { metadata }: InferenceTask): Promise<InferenceTask> {
  const timeoutMs = (options.waitTimeout ?? 600) * 1_000;
  // With several tasks the lines of progress say whose they are.
  const note = (line: string) => context.io.note(options.filename ? `${metadata.name}: ${line}` : line);
  const { name, namespace = context.cluster.namespace } = metadata;
  return followTask({ ...context, io: { ...context.io, note } }, { namespace, name, timeoutMs });
}

/** What a person wants of it: its name, how it ended, what came out. */
export function describeTask(task: InferenceTask): string[] {
  const { output, settlement, assignment } = task.status ?? {};
  const values = Object.entries(output?.inline ?? {});
  return [
    `${task.metadata.namespace}/${task.metadata.name}: ${phaseOf(task)}`,
    ...(assignment ? [`worker: ${assignment.worker}, attempt ${assignment.attempt}`] : []),
    ...(output ? [`output: ${output.digest}`] : []),
    ...values.map(([name, { dtype, shape, data }]) => {
      const shown = data === undefined || data.length > 32 ? `${dtype} values` : data.join(", ");
      return `  ${name} [${shape.join(", ")}]: ${shown}`;
    }),
    ...(settlement ? [`settled: batch ${settlement.batch}, transaction ${settlement.txHash ?? "unknown"}`] : []),
  ];
}
