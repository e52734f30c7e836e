/** The kinds that the operator works on, as its clients and informers address them, and how tasks are kept in memory. */
import {
  type Agent,
  agentResource,
  type InferenceTask,
  inferenceTaskResource,
  type Leaderboard,
  leaderboardResource,
  type Model,
  modelResource,
  type Validation,
  validationResource,
  type WorkerNode,
  workerNodeResource,
} from "../api/v1alpha1/types.ts";
import type { KubeObject } from "../kube/object.ts";
import { defineResource } from "../kube/resource.ts";

export type TaskObject = InferenceTask & KubeObject;
export type WorkerObject = WorkerNode & KubeObject;
export type ValidationObject = Validation & KubeObject;
export type ModelObject = Model & KubeObject;
export type LeaderboardObject = Leaderboard & KubeObject;

export type AgentObject = Agent & KubeObject;

export const agents = defineResource<AgentObject>(agentResource);
export const tasks = defineResource<TaskObject>(inferenceTaskResource);
export const workerNodes = defineResource<WorkerObject>(workerNodeResource);
export const validations = defineResource<ValidationObject>(validationResource);
export const models = defineResource<ModelObject>(modelResource);
export const leaderboards = defineResource<LeaderboardObject>(leaderboardResource);

/** Inline tensors of more bytes than this are read from the server when they are needed, not kept for each task. */
const keptInlineBytes = 2_048;

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * A task without what only a worker or a validator reads. Made anew rather than by deleting, and with texts that many tasks have in
 * common only once: as many of these are in memory as there are tasks.
 */
export function compactTask(task: TaskObject): TaskObject {
  const { managedFields: _, annotations, ...metadata } = task.metadata;
  const { [lastApplied]: __, ...kept } = annotations ?? {};
  return {
    ...task,
    metadata: { ...metadata, ...(annotations ? { annotations: kept } : {}) },
    spec: compactSpec(task.spec),
    ...(task.status ? { status: compactStatus(task.status) } : {}),
  };
}

function compactSpec(spec: TaskObject["spec"]): TaskObject["spec"] {
  const { inline, ...source } = spec.input;
  const isSmall = inline !== undefined && JSON.stringify(inline).length <= keptInlineBytes;
  // Of a task as somebody wrote it the model may not be there: that is for its admission to say.
  const { model } = spec;
  return {
    ...spec,
    ...(spec.calls ? { calls: { ...spec.calls, opened: [], output: {} } } : {}),
    ...(model ? { model: { ...model, uri: share(model.uri), digest: share(model.digest) } } : {}),
    input: isSmall ? { ...source, inline } : source,
  };
}

function compactStatus(status: NonNullable<TaskObject["status"]>): NonNullable<TaskObject["status"]> {
  if (!status.output?.inline) return status;
  const { inline: _, ...output } = status.output;
  return { ...status, output };
}

const shared = new Map<string, string>();
const maxShared = 4_096;

/** The same text as the last time that it was asked for. */
function share(text: string): string {
  const known = shared.get(text);
  if (known !== undefined) return known;
  if (shared.size >= maxShared) shared.clear();
  shared.set(text, text);
  return text;
}

/** The inline input was left out by `compactTask`: every task has exactly one source of input. */
export function isInputLeftOut(task: TaskObject): boolean {
  const { inline, uri, configMapRef } = task.spec.input;
  return inline === undefined && uri === undefined && configMapRef === undefined;
}

/** Whole seconds, as Kubernetes writes the times of conditions. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, "Z");
}
