/** The kinds that the operator works on, as its clients and informers address them. */
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

/** The inline input was left out by `keepTask`: every task has exactly one source of input. */
export function isInputLeftOut(task: TaskObject): boolean {
  const { inline, uri, configMapRef } = task.spec.input;
  return inline === undefined && uri === undefined && configMapRef === undefined;
}

/** Whole seconds, as Kubernetes writes the times of conditions. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, "Z");
}
