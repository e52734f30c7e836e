/** The kinds of inferium.io/v1alpha1 with their REST coordinates. Field types are generated from crds/. */
import type { AgentSpec, AgentStatus } from "./generated/agents.ts";
import type { InferenceTaskSpec, InferenceTaskStatus } from "./generated/inferencetasks.ts";
import type { LeaderboardSpec, LeaderboardStatus } from "./generated/leaderboards.ts";
import type { ModelSpec, ModelStatus } from "./generated/models.ts";
import type { ValidationSpec, ValidationStatus } from "./generated/validations.ts";
import type { WorkerNodeSpec, WorkerNodeStatus } from "./generated/workernodes.ts";
import { type ApiObject, apiVersion } from "./meta.ts";

export type InferenceTask = ApiObject<"InferenceTask", InferenceTaskSpec, InferenceTaskStatus>;
export type WorkerNode = ApiObject<"WorkerNode", WorkerNodeSpec, WorkerNodeStatus>;
export type Agent = ApiObject<"Agent", AgentSpec, AgentStatus>;
export type Validation = ApiObject<"Validation", ValidationSpec, ValidationStatus>;
export type Model = ApiObject<"Model", ModelSpec, ModelStatus>;
export type Leaderboard = ApiObject<"Leaderboard", LeaderboardSpec, LeaderboardStatus>;

export const inferenceTaskResource = {
  apiVersion,
  kind: "InferenceTask",
  plural: "inferencetasks",
  namespaced: true,
} as const;
export const workerNodeResource = { apiVersion, kind: "WorkerNode", plural: "workernodes", namespaced: false } as const;
export const agentResource = { apiVersion, kind: "Agent", plural: "agents", namespaced: true } as const;
export const validationResource = { apiVersion, kind: "Validation", plural: "validations", namespaced: true } as const;
export const modelResource = { apiVersion, kind: "Model", plural: "models", namespaced: true } as const;
export const leaderboardResource = {
  apiVersion,
  kind: "Leaderboard",
  plural: "leaderboards",
  namespaced: true,
} as const;

export type Tier = "High" | "Mid" | "Low";
export type TaskType = InferenceTaskSpec["type"];
export type TaskPhase = InferenceTaskStatus["phase"];
export type VerificationPolicy = InferenceTaskSpec["verification"]["policy"];
export type BondState = NonNullable<WorkerNodeStatus["bond"]>["state"];
export type Attempt = NonNullable<InferenceTaskStatus["attempts"]>[number];
