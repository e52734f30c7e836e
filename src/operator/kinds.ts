/** The kinds that the operator works on, as its clients and informers address them, and how tasks are kept in memory. */
import {
  type InferenceTask,
  inferenceTaskResource,
  type Validation,
  validationResource,
  type WorkerNode,
  workerNodeResource,
} from "../api/v1alpha1/types.ts";
import { dropManagedFields } from "../kube/informer.ts";
import type { KubeObject } from "../kube/object.ts";
import { defineResource } from "../kube/resource.ts";

export type TaskObject = InferenceTask & KubeObject;
export type WorkerObject = WorkerNode & KubeObject;
export type ValidationObject = Validation & KubeObject;

export const tasks = defineResource<TaskObject>(inferenceTaskResource);
export const workerNodes = defineResource<WorkerObject>(workerNodeResource);
export const validations = defineResource<ValidationObject>(validationResource);

/** Inline tensors of more bytes than this are read from the server when they are needed, not kept for each task. */
const keptInlineBytes = 2_048;

/** A task without what only a worker or a validator reads. Changes its argument. */
export function compactTask(task: TaskObject): TaskObject {
  dropManagedFields(task);
  delete task.metadata.annotations?.["kubectl.kubernetes.io/last-applied-configuration"];
  if (task.status?.output) delete task.status.output.inline;
  const { inline } = task.spec.input;
  if (inline && JSON.stringify(inline).length > keptInlineBytes) delete task.spec.input.inline;
  return task;
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
