/** What a watcher of the embedded run knows at one moment, computed from the objects that the API server holds. Pure. */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { InferenceTask, WorkerNode } from "../../api/v1alpha1/types.ts";

export interface WorkerProgress {
  readonly name: string;
  readonly role: string;
  readonly tier: string;
  readonly hardware: string;
  readonly state: string;
  readonly completed: number;
  readonly rejected: number;
  readonly creditedWei: bigint;
  readonly paidWei: bigint;
  readonly slashedWei: bigint;
}

export interface Progress {
  readonly submitted: number;
  readonly byPhase: Readonly<Record<string, number>>;
  /** Tasks of which a validator panel refused at least one attempt. */
  readonly rejected: number;
  readonly settled: number;
  readonly inferences: number;
  readonly batches: number;
  readonly nodes: readonly WorkerProgress[];
}

export function computeProgress(tasks: readonly InferenceTask[], nodes: readonly WorkerNode[]): Progress {
  const byPhase: Record<string, number> = {};
  for (const task of tasks) {
    const phase = task.status?.phase ?? "Pending";
    byPhase[phase] = (byPhase[phase] ?? 0) + 1;
  }
  const settled = tasks.filter((task) => isConditionTrue(task.status?.conditions, "Settled"));
  return {
    submitted: tasks.length,
    byPhase,
    rejected: tasks.filter(wasRejected).length,
    settled: settled.length,
    inferences: settled.reduce((sum, task) => sum + (task.status?.output?.items ?? 0), 0),
    batches: new Set(settled.map((task) => task.status?.settlement?.batch)).size,
    nodes: nodes
      .map(describeNode)
      .sort((a, b) => (a.role === b.role ? compare(a.name, b.name) : compare(b.role, a.role))),
  };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export function wasRejected(task: InferenceTask): boolean {
  return (
    task.status?.phase === "Rejected" || (task.status?.attempts ?? []).some((attempt) => attempt.outcome === "Rejected")
  );
}

export function isFinished(task: InferenceTask): boolean {
  return ["Succeeded", "Failed", "Rejected"].includes(task.status?.phase ?? "Pending");
}

function describeNode(node: WorkerNode): WorkerProgress {
  const { status, spec, metadata } = node;
  const ready = isConditionTrue(status?.conditions, "Ready");
  const bond = status?.bond?.state ?? "None";
  return {
    name: metadata.name,
    role: spec.role,
    tier: status?.tier ?? "-",
    hardware: status?.hardware?.summary ?? "-",
    state: ready ? "Ready" : bond === "Active" ? "NotReady" : bond,
    completed: status?.reputation?.completed ?? 0,
    rejected: status?.reputation?.rejected ?? 0,
    creditedWei: BigInt(status?.earnings?.creditedWei ?? "0"),
    paidWei: BigInt(status?.earnings?.paidWei ?? "0"),
    slashedWei: BigInt(status?.earnings?.slashedWei ?? "0"),
  };
}
