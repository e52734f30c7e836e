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
 * A task without what only a worker or a validator reads. Made anew rather than by deleting, and with what many tasks have in
 * common only once: as many of these are in memory as there are tasks.
 */
export function compactTask(task: TaskObject): TaskObject {
  const { managedFields: _, annotations, ...metadata } = task.metadata;
  const { [lastApplied]: __, ...kept } = annotations ?? {};
  const { creationTimestamp: made, namespace } = metadata;
  return {
    ...task,
    metadata: {
      ...metadata,
      ...(namespace === undefined ? {} : { namespace: shareText(namespace) }),
      ...(made === undefined ? {} : { creationTimestamp: shareText(made) }),
      ...(annotations ? { annotations: kept } : {}),
    },
    spec: compactSpec(task.spec),
    ...(task.status ? { status: compactStatus(task.status) } : {}),
  };
}

/** Of a task as somebody wrote it even what is required may not be there: that is for its admission to say. */
function compactSpec(spec: TaskObject["spec"]): TaskObject["spec"] {
  const { inline, ...source } = spec.input;
  const isSmall = inline !== undefined && JSON.stringify(inline).length <= keptInlineBytes;
  const { model, verification, resources, requester } = spec;
  return {
    ...spec,
    ...(model ? { model: share(model) } : {}),
    ...(verification ? { verification: share(verification) } : {}),
    ...(resources ? { resources: share(resources) } : {}),
    ...(requester === undefined ? {} : { requester: shareText(requester) }),
    input: isSmall ? { ...source, inline } : source,
  };
}

type TaskStatus = NonNullable<TaskObject["status"]>;

function compactStatus(status: TaskStatus): TaskStatus {
  // What every task begins with.
  if (Object.keys(status).length === 2 && status.conditions === undefined) return share(status);
  if (!status.output?.inline) return status;
  const { inline: _, ...output } = status.output;
  return { ...status, output };
}

const objects = new Map<string, object>();
const texts = new Map<string, string>();
const maxShared = 4_096;
/** Longer ones are not likely to be there twice. */
const maxSharedLength = 1_024;

/** An equal value that was asked for before, or this one. Nobody may change it. */
function share<T extends object>(value: T): T {
  return remember(objects as Map<string, T>, JSON.stringify(value), value);
}

function shareText(text: string): string {
  return remember(texts, text, text);
}

function remember<T>(known: Map<string, T>, id: string, value: T): T {
  const same = known.get(id);
  if (same !== undefined) return same;
  if (id.length > maxSharedLength) return value;
  if (known.size >= maxShared) known.clear();
  known.set(id, value);
  return value;
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
