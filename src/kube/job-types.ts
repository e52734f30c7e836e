/** Slim types of a batch/v1 Job: what whoever makes jobs writes and reads of them. */
import type { KubeObject, ObjectMeta } from "./object.ts";
import type { PodSpec } from "./pod-types.ts";
import { defineResource } from "./resource.ts";

export interface JobCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

export interface Job extends KubeObject {
  spec: {
    completionMode?: "Indexed" | "NonIndexed";
    completions?: number;
    parallelism?: number;
    backoffLimit?: number;
    suspend?: boolean;
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
    template: { metadata?: Partial<ObjectMeta>; spec: PodSpec };
  };
  status?: { active?: number; succeeded?: number; failed?: number; startTime?: string; conditions?: JobCondition[] };
}

export const jobs = defineResource<Job>({ apiVersion: "batch/v1", kind: "Job", plural: "jobs", namespaced: true });
