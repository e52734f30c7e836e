/** Kubernetes Events on tasks: the few changes that people look for. News only; nothing depends on them. */
import type { EventRecorder } from "../kube/events.ts";
import type { TaskObject } from "./kinds.ts";

export type TaskNews =
  | "Assigned"
  | "Rejected"
  | "Settled"
  | "Slashed"
  | "Disputed"
  | "Overturned"
  | "Failed"
  | "Expired"
  | "NotProven"
  | "Preempted"
  | "Duplicated";

export type TellTask = (task: TaskObject, reason: TaskNews, note: string) => void;

const warnings: ReadonlySet<TaskNews> = new Set([
  "Rejected",
  "Slashed",
  "Disputed",
  "Overturned",
  "Failed",
  "Expired",
  "NotProven",
]);

export function createTaskEvents(recorder: EventRecorder): TellTask {
  return (task, reason, note) =>
    recorder.record({
      regarding: task,
      type: warnings.has(reason) ? "Warning" : "Normal",
      reason,
      action: reason,
      note,
    });
}
