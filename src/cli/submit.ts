/** `inferium submit`: creates an InferenceTask from flags and, if asked, follows it to its end. */
import { randomBytes } from "node:crypto";
import type { InferenceTask } from "../api/v1alpha1/types.ts";
import { createClient } from "../kube/client.ts";
import { buildTask, type SubmitFlags } from "./build-task.ts";
import { type CliContext, type ClusterOptions, tasks } from "./context.ts";
import { followTask } from "./follow-task.ts";
import { readInput, readModel } from "./task-source.ts";
import { phaseOf } from "./task-summary.ts";

export interface SubmitOptions extends SubmitFlags, ClusterOptions {
  /** URI or local file. */
  readonly model: string;
  readonly modelDigest?: string;
  /** JSON, local file of JSON or safetensors, or URI. */
  readonly input: string;
  readonly inputDigest?: string;
  readonly wait?: boolean;
  /** Seconds. */
  readonly waitTimeout?: number;
  readonly output?: "text" | "json";
}

/** @returns the exit status: 1 where the task was followed and did not succeed */
export async function runSubmit(options: SubmitOptions, context: CliContext): Promise<number> {
  const { namespace, transport } = context.cluster;
  const suffix = randomBytes(4).toString("hex");
  const model = await readModel(options.model, options.modelDigest);
  const input = await readInput(options.input, options.inputDigest);
  const draft = buildTask(options, { namespace, model, input, suffix });
  // The API fills the fields that are missing with their defaults.
  const created = await createClient(transport, tasks).create(draft as InferenceTask);
  context.io.note(`inferencetask ${created.metadata.name} created in namespace ${namespace}`);
  const task = options.wait ? await follow(options, context, created.metadata.name) : created;
  for (const line of options.output === "json" ? [JSON.stringify(task)] : describeTask(task)) context.io.out(line);
  return !options.wait || phaseOf(task) === "Succeeded" ? 0 : 1;
}

function follow(options: SubmitOptions, context: CliContext, name: string): Promise<InferenceTask> {
  const timeoutMs = (options.waitTimeout ?? 600) * 1_000;
  return followTask(context, { namespace: context.cluster.namespace, name, timeoutMs });
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
